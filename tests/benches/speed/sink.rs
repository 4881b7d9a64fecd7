//! A GitHub that does nothing but answer: every endpoint that a plan run touches, as fast as a socket allows, so that a
//! measurement is never one of the simulator.

use anyhow::Result;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// A dispatch request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// When its head was read.
    pub(crate) at: Instant,
    /// The workflow run that it was answered with.
    pub(crate) run: u64,
    /// The title that this run has.
    pub(crate) title: String,
}

/// The repository that it holds.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) installation: u64,
    pub(crate) repository: Value,
    pub(crate) workflow: String,
}

/// The server. It ends when it is dropped.
pub(crate) struct Sink {
    pub(crate) url: String,
    accepting: JoinHandle<()>,
}

impl Sink {
    /// Serves on a free port; every dispatch is told to the receiver once it has been answered.
    pub(crate) async fn start(known: Known) -> Result<(Self, mpsc::UnboundedReceiver<Arrival>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (told, arrivals) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { known, told, runs: AtomicU64::new(17_000_000_000) });
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok((Self { url, accepting }, arrivals))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Shared {
    known: Known,
    told: mpsc::UnboundedSender<Arrival>,
    runs: AtomicU64,
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a [u8],
    at: Instant,
}

/// What goes out, and which dispatch it answers.
struct Answer {
    status: &'static str,
    body: String,
    arrival: Option<Arrival>,
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let at = Instant::now();
        let length = content_length(std::str::from_utf8(&buffer[..head]).ok()?);
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        }
        let line = std::str::from_utf8(&buffer[..head]).ok()?.lines().next()?;
        let mut words = line.split(' ');
        let request =
            Request { method: words.next()?, path: words.next()?, body: &buffer[head..head + length], at };
        let answer = shared.answer(&request);
        let text = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{}",
            answer.status,
            answer.body.len(),
            answer.body
        );
        stream.write_all(text.as_bytes()).await.ok()?;
        if let Some(arrival) = answer.arrival {
            // Nobody listens once a measurement is over.
            let _ = shared.told.send(arrival);
        }
        buffer.drain(..head + length);
    }
}

/// The body's length, out of a head.
pub(crate) fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

impl Shared {
    fn answer(&self, request: &Request<'_>) -> Answer {
        let path = request.path.split('?').next().unwrap_or_default();
        let ok = |body: String| Answer { status: "200 OK", body, arrival: None };
        let created = |body: Value| Answer { status: "201 Created", body: body.to_string(), arrival: None };
        match (request.method, path) {
            ("POST", path) if path.ends_with("/dispatches") => self.dispatch(request),
            ("POST", path) if path.ends_with("/access_tokens") => {
                created(json!({ "token": "ghs_benchmark", "expires_at": "2099-01-01T00:00:00Z" }))
            }
            ("GET", "/app") => ok(json!({ "id": 1, "slug": "stackwave" }).to_string()),
            ("GET", "/app/installations") => {
                ok(json!([{ "id": self.known.installation, "suspended_at": null }]).to_string())
            }
            ("GET", "/installation/repositories") => {
                ok(json!({ "total_count": 1, "repositories": [self.known.repository] }).to_string())
            }
            ("GET", path) if path.contains("/contents/") => ok(self.known.workflow.clone()),
            ("GET", path) if path.ends_with("/comments") => ok("[]".to_owned()),
            ("GET", path) if path.ends_with("/runs") => {
                ok(json!({ "total_count": 0, "workflow_runs": [] }).to_string())
            }
            ("POST", path) if path.ends_with("/comments") => created(json!({ "id": 1 })),
            ("PATCH", _) => ok(json!({ "id": 1 }).to_string()),
            _ => Answer {
                status: "404 Not Found",
                body: json!({ "message": "Not Found" }).to_string(),
                arrival: None,
            },
        }
    }

    fn dispatch(&self, request: &Request<'_>) -> Answer {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
        let input = |name: &str| body["inputs"][name].as_str().unwrap_or_default();
        let title = format!("plan {}/{}/{}", input("component"), input("stack"), input("atmos_pro_run_id"));
        let answer = json!({
            "workflow_run_id": run,
            "run_url": format!("https://api.github.com/repos/acme/landing-zone/actions/runs/{run}"),
            "html_url": format!("https://github.com/acme/landing-zone/actions/runs/{run}"),
        });
        let arrival = Some(Arrival { at: request.at, run, title });
        Answer { status: "200 OK", body: answer.to_string(), arrival }
    }
}
