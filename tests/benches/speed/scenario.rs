//! What is done to a running service, and how long it takes.

use crate::{
    hook::{Delivery, Hook, Payloads},
    load::{self, Load},
    report::Samples,
    service::{LogKind, LogPlace, Service},
    shapes::Shape,
    sink::{Arrival, Sink},
};
use anyhow::{Context as _, Result};
use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// A dispatch that has not come by then will not.
const PATIENCE: Duration = Duration::from_secs(60);
/// Deliveries that GitHub sends at once.
const CONNECTIONS: usize = 16;

/// Before every single measurement: what the one before left to do is done.
pub(crate) const PAUSE: Duration = Duration::from_millis(15);

/// A service with a GitHub that only answers.
pub(crate) struct Bench<'a> {
    payloads: &'a Payloads,
    // The service ends before its log does.
    pub(crate) service: Service,
    pub(crate) log: LogPlace,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    pulls: u64,
    _sink: Sink,
}

impl<'a> Bench<'a> {
    pub(crate) async fn start(executable: &Path, kind: LogKind, payloads: &'a Payloads) -> Result<Self> {
        let log = LogPlace::fresh(kind).await?;
        let (sink, arrivals) = Sink::start(payloads.known.clone()).await?;
        let service = Service::start(executable, &log, &sink, payloads).await?;
        Ok(Self { payloads, service, log, arrivals, pulls: 0, _sink: sink })
    }

    /// Opens a pull request and uploads its affected stacks; tells when the upload began.
    async fn open(&mut self, shape: &Shape) -> Result<Instant> {
        self.pulls += 1;
        let head = format!("{:040x}", 0xabc_0000 + self.pulls);
        let mut hook = self.hook().await?;
        hook.send(&self.payloads.opened(self.pulls, &head)).await?;
        self.service.upload(shape.upload(&head, &"b".repeat(40))).await
    }

    async fn hook(&self) -> Result<Hook> {
        Hook::connect(self.service.http).await
    }

    async fn arrival(&mut self) -> Result<Arrival> {
        timeout(PATIENCE, self.arrivals.recv())
            .await
            .context("no dispatch came within a minute")?
            .context("the simulated GitHub ended")
    }

    async fn arrivals(&mut self, count: usize) -> Result<Vec<Arrival>> {
        let mut arrivals = Vec::with_capacity(count);
        for _ in 0..count {
            arrivals.push(self.arrival().await?);
        }
        Ok(arrivals)
    }

    fn completed(&self, arrival: &Arrival) -> Delivery {
        self.payloads.completed(arrival.run, &arrival.title)
    }

    /// Completes runs whose time is not taken, so that they are out of the way.
    async fn complete_all(&self, arrivals: &[Arrival]) -> Result<()> {
        let outbox = self.outbox().await?;
        for arrival in arrivals {
            outbox.send(self.completed(arrival));
        }
        outbox.finish().await
    }

    async fn outbox(&self) -> Result<Outbox> {
        let mut hooks = Vec::new();
        for _ in 0..CONNECTIONS {
            hooks.push(self.hook().await?);
        }
        Ok(Outbox::new(hooks))
    }
}

/// From a parent's `workflow_run.completed` to the arrival of its child's dispatch, along a chain.
pub(crate) async fn latency(
    bench: &mut Bench<'_>,
    load: Load,
    count: usize,
    times: &mut Samples,
) -> Result<()> {
    let mut hook = bench.hook().await?;
    let background = load::start(bench.service.http, load, bench.payloads).await?;
    bench.open(&Shape::chain(count + 1)).await?;
    let mut parent = bench.arrival().await?;
    for _ in 0..count {
        tokio::time::sleep(PAUSE).await;
        let sent = hook.send(&bench.completed(&parent)).await?;
        parent = bench.arrival().await?;
        times.push(parent.at.saturating_duration_since(sent));
    }
    hook.send(&bench.completed(&parent)).await?;
    drop(background);
    Ok(())
}

/// Dispatches per second when one stack's success releases `width` others.
pub(crate) async fn fan_out(bench: &mut Bench<'_>, width: usize) -> Result<f64> {
    let mut hook = bench.hook().await?;
    bench.open(&Shape::fan_out(width)).await?;
    let root = bench.arrival().await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let sent = hook.send(&bench.completed(&root)).await?;
    let leaves = bench.arrivals(width).await?;
    let last = leaves.iter().map(|leaf| leaf.at).max().unwrap_or(sent);
    bench.complete_all(&leaves).await?;
    Ok(per_second(width, last.saturating_duration_since(sent)))
}

/// Dispatches per second through layers in which every stack waits for the whole layer above, each workflow ending as
/// soon as it was started.
pub(crate) async fn layers(bench: &mut Bench<'_>, layers: usize, width: usize) -> Result<f64> {
    let outbox = bench.outbox().await?;
    bench.open(&Shape::layers(layers, width)).await?;
    let mut first = None;
    let mut last = None;
    for _ in 0..layers * width {
        let arrival = bench.arrival().await?;
        first = first.or(Some(arrival.at));
        last = Some(arrival.at);
        outbox.send(bench.completed(&arrival));
    }
    outbox.finish().await?;
    let (first, last) = (first.context("no layers")?, last.context("no layers")?);
    Ok(per_second(layers * width, last.saturating_duration_since(first)))
}

/// From the start of an upload to the arrival of its first dispatch.
pub(crate) async fn upload(bench: &mut Bench<'_>, shape: &Shape) -> Result<Duration> {
    let began = bench.open(shape).await?;
    let first = bench.arrival().await?;
    Ok(first.at.saturating_duration_since(began))
}

/// Lets every stack of a shape live its whole life, with every webhook that GitHub sends of it.
pub(crate) async fn live(bench: &mut Bench<'_>, shape: &Shape) -> Result<()> {
    bench.open(shape).await?;
    let outbox = bench.outbox().await?;
    for _ in 0..shape.stacks {
        let arrival = bench.arrival().await?;
        outbox.send_all(bench.payloads.life(arrival.run, &arrival.title));
    }
    outbox.finish().await?;
    // The last conclusions are folded, and the run is ended.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Sends deliveries over several connections, those of one workflow run in order over one of them.
struct Outbox {
    lanes: Vec<mpsc::UnboundedSender<VecDeque<Delivery>>>,
    next: std::cell::Cell<usize>,
    senders: JoinSet<Result<()>>,
}

impl Outbox {
    fn new(hooks: Vec<Hook>) -> Self {
        let mut senders = JoinSet::new();
        let mut lanes = Vec::new();
        for mut hook in hooks {
            let (lane, mut waiting) = mpsc::unbounded_channel::<VecDeque<Delivery>>();
            lanes.push(lane);
            senders.spawn(async move {
                while let Some(deliveries) = waiting.recv().await {
                    for delivery in deliveries {
                        hook.send(&delivery).await?;
                    }
                }
                Ok(())
            });
        }
        Self { lanes, next: std::cell::Cell::new(0), senders }
    }

    fn send(&self, delivery: Delivery) {
        self.send_all(vec![delivery]);
    }

    fn send_all(&self, deliveries: Vec<Delivery>) {
        let lane = self.next.get();
        self.next.set((lane + 1) % self.lanes.len());
        // A lane that has ended says why when the outbox is finished.
        let _ = self.lanes[lane].send(deliveries.into());
    }

    /// Waits until everything was sent and taken.
    async fn finish(self) -> Result<()> {
        let Self { lanes, mut senders, .. } = self;
        drop(lanes);
        while let Some(sender) = senders.join_next().await {
            sender??;
        }
        Ok(())
    }
}
