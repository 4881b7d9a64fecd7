//! The state: what all records up to a position say, folded by one pure and total function.
//!
//! `apply` never panics and never refuses a record: what is late, repeated or impossible is classified and changes
//! nothing. Two replicas that folded the same records hold equal states.

mod command;
mod comment;
mod dispatch;
mod evidence;
mod fold;
mod needs;
mod only;
mod packed;
mod past;
mod pull;
mod retention;
mod run;
mod snapshot;
mod stack;
mod trigger;
mod upload;
mod workflow_run;

pub use comment::Comment;
pub use dispatch::{Answer, Cancel, Dispatch, Epoch, Resolved};
pub use needs::Need;
pub use packed::PackedFragment;
pub(crate) use past::median;
pub use past::{Basis, Estimate, Past, Took};
pub use pull::{Activity, Merged, Pull};
pub use run::{Phase, Run};
pub use snapshot::{FORMAT, SnapshotError};
pub use stack::{Call, Orders, Progress, Stack, Stage};
pub use trigger::{MergeGroup, Release, ReleaseActivity};
pub use upload::{BatchKey, Incomplete, Receipt, Upload};
pub use workflow_run::WorkflowRun;

use crate::command::Command;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommandId, CommitSha, Digest, DispatchId, Entry, Position, PrNumber, RepositoryId, RunId, Timestamp,
    WorkflowRunId, WorkspaceId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a record did to the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// It changed it.
    Applied,
    /// It was known already, or is of no interest.
    Known,
    /// Something newer is known.
    Stale,
    /// It cannot follow from what came before; in words.
    Impossible(String),
}

/// The state of one partition at a position of its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    position: Position,
    folded: u64,
    /// It is not swept before so many records were folded.
    #[serde(default)]
    sweep_at: u64,
    /// Shared with copies: a copy costs little, and only what is folded while it lives is copied in truth.
    repositories: BTreeMap<RepositoryId, Arc<RepositoryState>>,
    #[serde(skip)]
    changed: BTreeMap<Position, RepositoryId>,
}

/// Everything about one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryState {
    /// GitHub's id.
    pub id: RepositoryId,
    /// A newer version wrote something that this one does not understand: it must not act on the repository.
    pub halted: Option<String>,
    /// The last record of the repository's ledger that was folded: what a decision or claim expects.
    pub ledger: Position,
    /// The newest time of a record that was folded: due times never go behind it (design §6).
    pub last_at: Timestamp,
    /// Logged decisions that the rules would not have made, by position. They stand; a person should look.
    pub violations: Vec<(Position, String)>,
    /// Pull requests by number.
    pub pulls: BTreeMap<PrNumber, Pull>,
    /// Which of them have a commit as their head or test merge: an upload looks for its own among thousands.
    #[serde(skip)]
    heads: BTreeMap<CommitSha, BTreeSet<PrNumber>>,
    /// Merge queue groups by their synthetic commit.
    pub merge_groups: BTreeMap<CommitSha, MergeGroup>,
    /// Releases by GitHub's id.
    pub releases: BTreeMap<u64, Release>,
    /// Whole uploads by digest.
    pub uploads: BTreeMap<Digest, Upload>,
    uploads_by_sha: BTreeMap<CommitSha, Vec<Digest>>,
    /// Uploads of which chunks are missing.
    pub batches: BTreeMap<BatchKey, Incomplete>,
    finished_batches: BTreeMap<BatchKey, Timestamp>,
    /// Runs by id.
    pub runs: BTreeMap<RunId, Run>,
    #[serde(skip)]
    active: BTreeSet<RunId>,
    /// Dispatches by id, from their claim on.
    pub dispatches: BTreeMap<DispatchId, Dispatch>,
    #[serde(skip)]
    open_claims: BTreeSet<DispatchId>,
    #[serde(skip)]
    in_flight: BTreeSet<DispatchId>,
    #[serde(skip)]
    failed: BTreeSet<DispatchId>,
    #[serde(default)]
    commands: BTreeMap<CommandId, Command>,
    #[serde(skip)]
    pending: BTreeSet<CommandId>,
    /// Workflow runs that are ours, or may be.
    pub workflow_runs: BTreeMap<WorkflowRunId, WorkflowRun>,
    #[serde(skip)]
    unowned_runs: BTreeSet<WorkflowRunId>,
    #[serde(skip)]
    owners: BTreeMap<WorkflowRunId, DispatchId>,
    /// Whether the host names the workflow run in its answer to a dispatch; none before the first answer.
    pub returns_run_ids: Option<bool>,
    /// Our App as the actor of workflow runs, once a run that is certainly ours was seen.
    pub our_actor: Option<String>,
    /// The comments of pull requests.
    pub comments: BTreeMap<(WorkspaceId, PrNumber), Comment>,
    #[serde(skip)]
    changed_pulls: BTreeSet<(Position, PrNumber)>,
    pull_changed: BTreeMap<PrNumber, Position>,
    folded_to: Position,
    /// How long stacks took when they succeeded.
    #[serde(default)]
    pub past: Past,
}

