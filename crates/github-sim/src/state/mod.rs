//! The one state. Its methods change it and collect [`Effect`]s; sending and waiting is done by the shell around it.

mod access;
mod check;
mod comment;
mod delivery;
mod dispatch;
mod emit;
mod merge_group;
mod pull;
mod push;
mod read;
mod release;
mod repository;
mod request;
mod run;
mod run_life;
mod user;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

pub use self::{
    access::{Installation, Token},
    check::CheckRun,
    comment::Comment,
    delivery::{Delivery, Fate},
    dispatch::{Dispatch, DispatchOutcome},
    merge_group::{MergeGroup, MergeGroupEnd},
    pull::{NewPullRequest, PullRequest, PullState},
    release::{NewRelease, Release},
    repository::{Commit, NewRepository, Repository, Workflow},
    request::{Credential, Reply, Request},
    run::{Conclusion, Job, Run, RunStatus},
    user::{User, UserKind},
};
pub(crate) use self::{
    comment::BODY_LIMIT,
    emit::Draft,
    push::ZERO,
    run::Listed,
    run_life::{NewRun, Step},
};
use crate::{
    config::SimConfig, faults::Faults, outcome::Outcomes, seed::Seed, urls::Urls, workflow::Definition,
};

/// GitHub's numeric id of a repository: it survives renames, so everything is keyed by it.
pub type RepositoryId = u64;
/// GitHub's id of a workflow run. Larger than 32 bits, as at GitHub.
pub type RunId = u64;
/// Number of a pull request within its repository.
pub type PullNumber = u64;
/// GitHub's id of an issue comment.
pub type CommentId = u64;
/// A full commit hash, 40 hexadecimal digits.
pub type Sha = String;

/// Everything that the simulated GitHub knows, and what happened to it.
#[derive(Debug)]
pub struct State {
    pub(crate) config: SimConfig,
    pub(crate) urls: Urls,
    pub(crate) seed: Seed,
    pub(crate) faults: Faults,
    pub(crate) outcomes: Outcomes,
    pub(crate) repositories: BTreeMap<RepositoryId, Repository>,
    pub(crate) names: BTreeMap<String, RepositoryId>,
    /// Names that a repository had before, in lower case.
    pub(crate) moved: BTreeMap<String, RepositoryId>,
    /// What each workflow file says, by its text: read when it is committed, not with every dispatch.
    pub(crate) definitions: HashMap<Arc<str>, Result<Arc<Definition>, String>>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) comments: BTreeMap<CommentId, Comment>,
    pub(crate) check_runs: BTreeMap<u64, CheckRun>,
    pub(crate) installations: BTreeMap<u64, Installation>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) dispatches: Vec<Dispatch>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) requests: Vec<Request>,
    pub(crate) reordered: HashMap<String, Vec<u64>>,
    /// Deliveries that something still happens to.
    pub(crate) unsettled: usize,
    effects: Vec<Effect>,
    counter: u64,
}

/// Something that the shell has to do after a change.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Send a delivery of the log, in its lane, after this time.
    Deliver { delivery: u64, lane: String, after: Duration },
    /// Move an attempt of a run on.
    Step { run: RunId, attempt: u64, step: Step, after: Duration },
    /// Send what a reordering fault holds back in this lane, should no other webhook have passed it.
    ReleaseReordered { lane: String, after: Duration },
}

impl State {
    pub(crate) fn new(config: SimConfig, urls: Urls) -> Self {
        let mut state = Self {
            seed: Seed(config.seed),
            faults: Faults::default(),
            outcomes: Outcomes::default(),
            repositories: BTreeMap::new(),
            names: BTreeMap::new(),
            moved: BTreeMap::new(),
            definitions: HashMap::new(),
            runs: BTreeMap::new(),
            comments: BTreeMap::new(),
            check_runs: BTreeMap::new(),
            installations: BTreeMap::new(),
            tokens: HashMap::new(),
            dispatches: Vec::new(),
            deliveries: Vec::new(),
            requests: Vec::new(),
            reordered: HashMap::new(),
            unsettled: 0,
            effects: Vec::new(),
            counter: 0,
            config,
            urls,
        };
        let (id, account) = (state.config.installation_id, state.config.account.clone());
        state.add_installation(id, &account);
        state
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// A number that was not handed out before.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A commit hash that was not handed out before.
    pub(crate) fn next_sha(&mut self) -> Sha {
        let number = self.next().to_string();
        self.seed.sha(&["commit", &number])
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
