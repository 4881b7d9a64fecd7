//! The dispatcher: claims released stacks, starts one workflow for each, and records what came of it.
//!
//! The claim is in the log before the request is sent, and GitHub is searched before anything is sent twice
//! (design §5). It also asks GitHub what webhooks did not tell: silent workflow runs, pull requests of uploads whose
//! trigger is not known, tags of releases.
//!
//! [`actor`] is asked by the partition's loop; [`pending::run`] settles uploads whose repository is not known, and
//! [`installations::run`] learns the repositories of the App's installations.

mod claim;
pub mod installations;
mod look;
pub mod pending;
mod recover;
mod search;
mod send;
mod work;

use stackwave_domain::Timestamp;
use stackwave_engine::due::earlier;
use stackwave_github::port::{Dispatches, Pulls, Repositories, Runs, Target, Workflows};
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
    /// Looking at pull requests and tags.
    pub pulls: Arc<dyn Pulls>,
    /// Finding repositories.
    pub repositories: Arc<dyn Repositories>,
}

/// How it dispatches.
#[derive(Clone, Debug)]
pub struct Config {
    /// Off: nothing is claimed and nothing sent (`STACKWAVE_DISPATCH`).
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
    repositories: HashMap<stackwave_domain::RepositoryId, Work>,
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
        let Some(target) = target(turn) else {
            installations::find(&self.shared.core, &self.shared.github, work, turn);
            return None;
        };
        let mut again = recover::recover(&self.shared, work, turn, &target);
        if self.shared.config.enabled {
            claim::claim(&self.shared, work, turn, &target);
        }
        again = earlier(again, look::look(&self.shared, work, turn, &target));
        again
    }
}

/// How the repository is reached. While it cannot be, nothing is claimed; a change of the configuration asks again.
fn target(turn: &Turn<'_>) -> Option<Target> {
    let repository = turn.config.repository(turn.repository.id)?;
    let installation = turn.config.installation_of(repository.id)?;
    Some(Target { id: repository.id, name: repository.name.clone(), installation })
}
