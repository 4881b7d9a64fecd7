//! What people asked for, and what came of it.
//!
//! A command lies on `obs.command`, with the person as the record's actor, and is never changed. The fold takes it up or
//! refuses it; what follows are decisions of the orchestrator (`ledger`) and acts of the dispatcher (`obs.dispatch`).

use crate::{CommandId, DispatchId, PrNumber, RunId, StackKey, WorkflowRunId};
use serde::{Deserialize, Serialize};

/// Somebody wants stacks that failed to be dispatched again, in the same run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRequested {
    /// Names the command: the same one twice is one.
    pub command: CommandId,
    /// In which run.
    pub run: RunId,
    /// Which stack; none: every stack of the run that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<StackKey>,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Somebody wants a run, or one stack of it, to stop: nothing more is dispatched, and workflow runs at GitHub that have
/// not started are cancelled. Of a plan those that run as well; of an apply only with `force`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// Names the command: the same one twice is one.
    pub command: CommandId,
    /// Which run.
    pub run: RunId,
    /// Which stack; none: the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<StackKey>,
    /// A running apply is cancelled as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Somebody wants GitHub to be looked at now. With neither a pull request nor a run: everything of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncRequested {
    /// Names the command: the same one twice is one.
    pub command: CommandId,
    /// Only what belongs to this pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PrNumber>,
    /// Only what belongs to this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Somebody says what became of a dispatch that nothing else tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchResolved {
    /// Names the command: the same one twice is one.
    pub command: CommandId,
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// What became of it.
    pub outcome: Resolution,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a dispatch, as a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// GitHub took it.
    Happened {
        /// It is this workflow run.
        workflow_run: WorkflowRunId,
    },
    /// GitHub never took it: it is sent again, under the same id.
    NotHappened,
}

/// A run that somebody cancelled stopped: nothing more is dispatched for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCancelled {
    /// Which run.
    pub run: RunId,
    /// By which command.
    pub command: CommandId,
    /// By whom.
    pub by: String,
}

/// A stack that somebody cancelled is not dispatched any more, until somebody has it retried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackWithdrawn {
    /// In which run.
    pub run: RunId,
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// By which command.
    pub command: CommandId,
    /// By whom.
    pub by: String,
}

/// A stack that was to be retried is not, after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryDropped {
    /// In which run.
    pub run: RunId,
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// The command that asked for it.
    pub command: CommandId,
    /// Why, in words.
    pub reason: String,
}

/// The dispatcher is about to ask GitHub to cancel a workflow run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowCancelRequested {
    /// Of which dispatch.
    pub dispatch: DispatchId,
    /// Which workflow run.
    pub workflow_run: WorkflowRunId,
    /// GitHub's attempt, as far as was known: one that somebody starts after it is his own affair.
    pub attempt: u32,
    /// The command behind it; none when the run was superseded or closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandId>,
}

/// What GitHub said when it was asked to cancel a workflow run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowCancelAnswered {
    /// Of which dispatch.
    pub dispatch: DispatchId,
    /// Which workflow run.
    pub workflow_run: WorkflowRunId,
    /// GitHub's attempt, as in the request.
    pub attempt: u32,
    /// What it said.
    pub answer: CancelAnswer,
}

/// GitHub's answer to a cancellation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// It cancels the run; its conclusion tells how that went.
    Accepted,
    /// The run had ended, or could not be cancelled any more.
    TooLate,
    /// It would not.
    Refused {
        /// HTTP status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
}

/// GitHub was looked at for a command, and what was new is recorded before this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resynced {
    /// Which command.
    pub command: CommandId,
    /// How many workflow runs were looked at.
    pub workflow_runs: u32,
    /// How many pull requests were.
    pub pull_requests: u32,
    /// How many commits of uploads were looked up.
    pub uploads: u32,
    /// How many workflow runs had moved on without our knowing.
    pub news: u32,
}

/// A command could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandFailed {
    /// Which command.
    pub command: CommandId,
    /// Why, in words.
    pub reason: String,
}