impl State {
    /// How far the stream was folded.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// One repository.
    #[must_use]
    pub fn repository(&self, id: RepositoryId) -> Option<&RepositoryState> {
        self.repositories.get(&id).map(Arc::as_ref)
    }

    /// Every repository that a record named, by id.
    pub fn repositories(&self) -> impl Iterator<Item = &RepositoryState> {
        self.repositories.values().map(Arc::as_ref)
    }

    /// The repositories that a record after `position` named.
    pub fn changed_since(&self, position: Position) -> impl Iterator<Item = RepositoryId> + '_ {
        self.changed.range(position.next()..).map(|(_, repository)| *repository)
    }

    /// Folds one record. A record at or before the state's position changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Class> {
        if entry.position <= self.position {
            return vec![Class::Known; entry.record.events.len()];
        }
        self.position = entry.position;
        self.folded += 1;
        let Some(id) = entry.subject.repository() else {
            if entry.subject.kind() == "checkpoint" {
                // It tells nothing new: it was made of this state, or of one before.
                return vec![Class::Known; entry.record.events.len()];
            }
            return vec![Class::Impossible(format!("`{}` names no repository", entry.subject))];
        };
        let repository = self
            .repositories
            .entry(id)
            .or_insert_with(|| Arc::new(RepositoryState::new(id, entry.record.at)));
        let repository = Arc::make_mut(repository);
        if repository.last_position() != Position::START {
            self.changed.remove(&repository.last_position());
        }
        self.changed.insert(entry.position, id);
        let classes = repository.fold(entry);
        if cfg!(debug_assertions) {
            repository.assert_structure();
        }
        if self.folded >= self.sweep_at.max(retention::SWEEP_EVERY) {
            self.sweep(entry.record.at);
        }
        classes
    }
}

impl RepositoryState {
    fn new(id: RepositoryId, at: Timestamp) -> Self {
        Self {
            id,
            halted: None,
            ledger: Position::START,
            last_at: at,
            violations: Vec::new(),
            pulls: BTreeMap::new(),
            heads: BTreeMap::new(),
            merge_groups: BTreeMap::new(),
            releases: BTreeMap::new(),
            uploads: BTreeMap::new(),
            uploads_by_sha: BTreeMap::new(),
            batches: BTreeMap::new(),
            finished_batches: BTreeMap::new(),
            runs: BTreeMap::new(),
            active: BTreeSet::new(),
            dispatches: BTreeMap::new(),
            open_claims: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            failed: BTreeSet::new(),
            commands: BTreeMap::new(),
            pending: BTreeSet::new(),
            workflow_runs: BTreeMap::new(),
            unowned_runs: BTreeSet::new(),
            owners: BTreeMap::new(),
            returns_run_ids: None,
            our_actor: None,
            comments: BTreeMap::new(),
            changed_pulls: BTreeSet::new(),
            pull_changed: BTreeMap::new(),
            folded_to: Position::START,
            past: Past::default(),
        }
    }

