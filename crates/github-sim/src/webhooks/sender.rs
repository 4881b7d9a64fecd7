//! The client that sends.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::sync::Semaphore;

use super::{lanes::Lanes, request::Parts};
use crate::handle::GitHub;

type Body = BoxBody<Bytes, std::convert::Infallible>;

/// Sends deliveries over connections that are kept open.
pub(crate) struct Sender {
    client: Client<HttpConnector, Body>,
    lanes: Lanes,
    permits: Semaphore,
}

impl Sender {
    pub(crate) fn new(connections: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            lanes: Lanes::default(),
            permits: Semaphore::new(connections.max(1)),
        }
    }

    async fn post(
        &self,
        request: Request<Bytes>,
        sent: Arc<OnceLock<Instant>>,
        within: Duration,
    ) -> Result<u16, String> {
        let request = request.map(|body| {
            let stamp = move |frame| {
                sent.get_or_init(Instant::now);
                frame
            };
            Full::new(body).map_frame(stamp).boxed()
        });
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| full_text(&error))?;
            let status = response.status().as_u16();
            // Read to the end, or the connection cannot be used again.
            response.into_body().collect().await.map_err(|error| full_text(&error))?;
            Ok(status)
        };
        tokio::time::timeout(within, exchange).await.unwrap_or_else(|_| Err("timed out".into()))
    }
}

fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl GitHub {
    /// Puts a delivery into its lane.
    pub(crate) fn enqueue(&self, delivery: u64, lane: String) {
        if self.shared.sender.lanes.push(&lane, delivery) {
            let github = self.clone();
            self.spawn(async move { github.drain(&lane).await });
        }
    }

    async fn drain(&self, lane: &str) {
        let sender = &self.shared.sender;
        while let Some(delivery) = sender.lanes.pop(lane) {
            let Ok(_permit) = sender.permits.acquire().await else { return };
            if self.shared.gate.is_closed() {
                return;
            }
            self.send(delivery).await;
        }
    }

    async fn send(&self, delivery: u64) {
        let (parts, within) =
            self.read(|state| (Parts::of(state, delivery), state.config.webhooks.answer_within));
        let sent = Arc::new(OnceLock::new());
        let answer = match parts.map(Parts::request) {
            None => Err("there is no webhook URL".into()),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(request)) => self.shared.sender.post(request, sent.clone(), within).await,
        };
        let answered = Instant::now();
        self.change(|state| {
            if let Some(delivery) = state.delivery_mut(delivery) {
                delivery.sent = sent.get().copied();
                delivery.answered = Some(answered);
                delivery.answer = Some(answer);
            }
            state.settle_delivery(delivery);
        });
    }
}
