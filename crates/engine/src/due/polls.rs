//! What GitHub has to be asked, because its webhook is late, lost, or was never enough.

use super::{Due, earlier};
use crate::{
    command::Ask,
    state::{Answer, Dispatch, Pull, RepositoryState, Run, Upload},
};
use jiff::SignedDuration;
use stackwave_domain::{
    CommandId, CommitSha, DispatchId, GitRef, PrNumber, RunId, Timestamp, WorkflowRunId, event::Resolution,
};
use std::collections::BTreeSet;

/// An upload without a trigger is looked up after this …
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(20);
/// … then so often …
const NEXT_LOOK: SignedDuration = SignedDuration::from_mins(2);
/// … for so long.
const LOOK_FOR: SignedDuration = SignedDuration::from_hours(1);
/// A dispatch of which nothing was heard for this long is asked for.
pub(crate) const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(20);

/// Questions to GitHub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polls {
    /// Pull requests to look at at once: an upload came that may belong to their merge.
    pub pulls: Vec<PrNumber>,
    /// Commits of uploads whose trigger is not known.
    pub uploads: Vec<CommitSha>,
    /// Releases whose tag's commit is not known.
    pub releases: Vec<(u64, GitRef)>,
    /// Workflow runs of dispatches that have been silent too long.
    pub silent: Vec<WorkflowRunId>,
    /// What somebody wants to be looked at, now.
    pub resyncs: Vec<Resync>,
    /// Workflow runs that somebody said are a dispatch's, and of which nothing is known.
    pub lookups: Vec<Lookup>,
}

/// A look that somebody asked for: due until [`stackwave_domain::event::Resynced`] is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resync {
    /// By which command.
    pub command: CommandId,
    /// At these workflow runs: what is in flight, and what failed in an active run and may have been re-run.
    pub workflow_runs: Vec<WorkflowRunId>,
    /// At these pull requests.
    pub pulls: Vec<PrNumber>,
    /// For the triggers of these commits' uploads.
    pub uploads: Vec<CommitSha>,
}

/// A workflow run that somebody said is a dispatch's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// By which command.
    pub command: CommandId,
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Which workflow run.
    pub workflow_run: WorkflowRunId,
}

impl Polls {
    /// Whether there is nothing to ask.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pulls.is_empty()
            && self.uploads.is_empty()
            && self.releases.is_empty()
            && self.silent.is_empty()
            && self.resyncs.is_empty()
            && self.lookups.is_empty()
    }
}

/// What GitHub has to be asked about one repository.
#[must_use]
pub fn due_polls(state: &RepositoryState, now: Timestamp) -> Due<Polls> {
    let mut due = Due { now: Polls::default(), again_at: None };
    if state.halted.is_some() {
        return due;
    }
    let spare = |pull: &&Pull| pull.merged.is_none() && pull.spare.is_some();
    due.now.pulls = state.pulls.values().filter(spare).map(|pull| pull.number).collect();
    for upload in state.uploads.values().filter(|upload| !upload.used) {
        let Some(at) = next_look(upload) else { continue };
        if has_trigger(state, upload) {
            continue;
        }
        if now >= at {
            if !due.now.uploads.contains(&upload.head_sha) {
                due.now.uploads.push(upload.head_sha.clone());
            }
        } else {
            due.again_at = earlier(due.again_at, Some(at));
        }
    }
    let unknown = state.releases.iter().filter(|(_, release)| release.commit.is_none());
    due.now.releases = unknown
        .filter(|(_, release)| now <= later(release.heard_at, LOOK_FOR))
        .map(|(id, release)| (*id, release.tag.clone()))
        .collect();
    for command in state.pending_commands() {
        match &command.ask {
            Ask::Resync { run, pull_request } => {
                due.now.resyncs.push(resync(state, &command.id, run.as_ref(), *pull_request));
            }
            Ask::Resolve { dispatch, outcome: Resolution::Happened { workflow_run } } => {
                let (command, dispatch) = (command.id.clone(), dispatch.clone());
                due.now.lookups.push(Lookup { command, dispatch, workflow_run: *workflow_run });
            }
            Ask::Resolve { outcome: Resolution::NotHappened, .. }
            | Ask::Retry { .. }
            | Ask::Cancel { .. } => {}
        }
    }
    for dispatch in state.in_flight() {
        let Some(run) = dispatch.workflow_run.filter(|_| matches!(dispatch.answer, Answer::Accepted)) else {
            continue;
        };
        let at = later(dispatch.heard_at, SILENT_AFTER);
        if now >= at {
            due.now.silent.push(run);
        } else {
            due.again_at = earlier(due.again_at, Some(at));
        }
    }
    due
}

