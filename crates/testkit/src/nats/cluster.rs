//! Several servers that replicate.

use super::{
    binary::server_binary,
    server::{NatsServer, Settings, free_port},
};

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
        let route_ports: Vec<u16> = (0..size).map(|_| free_port()).collect();
        let routes: Vec<String> = route_ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let servers = route_ports.iter().enumerate().map(|(number, route_port)| {
            let cluster = format!(
                "cluster {{\n  name: test\n  listen: \"127.0.0.1:{route_port}\"\n  routes: {routes:?}\n}}\n{}",
                settings.extra
            );
            let settings = Settings { extra: cluster, ..settings.clone() };
            NatsServer::prepare(binary.clone(), free_port(), &format!("n{number}"), &settings)
        });
        let cluster = Self { servers: servers.collect() };
        for server in &cluster.servers {
            server.launch();
        }
        for server in &cluster.servers {
            assert!(server.wait_until_up().await, "a nats-server does not start: {}", server.log());
        }
        Some(cluster)
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
