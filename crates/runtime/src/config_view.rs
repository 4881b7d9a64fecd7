//! The configuration stream, followed and folded once a process.

use crate::{
    health::Health,
    snapshots::{Keeper, SnapshotPolicy},
    start,
};
use futures::StreamExt as _;
use stackwave_domain::{Position, StreamId};
use stackwave_engine::Config;
use stackwave_event_log::{EventLog, LogError};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A handle to the folded configuration. Cheap to clone.
#[derive(Clone)]
pub struct ConfigView {
    config: Arc<RwLock<Config>>,
    position: watch::Receiver<Position>,
}

/// The task's name in the health report.
const PART: &str = "configuration";

impl ConfigView {
    /// Starts to follow the configuration stream, and returns when everything that was in it has been folded.
    ///
    /// # Errors
    /// The log cannot be followed.
    pub async fn start(
        log: Arc<dyn EventLog>,
        health: &Health,
        shutdown: CancellationToken,
    ) -> Result<Self, LogError> {
        Self::start_with(log, health, shutdown, SnapshotPolicy::default()).await
    }

    /// Likewise, with snapshots stored in another rhythm.
    ///
    /// # Errors
    /// The log cannot be followed.
    pub async fn start_with(
        log: Arc<dyn EventLog>,
        health: &Health,
        shutdown: CancellationToken,
        snapshots: SnapshotPolicy,
    ) -> Result<Self, LogError> {
        health.not_ready(PART, "is being read");
        let start = start::of_config::<Config>(log.as_ref()).await?;
        let mut keeper = Keeper::new(Arc::clone(&log), StreamId::Config, snapshots);
        keeper.start(start.tip);
        let (moved, position) = watch::channel(start.origin.position());
        let config = Arc::new(RwLock::new(start.state));
        let goal = log.last_position(StreamId::Config).await?;
        let follower = Follower { log, config: Arc::clone(&config), moved, keeper };
        tokio::spawn(follower.run(health.clone(), shutdown));
        let view = Self { config, position };
        view.wait_for(goal).await;
        health.ready(PART);
        Ok(view)
    }

    /// Reads something out of the configuration.
    pub fn read<T>(&self, read: impl FnOnce(&Config) -> T) -> T {
        // A panic during a fold would leave a half-applied record; folding is total, so there is none.
        read(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the configuration was folded up to a position.
    pub async fn wait_for(&self, position: Position) {
        let mut watch = self.position.clone();
        // The sender lives as long as the process drains; after that nobody needs the configuration.
        let _ = watch.wait_for(|folded| *folded >= position).await;
    }

    /// Follows changes: wakes whenever something was folded.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }
}

struct Follower {
    log: Arc<dyn EventLog>,
    config: Arc<RwLock<Config>>,
    moved: watch::Sender<Position>,
    keeper: Keeper,
}

impl Follower {
    async fn run(mut self, health: Health, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let error = tokio::select! {
                () = shutdown.cancelled() => return,
                error = self.fold_all() => error,
            };
            tracing::error!(%error, "the configuration stream cannot be followed; trying again");
            health.not_ready(PART, error.to_string());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn fold_all(&mut self) -> LogError {
        let from = self.moved.borrow().next();
        let mut entries = match self.log.follow(StreamId::Config, from).await {
            Ok(entries) => entries,
            Err(error) => return error,
        };
        while let Some(batch) = entries.next().await {
            let mut batch = match batch {
                Ok(batch) => batch,
                Err(error) => return error,
            };
            if let Err(error) = crate::stow::hydrate(&self.log, &mut batch).await {
                return error;
            }
            let Some(last) = batch.last() else { continue };
            {
                let mut config = self.config.write().unwrap_or_else(PoisonError::into_inner);
                for entry in &batch {
                    config.apply(entry);
                }
            }
            self.moved.send_replace(last.position);
            self.keeper.folded(batch.len(), &last.record.id);
            if self.keeper.is_due() {
                let copy = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
                self.keeper.store(copy.position(), copy);
            }
        }
        LogError::Unavailable("the stream ended".to_owned())
    }
}
