//! `stackwave serve` in release, as a process of its own, over one of the three logs.

use crate::{
    hook::{Payloads, SECRET},
    sink::Sink,
};
use anyhow::{Context as _, Result, bail, ensure};
use stackwave_testkit::nats::{NatsServer, Settings, Sync};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The key with which uploads are posted.
const API_KEY: &str = "the-benchmark-s-api-key";
const START_WITHIN: Duration = Duration::from_secs(30);

/// A log to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogKind {
    Sqlite,
    JetStreamAlways,
    JetStreamDefault,
}

impl LogKind {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::JetStreamAlways, Self::JetStreamDefault];

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::JetStreamAlways => "jetstream-always",
            Self::JetStreamDefault => "jetstream-default",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite (WAL, synchronous=FULL)",
            Self::JetStreamAlways => "JetStream, one server, sync_interval: always",
            Self::JetStreamDefault => "JetStream, one server, sync_interval: default (2 min)",
        }
    }
}

/// A fresh, empty log.
pub(crate) struct LogPlace {
    folder: tempfile::TempDir,
    nats: Option<NatsServer>,
}

impl LogPlace {
    pub(crate) async fn fresh(kind: LogKind) -> Result<Self> {
        let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
        let sync = match kind {
            LogKind::Sqlite => return Ok(Self { folder, nats: None }),
            LogKind::JetStreamAlways => Sync::Always,
            LogKind::JetStreamDefault => Sync::ServerDefault,
        };
        let nats = NatsServer::start_with(&Settings { sync, ..Settings::default() }).await;
        let nats = nats.context("there is no nats-server; `cargo xtask test` fetches one")?;
        Ok(Self { folder, nats: Some(nats) })
    }

    /// Opens the log in this process. A SQLite log must not be served meanwhile, except for reading.
    pub(crate) async fn open(
        &self,
        writing: bool,
    ) -> Result<std::sync::Arc<dyn stackwave_event_log::EventLog>> {
        use stackwave_event_log_nats::{NatsLog, NatsOptions};
        use stackwave_event_log_sqlite::SqliteLog;
        Ok(match &self.nats {
            Some(nats) => NatsLog::connect(NatsOptions::new(nats.url())).await?,
            None if writing => SqliteLog::open(self.file(), 1)?,
            None => SqliteLog::open_read_only(self.file())?,
        })
    }

    /// How many bytes it takes on disk: of a SQLite log the database, without the write-ahead log beside it.
    pub(crate) fn disk_bytes(&self) -> u64 {
        match &self.nats {
            Some(nats) => folder_bytes(nats.store()),
            None => std::fs::metadata(self.file()).map_or(0, |file| file.len()),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("stackwave.db")
    }

    fn setting(&self) -> String {
        match &self.nats {
            Some(nats) => nats.url(),
            None => format!("sqlite:{}", self.file().display()),
        }
    }
}

/// The size of all files below a folder; those of the settings are too small to count.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Builds the executable as `cargo build --release` does, and tells where it is.
pub(crate) fn build() -> Result<PathBuf> {
    eprintln!("building `stackwave` in release");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "stackwave", "--bin", "stackwave"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status()
        .context("failed to run cargo")?;
    ensure!(status.success(), "`cargo build --release --package stackwave` failed");
    // The benchmark itself lies in `<target>/release/deps`.
    let this = std::env::current_exe()?;
    let folder = this.ancestors().nth(2).context("the benchmark lies in no target folder")?;
    Ok(folder.join(format!("stackwave{}", std::env::consts::EXE_SUFFIX)))
}

/// The process. It is killed when it is dropped.
pub(crate) struct Service {
    pub(crate) http: SocketAddr,
    child: Child,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Service {
    pub(crate) async fn start(
        executable: &Path,
        log: &LogPlace,
        sink: &Sink,
        payloads: &Payloads,
    ) -> Result<Self> {
        let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
        let key = folder.path().join("key.pem");
        std::fs::write(&key, &payloads.private_key)?;
        let (http, grpc) = (free_address()?, free_address()?);
        let child = Command::new(executable)
            .arg("serve")
            .env("STACKWAVE_HTTP_ADDR", http.to_string())
            .env("STACKWAVE_GRPC_ADDR", grpc.to_string())
            .env("STACKWAVE_LOG", log.setting())
            .env("STACKWAVE_GITHUB_API_URL", &sink.url)
            .env("STACKWAVE_GITHUB_APP_ID", payloads.app.to_string())
            .env("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &key)
            .env("STACKWAVE_GITHUB_WEBHOOK_SECRET", SECRET)
            .env("STACKWAVE_BOOTSTRAP_API_KEY", API_KEY)
            .env("STACKWAVE_LOG_LEVEL", "warn")
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start `{}`", executable.display()))?;
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        let mut service = Self { http, child, client, _folder: folder };
        service.wait_until_ready().await?;
        Ok(service)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        let url = format!("http://{}/readyz", self.http);
        while Instant::now() < deadline {
            if self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(self.child.try_wait()?.is_none(), "`stackwave serve` ended at its start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("`stackwave serve` is not ready after {} s", START_WITHIN.as_secs())
    }

    /// Posts an upload, and tells when it began.
    pub(crate) async fn upload(&self, body: Vec<u8>) -> Result<Instant> {
        let url = format!("http://{}/api/v1/affected-stacks", self.http);
        let request =
            self.client.post(url).bearer_auth(API_KEY).header("content-type", "application/json").body(body);
        let began = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "an upload was answered with {status}: {}", answer.text().await?);
        Ok(began)
    }

    /// Ends the process, so that its log can be opened here.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.end();
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
