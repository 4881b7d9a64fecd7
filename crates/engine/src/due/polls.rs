//! What GitHub has to be asked, because its webhook is late, lost, or was never enough.

use super::{Due, earlier};
use crate::state::{Answer, Pull, RepositoryState, Upload};
use jiff::SignedDuration;
use stackwave_domain::{CommitSha, GitRef, PrNumber, Timestamp, WorkflowRunId};

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
}

impl Polls {
    /// Whether there is nothing to ask.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pulls.is_empty() && self.uploads.is_empty() && self.releases.is_empty() && self.silent.is_empty()
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