    /// The last record of this repository that was folded.
    #[must_use]
    pub const fn last_position(&self) -> Position {
        self.folded_to
    }

    /// Runs that still dispatch, applies before plans, older before newer.
    #[must_use]
    pub fn active_runs(&self) -> Vec<&Run> {
        let mut runs: Vec<&Run> = self.active.iter().filter_map(|id| self.runs.get(id)).collect();
        runs.sort_by(|a, b| (!a.is_mutating(), a.order()).cmp(&(!b.is_mutating(), b.order())));
        runs
    }

    /// Runs of one pull request, newest last.
    #[must_use]
    pub fn runs_of_pull(&self, number: PrNumber) -> Vec<&Run> {
        let mut runs: Vec<&Run> = self.runs.values().filter(|run| run.pull_request == Some(number)).collect();
        runs.sort_by_key(|run| run.opened.1);
        runs
    }

    /// Claims that have not ended.
    pub fn open_claims(&self) -> impl Iterator<Item = &Dispatch> {
        self.open_claims.iter().filter_map(|id| self.dispatches.get(id))
    }

    /// Dispatches that GitHub took and that have not concluded.
    pub fn in_flight(&self) -> impl Iterator<Item = &Dispatch> {
        self.in_flight.iter().filter_map(|id| self.dispatches.get(id))
    }

    /// Dispatches of active runs that did not end well: a re-run of which nobody told us would revive them.
    pub fn failed(&self) -> impl Iterator<Item = &Dispatch> {
        self.failed.iter().filter_map(|id| self.dispatches.get(id))
    }

    /// Workflow runs that no dispatch owns.
    pub fn unowned_runs(&self) -> impl Iterator<Item = &WorkflowRun> {
        self.unowned_runs.iter().filter_map(|id| self.workflow_runs.get(id))
    }

    pub(crate) fn owners(&self) -> impl Iterator<Item = (WorkflowRunId, &DispatchId)> {
        self.owners.iter().map(|(run, dispatch)| (*run, dispatch))
    }

    /// Whether the two sides of the list of changed pull requests agree; what does not, in words.
    pub(crate) fn check_changes(&self) -> Vec<String> {
        let real: BTreeSet<(Position, PrNumber)> =
            self.pull_changed.iter().map(|(number, position)| (*position, *number)).collect();
        if real == self.changed_pulls {
            return Vec::new();
        }
        vec![format!("the list of changed pull requests is {:?}, it should be {real:?}", self.changed_pulls)]
    }

    /// The dispatch that a workflow run belongs to.
    #[must_use]
    pub fn owner_of(&self, run: WorkflowRunId) -> Option<&Dispatch> {
        self.owners.get(&run).and_then(|id| self.dispatches.get(id))
    }

    /// The pull requests about which something changed after a position.
    pub fn pulls_changed_since(&self, position: Position) -> impl Iterator<Item = PrNumber> + '_ {
        self.changed_pulls.range((position.next(), PrNumber(0))..).map(|(_, number)| *number)
    }

    pub(crate) fn touch_pull(&mut self, position: Position, number: PrNumber) {
        let old = self.pull_changed.insert(number, position);
        if old == Some(position) {
            return;
        }
        if let Some(old) = old {
            self.changed_pulls.remove(&(old, number));
        }
        self.changed_pulls.insert((position, number));
    }

    pub(crate) fn touch_run(&mut self, position: Position, run: &RunId) {
        let Some(run) = self.runs.get_mut(run) else { return };
        run.changed_at = self.last_at;
        if let Some(number) = run.pull_request {
            self.touch_pull(position, number);
        }
    }
}
