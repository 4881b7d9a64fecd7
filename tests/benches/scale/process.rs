//! `stackwave` in release, as processes of its own on one folder.

use crate::report::Samples;
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// What opens the admin API.
pub(crate) const TOKEN: &str = "the-benchmark-s-admin-token";
/// Folding millions of records takes minutes on a slow disk.
const START_WITHIN: Duration = Duration::from_secs(1_800);
/// A drain waits for what is under way.
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// A test's key; nobody answers to it.
const KEY: &str = include_str!("../../../crates/github-sim/src/keys/app.private-key.pem");

/// Where the executable is.
pub(crate) struct Executable {
    path: PathBuf,
    github: String,
}

impl Executable {
    /// The given one, or the one that `cargo build --release` makes.
    pub(crate) fn find(given: Option<&Path>, github: &str) -> Result<Self> {
        let github = github.to_owned();
        if let Some(path) = given {
            return Ok(Self { path: path.to_owned(), github });
        }
        eprintln!("building `stackwave` in release");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--package", "stackwave", "--bin", "stackwave"])
            .current_dir(&root)
            .status()
            .context("failed to run cargo")?;
        ensure!(status.success(), "the executable cannot be built");
        Ok(Self { path: root.join("target/release/stackwave"), github })
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(folder)
            .env("STACKWAVE_LOG", format!("sqlite:{}", folder.join("stackwave.db").display()))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end, and tells how long it took.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Result<Duration> {
        let began = Instant::now();
        let output = self.command(folder).args(arguments).output()?;
        let took = began.elapsed();
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(took)
    }
}

/// So many times in a row.
pub(crate) fn times(count: usize, mut run: impl FnMut() -> Result<Duration>) -> Result<Samples> {
    run()?;
    let mut samples = Samples::default();
    for _ in 0..count {
        samples.push(run()?);
    }
    Ok(samples)
}

/// A process that serves.
pub(crate) struct Service {
    pub(crate) grpc: SocketAddr,
    http: SocketAddr,
    child: Child,
    roles: Vec<String>,
}

impl Service {
    /// Starts these roles, or all, and tells how long it took until they were ready.
    pub(crate) async fn start(
        executable: &Executable,
        folder: &Path,
        roles: &[&str],
    ) -> Result<(Self, Duration)> {
        let key = folder.join("key.pem");
        std::fs::write(&key, KEY)?;
        let (http, grpc) = (free_address()?, free_address()?);
        let began = Instant::now();
        let child = executable
            .command(folder)
            .arg("serve")
            .args(roles)
            .env("STACKWAVE_HTTP_ADDR", http.to_string())
            .env("STACKWAVE_GRPC_ADDR", grpc.to_string())
            .env("STACKWAVE_ADMIN_TOKEN", TOKEN)
            .env("STACKWAVE_READ_MODEL", folder.join("read-model.db"))
            .env("STACKWAVE_GITHUB_API_URL", &executable.github)
            .env("STACKWAVE_GITHUB_APP_ID", "1")
            .env("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &key)
            .env("STACKWAVE_GITHUB_WEBHOOK_SECRET", "hush")
            .env("STACKWAVE_LOG_LEVEL", "off")
            .spawn()
            .context("failed to start the executable")?;
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let mut service = Self { grpc, http, child, roles };
        service.wait_until_ready().await?;
        Ok((service, began.elapsed()))
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/readyz", self.http);
        let deadline = Instant::now() + START_WITHIN;
        while Instant::now() < deadline {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(
                self.child.try_wait()?.is_none(),
                "`stackwave serve {:?}` ended at its start",
                self.roles
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("`stackwave serve` is not ready after {} s", START_WITHIN.as_secs())
    }

    /// Waits until lists are answered, and tells how long it took.
    pub(crate) async fn wait_for_read_model(&self) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < START_WITHIN {
            if crate::asking::is_built(self).await? {
                return Ok(began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the read model is not built after {} s", START_WITHIN.as_secs())
    }

    /// Its memory now, in megabytes.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The most that it ever had, in megabytes.
    pub(crate) fn peak_mb(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .context("memory is read as Linux tells it")?;
        let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
        let kibibytes: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    /// Lets it end in good order, as an operator would.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("failed to signal")?;
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "it ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("it does not end")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already when it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
