//! What GitHub told us, normalised. Fields that GitHub may leave out are optional; words that this version does not
//! know are kept.

use crate::{
    CommentId, CommitSha, DeliveryId, GitRef, Inputs, InstallationId, Position, PrNumber, RepositoryId,
    RepositoryName, Timestamp, WorkflowFile, WorkflowRunId,
    workflow::{Conclusion, RunStatus},
};
use serde::{Deserialize, Serialize};

/// How an observation reached us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// GitHub's webhook.
    Webhook {
        /// Its GUID.
        delivery: DeliveryId,
    },
    /// We asked.
    Poll {
        /// The position of the state that asked: everything up to there was known when GitHub answered.
        asked_at: Position,
    },
}

/// The repository that a webhook names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRef {
    /// GitHub's id.
    pub id: RepositoryId,
    /// Its name.
    #[serde(flatten)]
    pub name: RepositoryName,
    /// The default branch, where the payload tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<GitRef>,
}

/// A pull request, as a webhook or a look tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestObserved {
    /// Webhook or look.
    pub source: Source,
    /// The webhook's action (`opened`, `synchronize`, `closed`, …); none for a look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Its number.
    pub number: PrNumber,
    /// Whether it is open.
    pub open: bool,
    /// Whether it was merged.
    pub merged: bool,
    /// When it was merged, by GitHub's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<Timestamp>,
    /// Merged: the commit on the base branch. Open: GitHub's test merge, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit_sha: Option<CommitSha>,
    /// The head commit.
    pub head_sha: CommitSha,
    /// The head branch.
    pub head_ref: GitRef,
    /// The base branch.
    pub base_ref: GitRef,
    /// `synchronize`: the head before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CommitSha>,
    /// Its title, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When GitHub last changed it; orders observations.
    pub updated_at: Timestamp,
}

/// A workflow run's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRunObserved {
    /// Webhook or look.
    pub source: Source,
    /// GitHub's id; a re-run keeps it.
    pub run: WorkflowRunId,
    /// GitHub's attempt: 1, then one more with each re-run.
    pub attempt: u32,
    /// The workflow's file name, without folder and without `@ref`.
    pub workflow: WorkflowFile,
    /// `display_title`: what `run-name` gave.
    pub title: String,
    /// The event that started it; we keep `workflow_dispatch` only.
    pub event: String,
    /// How far it is.
    pub status: RunStatus,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// The branch it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_branch: Option<GitRef>,
    /// The commit it runs at.
    pub head_sha: CommitSha,
    /// Who started it, as a login (`<app-slug>[bot]` for an App).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When it was created, by GitHub's clock.
    pub created_at: Timestamp,
    /// When GitHub last changed it; orders the open statuses.
    pub updated_at: Timestamp,
    /// Its page.
    pub html_url: String,
}

/// A job of a workflow run waits for an environment's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowJobWaiting {
    /// Webhook or look.
    pub source: Source,
    /// The run that the job belongs to.
    pub run: WorkflowRunId,
    /// GitHub's attempt.
    pub attempt: u32,
    /// GitHub's id of the job.
    pub job: u64,
    /// The job's name.
    pub name: String,
    /// When the job began to wait, by GitHub's clock.
    pub at: Timestamp,
}

/// A `workflow_dispatch` webhook: it proves that GitHub accepted a dispatch with these inputs, but names no run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowDispatchObserved {
    /// Always a webhook.
    pub source: Source,
    /// The workflow's file name.
    pub workflow: WorkflowFile,
    /// The branch or tag, without `refs/heads/` or `refs/tags/`.
    pub git_ref: GitRef,
    /// The inputs, as texts.
    pub inputs: Inputs,
    /// Who sent it, as a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

/// A push to the default branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushObserved {
    /// Always a webhook.
    pub source: Source,
    /// The branch.
    pub git_ref: GitRef,
    /// Its tip before.
    pub before: CommitSha,
    /// Its tip after.
    pub after: CommitSha,
}

/// A merge queue group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeGroupObserved {
    /// Always a webhook.
    pub source: Source,
    /// `checks_requested` or `destroyed`.
    pub action: String,
    /// `destroyed`: why (`merged`, `invalidated`, `dequeued`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The synthetic commit.
    pub head_sha: CommitSha,
    /// `gh-readonly-queue/<base>/pr-<n>-<sha>`.
    pub head_ref: GitRef,
    /// The branch that the group is for.
    pub base_ref: GitRef,
    /// The pull request, read from `head_ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PrNumber>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseObserved {
    /// Webhook or look.
    pub source: Source,
    /// `published`, `released`, …; none for a look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// GitHub's id.
    pub release: u64,
    /// The tag.
    pub tag: GitRef,
    /// The tag's commit, once it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitSha>,
    /// When it was published, by GitHub's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
}

/// A check run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRunObserved {
    /// Always a webhook.
    pub source: Source,
    /// `created`, `completed`, `rerequested`, `requested_action`.
    pub action: String,
    /// GitHub's id.
    pub check_run: u64,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: CommitSha,
    /// The label that its creator gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The App that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<u64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// The button that was pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_action: Option<String>,
}

/// A comment on a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueCommentObserved {
    /// Always a webhook.
    pub source: Source,
    /// `created`, `edited` or `deleted`.
    pub action: String,
    /// The pull request.
    pub number: PrNumber,
    /// The comment.
    pub comment: CommentId,
    /// Who wrote it, as a login.
    pub author: String,
    /// The App through which it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<u64>,
    /// Who did this, as a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// What it says.
    pub body: String,
}

/// The App's installation in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationObserved {
    /// Webhook or look.
    pub source: Source,
    /// `created`, `deleted`, `suspend`, `unsuspend`, `new_permissions_accepted`; `listed` for a look.
    pub action: String,
    /// Which installation.
    pub installation: InstallationId,
    /// The account's login.
    pub account: String,
    /// Its repositories, as far as the payload names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryRef>,
}

/// Repositories that an installation gained or lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationRepositoriesObserved {
    /// Webhook.
    pub source: Source,
    /// Which installation.
    pub installation: InstallationId,
    /// Gained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<RepositoryRef>,
    /// Lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<RepositoryRef>,
}

/// GitHub's greeting at a new webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingObserved {
    /// Webhook.
    pub source: Source,
    /// The webhook's id.
    pub hook: u64,
}
