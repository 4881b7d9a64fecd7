//! Webhooks as GitHub sends them: payloads made once by the simulated GitHub, signed, over connections that stay open.

use crate::{
    shapes::WORKFLOW,
    sink::{Known, content_length},
};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use stackwave_github_sim::{Conclusion, GitHub, NewPullRequest, NewRepository, RunMode, SimConfig, sign};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The key of the signatures.
pub(crate) const SECRET: &str = "the benchmark's webhook secret";

const ID: u64 = 990_099_009_900;
const TITLE: &str = "@@TITLE@@";
/// In the payload of a workflow that somebody else dispatched, and in no other.
pub(crate) const FOREIGN: &str = "dispatched-by-a-person";

/// Payloads with places to fill in.
pub(crate) struct Payloads {
    pub(crate) known: Known,
    /// The App's private key.
    pub(crate) private_key: String,
    /// The App's number.
    pub(crate) app: u64,
    opened: Value,
    /// `workflow_dispatch`, `workflow_run.requested`, `.in_progress` and `.completed`, `workflow_job.queued`,
    /// `.in_progress` and `.completed`.
    texts: Vec<(&'static str, String, String)>,
    foreign: String,
    repository: u64,
}

/// A whole request, ready to be written.
#[derive(Clone)]
pub(crate) struct Delivery(Vec<u8>);

static DELIVERIES: AtomicU64 = AtomicU64::new(1);

impl Payloads {
    /// Lets a simulated GitHub live through one pull request and one workflow run.
    pub(crate) async fn record() -> Result<Self> {
        let config = SimConfig { runs: RunMode::Manual, ..SimConfig::default() };
        let (app, installation) = (config.app.id, config.installation_id);
        let github = GitHub::start(config).await?;
        let repo =
            github.add_repository(NewRepository::new("acme/landing-zone").workflow("tf-plan.yaml", WORKFLOW));
        repo.open_pull_request(NewPullRequest::default())?;
        for login in ["stackwave[bot]", "octocat"] {
            let run = repo.start_run("tf-plan.yaml", "main", "workflow_dispatch", login)?;
            github.begin_run(run)?;
            github.complete_run(run, Conclusion::Success)?;
        }
        let mut opened = Value::Null;
        let (mut texts, mut foreign) = (Vec::new(), String::new());
        for webhook in github.webhooks() {
            let mut payload = webhook.json();
            let Some(action) = webhook.action else { continue };
            let ours = payload["sender"]["login"] != "octocat"
                && payload["workflow_run"]["actor"]["login"] != "octocat";
            match webhook.event {
                "pull_request" => opened = payload,
                event @ ("workflow_run" | "workflow_job") => {
                    let field = if event == "workflow_run" { "id" } else { "run_id" };
                    payload[event][field] = json!(ID);
                    payload[event]["display_title"] = json!(TITLE);
                    if ours && texts.len() < 6 {
                        texts.push((event, action.to_owned(), payload.to_string()));
                    } else if event == "workflow_run" && action == "completed" {
                        payload[event]["display_title"] = json!(FOREIGN);
                        foreign = payload.to_string();
                    }
                }
                _ => {}
            }
        }
        let repository = json!({
            "id": repo.id(), "name": "landing-zone", "full_name": "acme/landing-zone", "default_branch": "main",
            "owner": { "login": "acme" },
        });
        let known = Known { installation, repository, workflow: WORKFLOW.to_owned() };
        let private_key = github.private_key_pem().to_owned();
        github.shutdown().await;
        Ok(Self { known, private_key, app, opened, texts, foreign, repository: repo.id() })
    }

    /// `pull_request.opened`.
    pub(crate) fn opened(&self, number: u64, head_sha: &str) -> Delivery {
        let mut payload = self.opened.clone();
        payload["number"] = json!(number);
        payload["pull_request"]["number"] = json!(number);
        payload["pull_request"]["head"]["sha"] = json!(head_sha);
        deliver("pull_request", payload.to_string())
    }

    /// `workflow_run.completed`.
    pub(crate) fn completed(&self, run: u64, title: &str) -> Delivery {
        self.life(run, title).pop().unwrap_or(Delivery(Vec::new()))
    }

    /// Everything that GitHub says of a run that goes well, `workflow_run.completed` last.
    pub(crate) fn life(&self, run: u64, title: &str) -> Vec<Delivery> {
        let fill = |text: &str| text.replace(&ID.to_string(), &run.to_string()).replace(TITLE, title);
        let mut texts: Vec<_> = self.texts.iter().collect();
        texts.sort_by_key(|(event, action, _)| (action == "completed", *event == "workflow_run"));
        texts.into_iter().map(|(event, _, text)| deliver(event, fill(text))).collect()
    }

    /// `workflow_run.completed` of a workflow that a person dispatched: stored, and of no consequence. Every tenth is
    /// of the repository that is measured, the others are of nineteen others.
    pub(crate) fn background(&self, number: u64) -> Delivery {
        let text = self.foreign.replace(&ID.to_string(), &(600_000_000 + number).to_string());
        let other = number % 20;
        if other < 2 {
            return deliver("workflow_run", text);
        }
        let text = text
            .replace(&format!("\"id\":{},", self.repository), &format!("\"id\":{},", 700_000 + other))
            .replace("acme/landing-zone", &format!("acme/other-{other:02}"));
        deliver("workflow_run", text)
    }
}

fn deliver(event: &str, payload: String) -> Delivery {
    let number = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    let head = format!(
        "POST /webhooks/github HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: GitHub-Hookshot/44ac8d1\r\naccept: */*\r\n\
         content-type: application/json\r\nx-github-event: {event}\r\nx-github-delivery: \
         00000000-0000-4000-8000-{number:012}\r\nx-hub-signature-256: {}\r\ncontent-length: {}\r\n\r\n",
        sign(SECRET, payload.as_bytes()),
        payload.len()
    );
    Delivery([head.into_bytes(), payload.into_bytes()].concat())
}

/// A connection to the webhook receiver.
pub(crate) struct Hook {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Hook {
    pub(crate) async fn connect(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).await.context("failed to connect to the webhook receiver")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a delivery and waits for its 202. Returns the moment just before its bytes were handed to the kernel: that
    /// of the last byte is some microseconds later, so that times are never too short.
    pub(crate) async fn send(&mut self, delivery: &Delivery) -> Result<Instant> {
        let sent = Instant::now();
        self.stream.write_all(&delivery.0).await?;
        self.answer().await?;
        Ok(sent)
    }

    async fn answer(&mut self) -> Result<()> {
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the webhook receiver closed the connection");
            }
        };
        let length = content_length(std::str::from_utf8(&self.buffer[..head])?);
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the webhook receiver closed the connection");
            }
        }
        if !self.buffer.starts_with(b"HTTP/1.1 202") {
            bail!("a webhook was not taken: {}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(())
    }
}