/// Workflow runs of active runs that did not end well, each the newest attempt of its stack: one that somebody re-ran
/// at GitHub, and whose webhook was lost, revives its stack. They may be many and old; whoever asks takes his time.
#[must_use]
pub fn due_failed(state: &RepositoryState) -> Vec<WorkflowRunId> {
    if state.halted.is_some() {
        return Vec::new();
    }
    state.failed().filter(|dispatch| is_newest(state, dispatch)).filter_map(|it| it.workflow_run).collect()
}

fn is_newest(state: &RepositoryState, dispatch: &Dispatch) -> bool {
    let stack = state.runs.get(dispatch.run()).and_then(|run| run.stacks.get(dispatch.stack));
    let call = stack.and_then(|stack| stack.calls.get(dispatch.call));
    call.is_some_and(|call| call.dispatch == dispatch.claimed.dispatch)
}

fn resync(
    state: &RepositoryState,
    command: &CommandId,
    run: Option<&RunId>,
    pull_request: Option<PrNumber>,
) -> Resync {
    let everything = run.is_none() && pull_request.is_none();
    let concerns = |it: &Run| {
        everything || run == Some(&it.id) || (pull_request.is_some() && it.pull_request == pull_request)
    };
    let of_concern = |dispatch: &&Dispatch| state.runs.get(dispatch.run()).is_some_and(concerns);
    let failed = state.failed().filter(|dispatch| is_newest(state, dispatch));
    let workflow_runs: BTreeSet<WorkflowRunId> = state
        .in_flight()
        .chain(failed)
        .filter(of_concern)
        .filter_map(|dispatch| dispatch.workflow_run)
        .collect();
    let of_runs =
        state.active_runs().into_iter().filter(|run| concerns(run)).filter_map(|run| run.pull_request);
    let named = run.and_then(|run| state.runs.get(run)).and_then(|run| run.pull_request);
    let pulls: BTreeSet<PrNumber> = of_runs.chain(named).chain(pull_request).collect();
    let looked_at = |upload: &&Upload| {
        let of_pull =
            |number: &PrNumber| state.pulls.get(number).is_some_and(|it| it.has_head(&upload.head_sha));
        !upload.used && (everything || pulls.iter().any(of_pull)) && !has_trigger(state, upload)
    };
    let uploads: BTreeSet<CommitSha> =
        state.uploads.values().filter(looked_at).map(|upload| upload.head_sha.clone()).collect();
    Resync {
        command: command.clone(),
        workflow_runs: workflow_runs.into_iter().collect(),
        pulls: pulls.into_iter().collect(),
        uploads: uploads.into_iter().collect(),
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// When an upload is looked up next; none when it is not worth it any more.
fn next_look(upload: &Upload) -> Option<Timestamp> {
    let Some(looked) = upload.looked_up.filter(|looked| *looked >= upload.last.at) else {
        return Some(later(upload.last.at, FIRST_LOOK));
    };
    let at = later(looked, NEXT_LOOK);
    (at <= later(upload.last.at, LOOK_FOR)).then_some(at)
}

/// Whether some trigger that is known takes, or has taken, an upload of this commit.
fn has_trigger(state: &RepositoryState, upload: &Upload) -> bool {
    let sha = &upload.head_sha;
    if state.merge_groups.contains_key(sha) {
        return true;
    }
    if state.releases.values().any(|release| release.commit.as_ref() == Some(sha)) {
        return true;
    }
    state.pulls.values().any(|pull| {
        if pull.merged.is_some() {
            return pull.has_merge(sha);
        }
        pull.open
            && pull.has_head(sha)
            && pull.activity.as_ref().is_some_and(|known| known.head_sha == pull.head_sha)
    })
}
