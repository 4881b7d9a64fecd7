//! The dispatcher: claims released stacks, starts one workflow for each, and records what came of it.
//!
//! The claim is in the log before the request is sent, and GitHub is searched before anything is sent twice
//! (design §5). It also asks GitHub what webhooks did not tell: silent workflow runs, pull requests of uploads whose
//! trigger is not known, tags of releases, and whatever somebody asks to be looked at; and it has workflow runs cancelled
//! whose run was stopped.
//!
//! [`actor`] is asked by the partition's loop; [`pending::run`] settles uploads whose repository is not known, and
//! [`installations::run`] learns the repositories of the App's installations.

mod cancel;
mod claim;
mod definitions;
pub mod installations;
mod look;
pub mod pending;
mod recover;
mod search;
mod send;
mod trace;
mod work;

use stackwave_domain::{Position, RepositoryId, StreamId, Subject, Timestamp};
use stackwave_engine::due::earlier;
use stackwave_github::port::{Cancels, Dispatches, Pulls, Repositories, Runs, Target, Workflows};
use stackwave_runtime::{
    Actor, Core, PartitionView, Turn,
    batcher::{Batcher, Limits},
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};
use work::Work;

/// Its name in records, logs and health.
pub const ROLE: &str = "dispatcher";

/// The ports to GitHub.
#[derive(Clone)]
pub struct GitHub {
    /// Starting workflows.
    pub dispatches: Arc<dyn Dispatches>,
    /// Reading workflow files.
    pub workflows: Arc<dyn Workflows>,
    /// Looking at workflow runs.
    pub runs: Arc<dyn Runs>,
    /// Stopping workflow runs.
    pub cancels: Arc<dyn Cancels>,
    /// Looking at pull requests and tags.
    pub pulls: Arc<dyn Pulls>,
    /// Finding repositories.
    pub repositories: Arc<dyn Repositories>,
}

/// How it dispatches.
#[derive(Clone, Debug)]
pub struct Config {
    /// Off: nothing is claimed, sent or cancelled (`STACKWAVE_DISPATCH`).
    pub enabled: bool,
    /// For how long GitHub is searched for a dispatch whose outcome is unknown (`STACKWAVE_DISPATCH_GRACE`).
    pub grace: Duration,
}

/// Where the dispatcher finds the state that its tasks look at again: set once the partition's loop has started.
#[derive(Clone, Default)]
pub struct ViewSlot(Arc<OnceLock<PartitionView>>);

impl ViewSlot {
    /// Puts the view in.
    pub fn set(&self, view: PartitionView) {
        // Set once, right after the loop was started; a second view would be of the same partition.
        let _ = self.0.set(view);
    }
}

/// The dispatcher of one partition. Set the slot as soon as the loop has been started with it.
#[must_use]
pub fn actor(core: Core, github: GitHub, config: Config) -> (Box<dyn Actor>, ViewSlot) {
    let view = ViewSlot::default();
    let results = Batcher::new(core.clone(), ROLE, Limits::default());
    let shared = Arc::new(Shared { core, github, config, results, view: view.clone() });
    (Box::new(Dispatcher { shared, repositories: HashMap::new() }), view)
}

/// What every task of the dispatcher needs.
struct Shared {
    core: Core,
    github: GitHub,
    config: Config,
    results: Batcher,
    view: ViewSlot,
}

struct Dispatcher {
    shared: Arc<Shared>,
    repositories: HashMap<RepositoryId, Work>,
}

impl Actor for Dispatcher {
    fn name(&self) -> &'static str {
        ROLE
    }

    fn act(&mut self, turn: &Turn<'_>) -> Option<Timestamp> {
        if turn.repository.halted.is_some() {
            return None;
        }
        let work = self.repositories.entry(turn.repository.id).or_default();
        let Some(target) = target(turn.config, turn.repository.id) else {
            installations::find(&self.shared.core, &self.shared.github, work, turn);
            return None;
        };
        let mut again = recover::recover(&self.shared, work, turn, &target);
        if self.shared.config.enabled {
            again = earlier(again, definitions::keep_fresh(&self.shared, work, turn, &target));
            claim::claim(&self.shared, work, turn, &target);
            again = earlier(again, cancel::cancel(&self.shared, work, turn, &target));
        }
        again = earlier(again, look::look(&self.shared, work, turn, &target));
        again
    }
}

/// How a repository is reached. While it cannot be, nothing is claimed; a change of the configuration asks again.
fn target(config: &stackwave_engine::Config, id: RepositoryId) -> Option<Target> {
    let repository = config.repository(id)?;
    let installation = config.installation_of(id)?;
    Some(Target { id, name: repository.name.clone(), installation })
}

impl Shared {
    /// How a repository is reached now: it may be renamed, and the App installed anew, while a task waits.
    fn target(&self, id: RepositoryId) -> Option<Target> {
        self.core.config.read(|config| target(config, id))
    }

    /// Returns once the state holds everything that lay on the repository's ledger when this was called, as its leader
    /// says. What was decided about a claim while this process slept is then known.
    async fn catch_up(&self, stream: StreamId, id: RepositoryId) -> bool {
        let Some(view) = self.view.0.get() else { return false };
        loop {
            match self.core.log.last(&Subject::ledger(stream, id)).await {
                Ok(last) => {
                    view.wait_for(last.map_or(Position::START, |entry| entry.position)).await;
                    return !self.core.shutdown.is_cancelled();
                }
                Err(error) => {
                    tracing::warn!(%error, "the ledger cannot be read; nothing is sent until it can");
                    tokio::select! {
                        () = self.core.shutdown.cancelled() => return false,
                        () = tokio::time::sleep(Duration::from_secs(1)) => {},
                    }
                }
            }
        }
    }
}
