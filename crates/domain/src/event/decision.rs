//! What the orchestrator decided. All of them lie on the repository's `ledger` subject, in one order.

use crate::{
    CommitSha, GitRef, PrNumber, RunId, RunPlan, StackKey, Timestamp, WorkspaceId,
    digest::{Digest, Stored},
    plan::SkipReason,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The GitHub event and activity behind a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Trigger {
    /// `pull_request`, `merge_group`, `release`.
    pub event: String,
    /// `opened`, `synchronize`, `reopened`, `merged`, `checks_requested`, `published`, ….
    pub activity: String,
}

impl Trigger {
    /// A trigger from its two words.
    pub fn new(event: &str, activity: &str) -> Self {
        Self { event: event.to_owned(), activity: activity.to_owned() }
    }

    /// Whether its workflows change infrastructure: told by the activity, never by file names (contract §6).
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        matches!(
            (self.event.as_str(), self.activity.as_str()),
            ("pull_request", "merged")
                | ("release", "published" | "released")
                | ("drift_detection", "remediate")
        )
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.event, self.activity)
    }
}

/// A run began: a trigger and its upload met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOpened {
    /// Which run.
    pub run: RunId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Why it runs.
    pub trigger: Trigger,
    /// The trigger was inferred from a look at the pull request; its webhook had not come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// 1, then one more for each new run of the same trigger.
    pub generation: u32,
    /// The pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PrNumber>,
    /// The release, by GitHub's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<u64>,
    /// The commit that the trigger names (the PR's head, the group's head, the release's commit).
    pub head_sha: CommitSha,
    /// The commit that workflows are told to check out.
    pub sha: CommitSha,
    /// The branch or tag on which workflows are started.
    pub git_ref: GitRef,
    /// The upload whose graph this is.
    pub upload: Digest,
    /// Merge order among mutating runs: when the pull request was merged or the release published, by GitHub's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<Timestamp>,
    /// Stacks, calls and edges, fixed here.
    pub plan: Stored<RunPlan>,
}

/// A stack may be dispatched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackReleased {
    /// In which run.
    pub run: RunId,
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// Dispatch attempt: 1 for the first.
    pub attempt: u32,
}

/// A stack will not run, although the plan has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSkipped {
    /// In which run.
    pub run: RunId,
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// Why.
    pub reason: SkipReason,
}

/// What took a plan run's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Successor {
    /// A push.
    Push {
        /// The new head.
        head_sha: CommitSha,
    },
    /// The merge.
    Merge,
    /// The same pull request was reopened, or pushed back to the same commit.
    Activity {
        /// `reopened`, `synchronize`.
        activity: String,
    },
}

/// Nothing more is dispatched for this run; late conclusions are still recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSuperseded {
    /// Which run.
    pub run: RunId,
    /// By what.
    pub by: Successor,
}

/// Nothing more is dispatched for this run: its pull request was closed, or its merge group destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunClosed {
    /// Which run.
    pub run: RunId,
    /// In words.
    pub reason: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every stack succeeded or was skipped.
    Succeeded,
    /// The upload named no stack.
    NothingAffected,
    /// It failed and was not revived within 30 days, for which GitHub allows re-runs.
    Expired,
}

/// Nothing is left to do in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnded {
    /// Which run.
    pub run: RunId,
    /// How.
    pub outcome: RunOutcome,
}
