//! What is looked at now and then: how far everything is behind, what the states hold, and what the log takes.

mod growth;
mod lag;
mod states;

use crate::{
    metrics::{Budget, Metrics, ReadModel, clamped},
    process,
};
use futures::future::BoxFuture;
use growth::Growth;
use lag::Lags;
use stackwave_domain::{Position, StreamId};
use stackwave_runtime::{Acting, Core, PartitionView};
use states::States;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often lag is looked at, whether or not anybody asks for metrics.
const EVERY: Duration = Duration::from_secs(5);
/// How often the log is asked for its figures: they cost it a few requests.
const GROWTH_EVERY: Duration = Duration::from_secs(30);
/// Whoever asks for metrics more often than this gets the same figures again.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// A log that does not answer within this is out of reach.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells what the budgets have left.
pub type Budgets = Box<dyn Fn() -> Vec<Budget> + Send + Sync>;

/// Asks the read model how it does; none when there is none.
pub type ReadModels = Box<dyn Fn() -> BoxFuture<'static, Option<ReadModel>> + Send + Sync>;

/// What is looked at.
pub struct Watched {
    /// The process.
    pub core: Core,
    /// The folded partitions.
    pub partitions: Vec<PartitionView>,
    /// The roles that follow them.
    pub services: Vec<String>,
    /// Those of them whose work is spread by leases.
    pub spread: Vec<String>,
    /// Which of it is this process's.
    pub acting: Acting,
    /// What the budgets have left.
    pub budgets: Budgets,
    /// How the read model does.
    pub read_model: ReadModels,
}

/// Looks, and keeps the metrics of what it saw.
pub struct Sampler {
    metrics: Arc<Metrics>,
    watched: Watched,
    lags: Mutex<Lags>,
    states: Arc<Mutex<States>>,
    growth: tokio::sync::Mutex<Growth>,
    refreshed: tokio::sync::Mutex<Option<Instant>>,
}

impl Sampler {
    /// A sampler; nothing is looked at yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, watched: Watched) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            watched,
            lags: Mutex::default(),
            states: Arc::default(),
            growth: tokio::sync::Mutex::default(),
            refreshed: tokio::sync::Mutex::default(),
        })
    }

    /// Looks again and again until the process drains.
    pub async fn run(self: Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut grown: Option<Instant> = None;
        loop {
            tokio::select! {
                () = self.watched.core.shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            self.look_at_lags().await;
            if grown.is_none_or(|grown| grown.elapsed() >= GROWTH_EVERY) {
                grown = Some(Instant::now());
                self.look_at_growth().await;
            }
        }
    }

    /// Looks at everything that is cheap, for whoever asks for metrics.
    pub async fn refresh(&self) {
        let mut refreshed = self.refreshed.lock().await;
        if refreshed.is_some_and(|at| at.elapsed() < AT_MOST_EVERY) {
            return;
        }
        self.look_at_lags().await;
        self.look_at_states().await;
        self.look_at_process();
        if self.metrics.log_disk.get(&Vec::new()).is_none() {
            self.look_at_growth().await;
        }
        *refreshed = Some(Instant::now());
    }

    async fn look_at_lags(&self) {
        let mut reached = true;
        for view in &self.watched.partitions {
            let folded = view.read(stackwave_engine::State::position);
            reached &= self.look_at_lag(view.stream(), folded, &self.watched.services).await;
        }
        let folded = self.watched.core.config.read(stackwave_engine::Config::position);
        reached &= self.look_at_lag(StreamId::Config, folded, &["configuration".to_owned()]).await;
        self.metrics.log_up.get_or_create(&Vec::new()).set(i64::from(reached));
    }

    /// Whether the log answered.
    async fn look_at_lag(&self, stream: StreamId, folded: Position, services: &[String]) -> bool {
        let partition = stream.to_string();
        self.metrics
            .fold_position
            .get_or_create(&vec![("partition", partition.clone())])
            .set(clamped(folded.0));
        let last = match timeout(PATIENCE, self.watched.core.log.last_position(stream)).await {
            Ok(Ok(last)) => Some(last),
            Ok(Err(_)) | Err(_) => None,
        };
        let lag = self.lags.lock().unwrap_or_else(PoisonError::into_inner).look(
            stream,
            folded,
            last,
            Instant::now(),
        );
        for service in services {
            let labels = vec![("service", service.clone()), ("partition", partition.clone())];
            self.metrics.lag_records.get_or_create(&labels).set(clamped(lag.records));
            self.metrics.lag_seconds.get_or_create(&labels).set(lag.behind_for.as_secs_f64());
        }
        last.is_some()
    }

    /// On a thread that may be busy: there may be many runs. Each partition's state is held for one run at a time only.
    async fn look_at_states(&self) {
        let (views, states) = (self.watched.partitions.clone(), Arc::clone(&self.states));
        let (metrics, now) = (Arc::clone(&self.metrics), self.watched.core.clock.now());
        let looking = tokio::task::spawn_blocking(move || {
            states.lock().unwrap_or_else(PoisonError::into_inner).look(&views, now, &metrics);
        });
        if looking.await.is_err() {
            tracing::error!("the states could not be counted");
        }
        let pending = self.watched.core.config.read(|config| config.pending_uploads().count());
        self.metrics.uploads_parked.get_or_create(&Vec::new()).set(clamped(pending as u64));
    }

    fn look_at_process(&self) {
        self.metrics.budgets(&(self.watched.budgets)());
        self.look_at_leases();
        process::look(&self.metrics);
        let report = self.watched.core.health.report();
        let tell = |part: &str, ready: bool| {
            self.metrics.ready.get_or_create(&vec![("part", part.to_owned())]).set(i64::from(ready));
        };
        tell("all", report["ready"].as_bool().unwrap_or_default());
        for (part, said) in report["parts"].as_object().into_iter().flatten() {
            tell(part, said.as_str() == Some("ready"));
        }
    }

    fn look_at_leases(&self) {
        for view in &self.watched.partitions {
            for service in &self.watched.spread {
                let acts = self.watched.acting.acts(service, view.stream());
                let labels = vec![("service", service.clone()), ("partition", view.stream().to_string())];
                self.metrics.lease_held.get_or_create(&labels).set(i64::from(acts));
            }
        }
    }

    async fn look_at_growth(&self) {
        self.look_at_snapshots().await;
        if let Some(model) = (self.watched.read_model)().await {
            self.metrics.read_model(&model);
        }
        let Ok(Ok(stats)) = timeout(PATIENCE * 5, self.watched.core.log.upkeep().stats()).await else {
            return;
        };
        self.growth.lock().await.look(&stats, &self.metrics);
    }

    async fn look_at_snapshots(&self) {
        let mut growth = self.growth.lock().await;
        for view in &self.watched.partitions {
            let listing = self.watched.core.log.snapshots().list(view.stream());
            let Ok(Ok(stored)) = timeout(PATIENCE, listing).await else { continue };
            let newest = stored.iter().map(|snapshot| snapshot.position).max();
            growth.look_at_snapshot(view.stream(), newest.unwrap_or_default(), &self.metrics);
        }
    }
}
