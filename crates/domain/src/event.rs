//! The catalogue of events. Each is named in the past tense, is never changed once written, and has a committed sample
//! under `crates/domain/samples/`.
//!
//! Observations are what the outside told us, commands what a person asked for, decisions what we chose, claims and results
//! what the dispatcher did, comment records what the commenter did. Which subject carries which, and who writes it, is told in
//! [`crate::subject`].

mod checkpoint;
mod command;
mod config;
mod decision;
mod dispatch;
mod github;
mod upload;

pub use checkpoint::*;
pub use command::*;
pub use config::*;
pub use decision::*;
pub use dispatch::*;
pub use github::*;
pub use upload::*;

use serde::{Deserialize, Serialize};

/// One line of the catalogue, for documents and for tools that show the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// The name under which the log has it.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// The kind of its subject ([`crate::Subject::kind`]), with placeholders in angle brackets.
    pub subject: &'static str,
    /// The roles that write it.
    pub writers: &'static str,
}

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal on $subject:literal by $writers:literal,)*) => {
        /// One fact. In a record it is written as `{"<name>": {…}}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Event {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant($variant),)*
            /// An event of a newer version than this code. Whoever folds it stops acting on that repository.
            #[serde(skip)]
            Unknown {
                /// Its name in the log.
                name: String,
                /// Its content, as JSON text.
                json: String,
            },
        }

        impl Event {
            /// The name under which the log has it.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Unknown { name, .. } => name,
                }
            }

            /// Every name that this version knows, in the order of the catalogue.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// Every event with what it means, where it lies and who writes it, in the order of the catalogue.
            pub const CATALOGUE: &'static [Described] = &[$(
                Described {
                    name: $name,
                    meaning: concat!($($doc,)*),
                    subject: $subject,
                    writers: $writers,
                },
            )*];
        }

        $(impl From<$variant> for Event {
            fn from(event: $variant) -> Self {
                Self::$variant(event)
            }
        })*
    };
}

