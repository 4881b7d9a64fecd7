//! Several servers that replicate.

use super::{
    binary::server_binary,
    server::{NatsServer, PORT_TRIES, Settings, free_port},
};
use std::path::Path;

/// A cluster of a test, with JetStream. Its servers are named `n0`, `n1`, ….
#[derive(Debug)]
pub struct NatsCluster {
    servers: Vec<NatsServer>,
}

impl NatsCluster {
    /// A running cluster; none when the test is to be skipped. It elects its leader soon after.
    ///
    /// # Panics
    /// It does not start, or there is no nats-server although it is required.
    pub async fn start(size: usize, settings: &Settings) -> Option<Self> {
        let binary = server_binary()?;
        for _ in 0..PORT_TRIES {
            let cluster = Self::prepare(&binary, size, settings);
            for server in &cluster.servers {
                server.launch();
            }
            let mut all_up = true;
            for server in &cluster.servers {
                all_up &= server.wait_until_up().await;
            }
            if all_up {
                return Some(cluster);
            }
            for (number, server) in cluster.servers.iter().enumerate() {
                eprintln!("the cluster does not start; n{number} says:\n{}", server.log());
            }
        }
        panic!("the nats-servers do not start, {PORT_TRIES} times; what they say stands above");
    }

    /// A cluster that does not run yet, on ports that were free a moment ago.
    fn prepare(binary: &Path, size: usize, settings: &Settings) -> Self {
        let route_ports: Vec<u16> = (0..size).map(|_| free_port()).collect();
        let routes: Vec<String> = route_ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        // Servers of another test that come upon one of the ports belong to a cluster of another name, and are sent away.
        let name =
            format!("test-{}-{}", std::process::id(), route_ports.first().copied().unwrap_or_default());
        let servers = route_ports.iter().enumerate().map(|(number, route_port)| {
            let cluster = format!(
                "cluster {{\n  name: {name}\n  listen: \"127.0.0.1:{route_port}\"\n  routes: {routes:?}\n}}\n{}",
                settings.extra
            );
            let settings = Settings { extra: cluster, ..settings.clone() };
            let mark = format!("\"cluster\":\"{name}\"");
            NatsServer::prepare(binary.to_owned(), free_port(), &format!("n{number}"), mark, &settings)
        });
        Self { servers: servers.collect() }
    }

    /// Where clients connect: all servers.
    #[must_use]
    pub fn url(&self) -> String {
        let urls: Vec<String> = self.servers.iter().map(NatsServer::url).collect();
        urls.join(",")
    }

    /// The server of that name.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn server(&self, name: &str) -> &NatsServer {
        let number = name.strip_prefix('n').and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| self.servers.get(number)).expect("a server of the cluster")
    }

    /// All servers, in the order of their names.
    #[must_use]
    pub fn servers(&self) -> &[NatsServer] {
        &self.servers
    }
}
