//! A running service, and deliveries as GitHub sends them.

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../../../ingest-api/tests/it/support/memory_log.rs"]
pub(crate) mod memory_log;

use memory_log::MemoryLog;
use secrecy::SecretString;
use serde_json::{Value, json};
use stackwave_domain::{Entry, StreamId};
use stackwave_github::signature::{Secrets, sign};
use stackwave_runtime::{ConfigView, Core, Health, Ids, SystemClock};
use stackwave_webhook_receiver::Config;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) const SECRET: &str = "It's a Secret to Everybody";
pub(crate) const OLD_SECRET: &str = "the one before";
pub(crate) const PARTITION: StreamId = StreamId::Partition(0);

pub(crate) struct Service {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) core: Core,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

/// An answer whose JSON was checked.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let log = MemoryLog::new();
        let shutdown = CancellationToken::new();
        let health = Health::default();
        let config = ConfigView::start(log.clone(), &health, shutdown.clone()).await.unwrap();
        let clock = Arc::new(SystemClock::default());
        let core = Core {
            log: log.clone(),
            clock,
            ids: Ids::default(),
            health,
            config,
            shutdown,
            tasks: TaskTracker::new(),
        };
        let secrets = Secrets::new([SecretString::from(OLD_SECRET), SecretString::from(SECRET)]).unwrap();
        let mut config = Config::new(secrets);
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
        tokio::spawn(stackwave_webhook_receiver::run(core.clone(), config, listener));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { log, core, url, client }
    }

    /// A delivery as GitHub sends it.
    pub(crate) fn delivery(&self, event: &str, id: &str, body: &[u8]) -> reqwest::RequestBuilder {
        let signature = sign(&SecretString::from(SECRET), body);
        let request = self.client.post(&self.url).header("X-Hub-Signature-256", signature);
        let request = request.header("X-GitHub-Event", event).header("X-GitHub-Delivery", id);
        request.header("Content-Type", "application/json").body(body.to_vec())
    }

    pub(crate) async fn deliver(&self, event: &str, id: &str, payload: &Value) -> Answer {
        send(self.delivery(event, id, &serde_json::to_vec(payload).unwrap())).await
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.log.entries(PARTITION)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.core.shutdown.cancel();
    }
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], json!(status), "{body}");
    assert_eq!(body["success"], json!(status == 202), "{body}");
    assert_eq!(body["traceId"].as_str().map(str::len), Some(32), "{body}");
    Answer { status, body }
}

/// Waits until something holds, and fails if it never does.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "it never came to this: {what}");
        tokio::task::yield_now().await;
    }
}

pub(crate) fn repository() -> Value {
    json!({ "id": 4217, "name": "infra", "full_name": "acme/infra", "default_branch": "main", "owner": { "login": "acme" } })
}

/// A `workflow_run` webhook of a dispatched run.
pub(crate) fn workflow_run(id: u64) -> Value {
    json!({
        "action": "completed",
        "repository": repository(),
        "installation": { "id": 7 },
        "workflow_run": {
            "id": id, "run_attempt": 1, "path": ".github/workflows/tf-plan.yaml", "display_title": "plan",
            "event": "workflow_dispatch", "status": "completed", "conclusion": "success", "head_branch": "main",
            "head_sha": "72d76fbc60756b9510c0ddcc445fcb74fc9f4d7d", "actor": { "login": "stackwave[bot]" },
            "created_at": "2026-06-09T10:00:00Z", "updated_at": "2026-06-09T10:01:00Z",
            "html_url": "https://github.com/acme/infra/actions/runs/1"
        }
    })
}