catalogue! {
    /// Atmos uploaded affected stacks, whole or one chunk of them.
    UploadReceived = "upload_received" on "obs.upload" by "ingest-api, dispatcher",
    /// A pull request was opened, pushed to, merged, …, or was looked at.
    PullRequestObserved = "pull_request_observed" on "obs.github.pull_request" by "webhook-receiver, dispatcher",
    /// A workflow run changed its state, or was looked at.
    WorkflowRunObserved = "workflow_run_observed" on "obs.github.workflow_run" by "webhook-receiver, dispatcher",
    /// A job waits for somebody's approval.
    WorkflowJobWaiting = "workflow_job_waiting" on "obs.github.workflow_job" by "webhook-receiver",
    /// A workflow was started by `workflow_dispatch`, with these inputs.
    WorkflowDispatchObserved = "workflow_dispatch_observed" on "obs.github.workflow_dispatch" by "webhook-receiver",
    /// The default branch moved.
    PushObserved = "push_observed" on "obs.github.push" by "webhook-receiver",
    /// A merge queue group wants checks, or was destroyed.
    MergeGroupObserved = "merge_group_observed" on "obs.github.merge_group" by "webhook-receiver",
    /// A release was published, released, edited, ….
    ReleaseObserved = "release_observed" on "obs.github.release" by "webhook-receiver, dispatcher",
    /// A check run was created, completed or asked for again.
    CheckRunObserved = "check_run_observed" on "obs.github.check_run" by "webhook-receiver",
    /// Somebody commented on a pull request, or changed or deleted a comment.
    IssueCommentObserved = "issue_comment_observed" on "obs.github.issue_comment" by "webhook-receiver",
    /// GitHub was asked which pull requests hold an upload's commit.
    UploadLookedUp = "upload_looked_up" on "obs.github.pull_request" by "dispatcher",
    /// A run was opened, with its plan.
    RunOpened = "run_opened" on "ledger" by "orchestrator",
    /// A stack may go: its parents have succeeded.
    StackReleased = "stack_released" on "ledger" by "orchestrator",
    /// A stack will not run in this run, although the plan has it.
    StackSkipped = "stack_skipped" on "ledger" by "orchestrator",
    /// A newer push, or the merge, took a plan run's place.
    RunSuperseded = "run_superseded" on "ledger" by "orchestrator",
    /// The run's pull request or merge group was closed.
    RunClosed = "run_closed" on "ledger" by "orchestrator",
    /// Nothing is left to do in the run.
    RunEnded = "run_ended" on "ledger" by "orchestrator",
    /// A run that somebody cancelled stopped.
    RunCancelled = "run_cancelled" on "ledger" by "orchestrator",
    /// A stack that somebody cancelled is not dispatched any more.
    StackWithdrawn = "stack_withdrawn" on "ledger" by "orchestrator",
    /// A stack that was to be retried is not, after all.
    RetryDropped = "retry_dropped" on "ledger" by "orchestrator",
    /// A dispatcher took a dispatch; from here on the request may have been sent.
    DispatchClaimed = "dispatch_claimed" on "ledger" by "dispatcher",
    /// Another dispatcher took over a claim that has no result.
    DispatchTakenOver = "dispatch_taken_over" on "ledger" by "dispatcher",
    /// GitHub was searched, the dispatch had not happened, and it is sent again.
    DispatchResending = "dispatch_resending" on "ledger" by "dispatcher",
    /// GitHub accepted a dispatch.
    DispatchAccepted = "dispatch_accepted" on "obs.dispatch" by "dispatcher",
    /// GitHub refused a dispatch for good.
    DispatchRefused = "dispatch_refused" on "obs.dispatch" by "dispatcher",
    /// GitHub did not take a dispatch yet (limit, or out of reach before sending); it is sent later.
    DispatchDelayed = "dispatch_delayed" on "obs.dispatch" by "dispatcher",
    /// The answer to a dispatch was lost: it may have happened.
    DispatchOutcomeUnknown = "dispatch_outcome_unknown" on "obs.dispatch" by "dispatcher",
    /// The workflow run of a dispatch was found at GitHub.
    DispatchFound = "dispatch_found" on "obs.dispatch" by "dispatcher",
    /// Nothing tells which workflow run belongs to a dispatch; a person has to say.
    DispatchUndecidable = "dispatch_undecidable" on "obs.dispatch" by "dispatcher",
    /// The dispatcher is about to ask GitHub to cancel a workflow run.
    WorkflowCancelRequested = "workflow_cancel_requested" on "obs.dispatch" by "dispatcher",
    /// GitHub answered to a cancellation.
    WorkflowCancelAnswered = "workflow_cancel_answered" on "obs.dispatch" by "dispatcher",
    /// GitHub was looked at because somebody asked for it.
    Resynced = "resynced" on "obs.dispatch" by "dispatcher",
    /// A command could not be carried out.
    CommandFailed = "command_failed" on "obs.dispatch" by "dispatcher",
    /// Somebody wants stacks that failed to be dispatched again.
    RetryRequested = "retry_requested" on "obs.command" by "admin",
    /// Somebody wants a run, or one stack of it, to stop.
    CancelRequested = "cancel_requested" on "obs.command" by "admin",
    /// Somebody wants GitHub to be looked at now.
    ResyncRequested = "resync_requested" on "obs.command" by "admin",
    /// Somebody says what became of a dispatch that nothing else tells.
    DispatchResolved = "dispatch_resolved" on "obs.command" by "admin",
    /// A commenter is about to create the comment of a pull request.
    CommentClaimed = "comment_claimed" on "comment.<workspace>.<pr>" by "commenter",
    /// The comment says this.
    CommentPosted = "comment_posted" on "comment.<workspace>.<pr>" by "commenter",
    /// GitHub refused the comment.
    CommentRefused = "comment_refused" on "comment.<workspace>.<pr>" by "commenter",
    /// The state of the partition was written down: folding may start from it.
    CheckpointWritten = "checkpoint_written" on "sw.<partition>.checkpoint" by "log checkpoint",
    /// A repository became known, or changed its name, installation or workspace.
    RepositoryRegistered = "repository_registered" on "sw.config.repository.<id>" by "webhook-receiver, dispatcher",
    /// An API key was registered; only its hash is known.
    ApiKeyRegistered = "api_key_registered" on "sw.config.api_key.<credential>" by "admin",
    /// An API key was revoked.
    ApiKeyRevoked = "api_key_revoked" on "sw.config.api_key.<credential>" by "admin",
    /// A token of the admin API was registered; only its hash is known.
    AdminTokenRegistered = "admin_token_registered" on "sw.config.admin_token.<credential>" by "admin",
    /// A token of the admin API was revoked.
    AdminTokenRevoked = "admin_token_revoked" on "sw.config.admin_token.<credential>" by "admin",
    /// An API key or a token was used; told every five minutes at most.
    CredentialUsed = "credential_used" on "sw.config.obs.credential" by "ingest-api, admin",
    /// A workspace was created.
    WorkspaceRegistered = "workspace_registered" on "sw.config.workspace.<name>" by "admin",
    /// The App was installed, removed, suspended, ….
    InstallationObserved = "installation_observed" on "sw.config.obs.github.installation" by "webhook-receiver, dispatcher",
    /// Repositories were added to or removed from an installation.
    InstallationRepositoriesObserved = "installation_repositories_observed" on "sw.config.obs.github.installation_repositories" by "webhook-receiver",
    /// GitHub pinged the webhook.
    PingObserved = "ping_observed" on "sw.config.obs.github.ping" by "webhook-receiver",
    /// An upload for an unknown repository found its repository, or there is none.
    PendingUploadResolved = "pending_upload_resolved" on "sw.config.upload.resolved" by "dispatcher",
}
