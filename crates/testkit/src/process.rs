//! Real `stackwave serve` processes: started on free ports, killed at any moment, started again.
//!
//! The executable is named by `STACKWAVE_BIN`, or is the one that was built beside the test's own executable.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::{BTreeMap, VecDeque},
    env,
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    sync::watch,
};

const VARIABLE: &str = "STACKWAVE_BIN";
/// Settings of the surroundings would be settings of the process.
const PREFIX: &str = "STACKWAVE_";
/// A process that does not serve by then will not.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// A process that was asked to end takes at most its own limit for that.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// So many lines of a process's own log are kept for the message of a failing test.
const LINES_KEPT: usize = 400;

/// Settings of a process by the names of their environment variables.
pub type Environment = BTreeMap<String, String>;

/// A process that serves. It is killed when it is dropped.
#[derive(Debug)]
pub struct ServeProcess {
    address: SocketAddr,
    child: tokio::sync::Mutex<Option<Child>>,
    lines: Lines,
}

impl ServeProcess {
    /// Starts `stackwave serve` with these roles (none: all) on free ports, and returns once it serves.
    ///
    /// # Panics
    /// It does not start; the message holds what it wrote.
    pub async fn start(roles: &[&str], settings: &Environment) -> Self {
        let mut child = command(roles, settings).spawn().expect("the executable should start");
        let (told, mut address) = watch::channel(None);
        let lines = Lines::default();
        let stderr = child.stderr.take().expect("standard error is a pipe");
        tokio::spawn(read(stderr, lines.clone(), told));
        let served = tokio::time::timeout(START_DEADLINE, address.wait_for(Option::is_some)).await;
        let address = served.ok().and_then(|address| *address.ok()?);
        let Some(address) = address else {
            panic!("`stackwave serve {}` does not serve:\n{}", roles.join(" "), lines.text());
        };
        Self { address, child: tokio::sync::Mutex::new(Some(child)), lines }
    }

    /// Starts a process that is expected to end by itself, and returns what it wrote.
    ///
    /// # Panics
    /// It does not end.
    pub async fn run_to_its_end(roles: &[&str], settings: &Environment) -> Output {
        let child = command(roles, settings).spawn().expect("the executable should start");
        let ended = tokio::time::timeout(START_DEADLINE, child.wait_with_output()).await;
        ended.expect("the process should end by itself").expect("its output")
    }

    /// Where it serves HTTP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once, as `kill -9` does, and returns when it is gone.
    ///
    /// # Panics
    /// It cannot be ended.
    pub async fn kill(&self) {
        // Held until it is gone: whoever else wants it dead waits too.
        let mut child = self.child.lock().await;
        if let Some(mut child) = child.take() {
            child.kill().await.expect("the process should end");
        }
    }

    /// Asks it to end in good order and waits until it has; none when it had ended before.
    ///
    /// # Panics
    /// It does not end.
    pub async fn stop(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().await.take()?;
        let pid = Pid::from_raw(child.id()?.try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("the process should take a signal");
        let ended = tokio::time::timeout(STOP_DEADLINE, child.wait()).await;
        let Ok(status) = ended else {
            panic!("the process does not end when asked to:\n{}", self.lines.text());
        };
        Some(status.expect("its status"))
    }

    /// The newest lines of its own log.
    #[must_use]
    pub fn output(&self) -> String {
        self.lines.text()
    }
}

/// The newest lines that a process wrote.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<VecDeque<String>>>);

impl Lines {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn command(roles: &[&str], settings: &Environment) -> Command {
    let mut command = Command::new(executable());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX)) {
        command.env_remove(name);
    }
    command
        .arg("serve")
        .args(roles)
        .env("STACKWAVE_HTTP_ADDR", "127.0.0.1:0")
        .env("STACKWAVE_GRPC_ADDR", "127.0.0.1:0")
        .env("STACKWAVE_LOG_FORMAT", "json")
        .envs(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The executable under test.
///
/// # Panics
/// There is none.
#[must_use]
pub fn executable() -> PathBuf {
    let named = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = named.unwrap_or_else(|| {
        // Tests lie in `target/<profile>/deps`.
        let test = env::current_exe().expect("the test's own path");
        let folder = test.parent().and_then(std::path::Path::parent).expect("the folder of the profile");
        folder.join(format!("stackwave{}", env::consts::EXE_SUFFIX))
    });
    assert!(
        path.is_file(),
        "there is no executable at `{}`: run `cargo build -p stackwave`, or name one with {VARIABLE}",
        path.display()
    );
    path
}

/// Keeps what a process writes and finds out where it serves.
async fn read(stderr: ChildStderr, lines: Lines, told: watch::Sender<Option<SocketAddr>>) {
    let mut reader = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        if told.borrow().is_none() {
            told.send_replace(address_in(&line));
        }
        lines.push(line);
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line["message"] == "serving").then(|| line["http_addr"].as_str()?.parse().ok()).flatten()
}
