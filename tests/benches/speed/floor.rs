//! The floor of the time from webhook to dispatch: the same exchanges and appends, one after the other, with nothing
//! in between that decides.

use crate::{
    hook::{Delivery, FOREIGN, Hook, Payloads},
    load::{self, Load},
    report::Samples,
    scenario::PAUSE,
    service::LogPlace,
    sink::Sink,
};
use anyhow::{Context as _, Result};
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use futures::StreamExt as _;
use serde_json::json;
use stackwave_domain::{Position, Record, RecordId, RepositoryId, StreamId, Subject, codec};
use stackwave_event_log::{Append, Entries, EventLog};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

static RECORDS: AtomicU64 = AtomicU64::new(0);

/// 3 appends, 2 deliveries through a follower, 2 HTTP exchanges.
pub(crate) struct Floor<'a> {
    payloads: &'a Payloads,
    log: Arc<dyn EventLog>,
    follower: Entries,
    receiver: SocketAddr,
    serving: JoinHandle<()>,
    hook: Hook,
    client: reqwest::Client,
    url: String,
    ledger: Position,
    templates: Templates,
    _sink: Sink,
}

impl<'a> Floor<'a> {
    pub(crate) async fn start(place: &LogPlace, payloads: &'a Payloads) -> Result<Self> {
        let templates = Templates::read()?;
        let log = place.open(true).await?;
        let (sink, _arrivals) = Sink::start(payloads.known.clone()).await?;
        let (receiver, serving) = receiver(Arc::clone(&log), templates.observed.clone()).await?;
        Ok(Self {
            payloads,
            follower: log.follow(StreamId::Partition(0), Position::START.next()).await?,
            log,
            receiver,
            serving,
            hook: Hook::connect(receiver).await?,
            client: reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?,
            url: format!("{}/repos/acme/landing-zone/actions/workflows/tf-plan.yaml/dispatches", sink.url),
            ledger: Position::START,
            templates,
            _sink: sink,
        })
    }

    pub(crate) async fn measure(&mut self, load: Load, count: usize, times: &mut Samples) -> Result<()> {
        let background = load::start(self.receiver, load, self.payloads).await?;
        let delivery = self.payloads.completed(1, "plan l000-00/prod/0123456789abcdef");
        for _ in 0..count {
            tokio::time::sleep(PAUSE).await;
            times.push(self.once(&delivery).await?);
        }
        drop(background);
        Ok(())
    }
}

impl Drop for Floor<'_> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Floor<'_> {
    async fn once(&mut self, delivery: &Delivery) -> Result<Duration> {
        let sent = self.hook.send(delivery).await?;
        let observed = fresh(&self.templates.observed);
        let observed = self.log.append(Append::any(observations(), observed)).await?;
        self.delivered(observed.receipt.position).await?;
        let released = self.decide(fresh(&self.templates.released)).await?;
        self.delivered(released).await?;
        self.decide(fresh(&self.templates.claimed)).await?;
        let body = json!({
            "ref": "main", "return_run_details": true,
            "inputs": {
                "component": "l000-00", "stack": "prod", "sha": "72d76fbc60756b9510c0ddcc445fcb74fc9f4d7d",
                "atmos_pro_run_id": "0123456789abcdef",
            },
        });
        let answer = self.client.post(&self.url).bearer_auth("ghs_benchmark").json(&body).send().await?;
        answer.bytes().await?;
        Ok(sent.elapsed())
    }

    async fn decide(&mut self, record: Record) -> Result<Position> {
        let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(1));
        let append = Append::after(subject, record, self.ledger);
        self.ledger = self.log.append(append).await?.receipt.position;
        Ok(self.ledger)
    }

    async fn delivered(&mut self, position: Position) -> Result<()> {
        loop {
            let batch = self.follower.next().await.context("the follower ended")??;
            if batch.last().is_some_and(|entry| entry.position >= position) {
                return Ok(());
            }
        }
    }
}

/// Takes webhooks and answers; those of the background are appended, as the service's are.
async fn receiver(log: Arc<dyn EventLog>, observed: Record) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let take = move |headers: axum::http::HeaderMap, body: Bytes| {
        let (log, observed) = (Arc::clone(&log), fresh(&observed));
        async move {
            let is_background = body.windows(FOREIGN.len()).any(|bytes| bytes == FOREIGN.as_bytes());
            if is_background {
                let append = Append::any(observations(), observed);
                if log.append(append).await.is_err() {
                    return (StatusCode::SERVICE_UNAVAILABLE, String::new());
                }
            }
            let id = headers.get("x-github-delivery").and_then(|id| id.to_str().ok()).unwrap_or_default();
            let data = json!({ "delivery": id, "outcome": "stored", "position": 1 });
            (StatusCode::ACCEPTED, json!({ "status": 202, "success": true, "data": data }).to_string())
        }
    };
    let app = Router::new().route("/webhooks/github", post(take));
    let serving = tokio::spawn(async move {
        use axum::serve::ListenerExt as _;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("the receiver of the floor ended: {error}");
        }
    });
    Ok((address, serving))
}

fn observations() -> Subject {
    Subject::github(StreamId::Partition(0), RepositoryId(1), "workflow_run")
}

/// Records as large as the service's: the samples that `domain` keeps.
#[derive(Clone)]
struct Templates {
    observed: Record,
    released: Record,
    claimed: Record,
}

impl Templates {
    fn read() -> Result<Self> {
        Ok(Self {
            observed: codec::decode(include_bytes!(
                "../../../crates/domain/samples/workflow_run_observed.v1.json"
            ))?,
            released: codec::decode(include_bytes!("../../../crates/domain/samples/stack_released.v1.json"))?,
            claimed: codec::decode(include_bytes!(
                "../../../crates/domain/samples/dispatch_claimed.v1.json"
            ))?,
        })
    }
}

/// The same record under an id of its own.
fn fresh(template: &Record) -> Record {
    let number = RECORDS.fetch_add(1, Ordering::Relaxed);
    Record { id: RecordId::new(format!("{number:032x}")), ..template.clone() }
}
