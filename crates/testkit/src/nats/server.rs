//! One server.

use super::binary::server_binary;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::hash_map::RandomState,
    fmt::Write as _,
    hash::BuildHasher as _,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
};

/// A server that is not up by then will not come.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// A free port may be taken by somebody else before the server has it.
pub(super) const PORT_TRIES: usize = 5;

/// When the server's files are synced to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// At every write, as production needs it.
    #[default]
    Always,
    /// Every two minutes, the server's default: what is acknowledged survives a kill, but no power cut.
    ServerDefault,
}

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// When it syncs.
    pub sync: Sync,
    /// Further lines of its configuration, such as `authorization { … }`.
    pub extra: String,
}

/// A server of a test. It is killed, and its store deleted, when it is dropped.
#[derive(Debug)]
pub struct NatsServer {
    binary: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    /// What it says of itself in its `INFO`, and nobody else who might have the port.
    mark: String,
    process: Mutex<Option<Child>>,
}

impl NatsServer {
    /// A running server with the default settings; none when the test is to be skipped.
    ///
    /// # Panics
    /// It does not start, or there is none although it is required.
    pub async fn start() -> Option<Self> {
        Self::start_with(&Settings::default()).await
    }

    /// A running server; none when the test is to be skipped.
    ///
    /// # Panics
    /// It does not start, or there is none although it is required.
    pub async fn start_with(settings: &Settings) -> Option<Self> {
        let binary = server_binary()?;
        for _ in 0..PORT_TRIES {
            let port = free_port();
            // Who has the port in our place is not taken for ours.
            let name = format!("single-{}-{port}", std::process::id());
            let mark = format!("\"server_name\":\"{name}\"");
            let server = Self::prepare(binary.clone(), port, &name, mark, settings);
            server.launch();
            if server.wait_until_up().await {
                return Some(server);
            }
        }
        panic!("the nats-server does not start; run `{}` to see why", binary.display());
    }

    /// A server that does not run yet.
    pub(super) fn prepare(binary: PathBuf, port: u16, name: &str, mark: String, settings: &Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Self { binary, folder, port, mark, process: Mutex::new(None) };
        std::fs::write(server.config_path(), server.config(name, settings)).expect("a file in it");
        server
    }

    fn config(&self, name: &str, settings: &Settings) -> String {
        let mut config = format!("server_name: {name}\nlisten: \"127.0.0.1:{}\"\njetstream {{\n", self.port);
        writeln!(config, "  store_dir: {:?}", self.folder.path().join("store")).expect("a string");
        if settings.sync == Sync::Always {
            config.push_str("  sync_interval: always\n");
        }
        config.push_str("}\n");
        config.push_str(&settings.extra);
        config
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("nats.conf")
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port of [`NatsServer::url`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where its files lie.
    #[must_use]
    pub fn store(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the process; [`NatsServer::start_again`] also waits for it.
    pub(super) fn launch(&self) {
        let log = std::fs::File::create(self.folder.path().join("server.log")).expect("a file");
        let child = Command::new(&self.binary)
            .arg("--config")
            .arg(self.config_path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the nats-server should start");
        *self.process() = Some(child);
    }

    /// Starts a server that was stopped or killed, with the same port and store.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_again(&self) {
        self.launch();
        assert!(self.wait_until_up().await, "the nats-server does not start again: {}", self.log());
    }

    /// Ends the process at once, as `kill -9` does.
    ///
    /// # Panics
    /// It cannot be ended.
    pub fn kill(&self) {
        if let Some(mut child) = self.process().take() {
            child.kill().expect("the process should take a signal");
            child.wait().expect("the process should end");
        }
    }

    /// Asks the process to end in good order, and waits until it has.
    ///
    /// # Panics
    /// It cannot be asked.
    pub async fn stop(&self) {
        let Some(mut child) = self.process().take() else { return };
        let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("the process should take a signal");
        tokio::task::spawn_blocking(move || child.wait()).await.expect("a thread").expect("its end");
    }

    /// What the server wrote since its start.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Whether it came up; not if its process ended.
    pub(super) async fn wait_until_up(&self) -> bool {
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline {
            if self.greets().await {
                return true;
            }
            let ended = self.process().as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// A server that is ready sends its `INFO` to whoever connects.
    async fn greets(&self) -> bool {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await else { return false };
        let mut line = String::new();
        let read = BufReader::new(stream).read_line(&mut line).await;
        let is_ours = line.starts_with("INFO ") && line.contains(&self.mark);
        read.is_ok() && is_ours && line.contains("\"jetstream\":true")
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports that no system gives to whoever asks for any: those begin at 32768 or later (Linux
/// `net.ipv4.ip_local_port_range`, RFC 6335). One of them could be taken by an outgoing connection before the server has
/// it, or while it is killed.
const PORTS: std::ops::Range<u64> = 12_000..32_000;

/// A port that nobody listens on at the moment, by chance, so that tests that run side by side seldom choose the same.
pub(super) fn free_port() -> u16 {
    loop {
        let chance = RandomState::new().hash_one(());
        let port = PORTS.start + chance % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).expect("a port of the range");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
