//! What a dispatcher has under way in one repository. Nothing of it needs to survive: the state tells what is due.

use crate::definitions::{FRESH_FOR, File, FilesOfRuns};
use stackwave_domain::{DispatchId, event::SearchEvidence};
use stackwave_github::port::WorkflowDefinition;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Shared with the tasks. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Work {
    under_way: Arc<Mutex<UnderWay>>,
    /// Wakes the loop that searches: there is something new to search for.
    pub(crate) new_search: Arc<Notify>,
}

#[derive(Default)]
pub(crate) struct UnderWay {
    /// Dispatches that a task of this process sends or searches for.
    pub(crate) tasks: HashSet<DispatchId>,
    /// Results that are being appended and are not folded yet.
    pub(crate) recording: HashSet<DispatchId>,
    /// When this process first saw a claim of somebody else, by its own monotonic clock.
    pub(crate) first_seen: HashMap<(DispatchId, u32), Duration>,
    /// Dispatches whose workflow run is searched for at GitHub.
    pub(crate) searches: BTreeMap<DispatchId, Search>,
    /// The loop that searches runs.
    pub(crate) searching: bool,
    /// A take-over or resend is being appended.
    pub(crate) taking_over: bool,
    /// Dispatches that the budget allows and that were not claimed yet.
    pub(crate) paid: usize,
    /// The budget is being waited for.
    pub(crate) paying: bool,
    /// What workflow files say, as far as they were read.
    pub(crate) definitions: HashMap<File, Definition>,
    /// Files that are being read.
    pub(crate) reading: HashSet<File>,
    /// Which files the active runs need.
    pub(crate) files_of_runs: FilesOfRuns,
    /// The repository's installation is being asked for.
    pub(crate) finding: bool,
    /// How often it was asked for in vain.
    pub(crate) not_found: u32,
    /// A look at GitHub is under way.
    pub(crate) looking: bool,
    /// Looks that failed, by what was looked for: one that fails does not keep the others from being made.
    pub(crate) failed: BTreeMap<Kind, Failed>,
    /// How many runs were asked for one by one, so that each has its turn.
    pub(crate) asked_singly: usize,
    /// Tags that GitHub did not know are not asked for before this, by the monotonic clock.
    pub(crate) tags_after: HashMap<u64, Duration>,
    /// When silent runs were last asked for.
    pub(crate) silent_asked: Option<Duration>,
    /// When failed runs were last asked for.
    pub(crate) failed_asked: Option<Duration>,
    /// The first look of this process was made: what happened while nobody listened is known.
    pub(crate) looked: bool,
    /// Workflow runs are being cancelled.
    pub(crate) cancelling: bool,
    /// None is before this, by the monotonic clock, and how often that failed one after the other.
    pub(crate) cancel_failed: Failed,
}

/// What a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Pull requests of uploads that may be their merge's.
    Pulls,
    /// Uploads whose trigger is not known.
    Uploads,
    /// Commits of releases.
    Tags,
    /// Silent workflow runs.
    Silent,
    /// Workflow runs that failed, and may have been re-run.
    Failed,
    /// What somebody asked to be looked at.
    Resyncs,
    /// Workflow runs that somebody said are a dispatch's.
    Lookups,
}

/// Looks of one kind that failed, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failed {
    /// How many.
    pub(crate) times: u32,
    /// No look before this, by the monotonic clock.
    pub(crate) until: Duration,
}

/// The search for one dispatch's workflow run.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// The claim's epoch: another's take-over ends this search.
    pub(crate) epoch: u32,
    /// The last moment at which a request can have been in flight, by the monotonic clock.
    pub(crate) since: Duration,
    /// How often the runs were listed.
    pub(crate) listings: u32,
    /// How many runs the last listing held.
    pub(crate) runs_seen: u32,
    /// GitHub was searched for long enough after `since`, and nothing was found.
    pub(crate) exhausted: Option<SearchEvidence>,
}

/// A workflow file as it was read.
#[derive(Clone)]
pub(crate) struct Definition {
    /// None when GitHub would not show it: then nothing is known of its inputs.
    pub(crate) known: Option<WorkflowDefinition>,
    /// When it was read, by the monotonic clock.
    pub(crate) read_at: Duration,
}

impl Definition {
    /// Whether a claim may be made from it.
    pub(crate) fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.read_at) < FRESH_FOR
    }
}

impl Work {
    pub(crate) fn lock(&self) -> MutexGuard<'_, UnderWay> {
        // Every change is one insert or assignment: a panic leaves nothing half done.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
