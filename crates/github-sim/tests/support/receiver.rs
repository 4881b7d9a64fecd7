//! A receiver of webhooks.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::Value;
use tokio::sync::watch;

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// `event` or `event.action`.
    pub(crate) fn kind(&self) -> String {
        let event = self.header("x-github-event");
        self.json()["action"].as_str().map_or_else(|| event.to_owned(), |action| format!("{event}.{action}"))
    }
}

/// Takes every webhook and answers 202.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: watch::Receiver<Vec<Received>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let (sender, received) = watch::channel(Vec::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
        let app = Router::new().route("/webhooks/github", post(take)).with_state(Arc::new(sender));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, received }
    }

    /// What has arrived once there are so many.
    pub(crate) async fn wait_for(&mut self, count: usize) -> Vec<Received> {
        let enough = self.received.wait_for(|all| all.len() >= count);
        tokio::time::timeout(Duration::from_secs(10), enough)
            .await
            .expect("too few webhooks came")
            .unwrap()
            .clone()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.received.borrow().iter().map(Received::kind).collect()
    }
}

async fn take(
    State(sender): State<Arc<watch::Sender<Vec<Received>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> &'static str {
    sender.send_modify(|all| all.push(Received { headers, body }));
    ""
}
