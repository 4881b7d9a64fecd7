//! The catalogue of events. Each is named in the past tense, is never changed once written, and has a committed sample
//! under `crates/domain/samples/`.
//!
//! Observations are what the outside told us, decisions what we chose, claims and results what the dispatcher did,
//! comment records what the commenter did. Which subject carries which, and who writes it, is told in
//! [`crate::subject`].

mod config;
mod decision;
mod dispatch;
mod github;
mod upload;

pub use config::*;
pub use decision::*;
pub use dispatch::*;
pub use github::*;
pub use upload::*;

use serde::{Deserialize, Serialize};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One fact. In a record it is written as `{"<name>": {…}}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $variant($variant),)*
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
    UploadReceived = "upload_received",
    /// A pull request was opened, pushed to, merged, …, or was looked at.
    PullRequestObserved = "pull_request_observed",
    /// A workflow run changed its state, or was looked at.
    WorkflowRunObserved = "workflow_run_observed",
    /// A job waits for somebody's approval.
    WorkflowJobWaiting = "workflow_job_waiting",
    /// A workflow was started by `workflow_dispatch`, with these inputs.
    WorkflowDispatchObserved = "workflow_dispatch_observed",
    /// The default branch moved.
    PushObserved = "push_observed",
    /// A merge queue group wants checks, or was destroyed.
    MergeGroupObserved = "merge_group_observed",
    /// A release was published, released, edited, ….
    ReleaseObserved = "release_observed",
    /// A check run was created, completed or asked for again.
    CheckRunObserved = "check_run_observed",
    /// Somebody commented on a pull request, or changed or deleted a comment.
    IssueCommentObserved = "issue_comment_observed",
    /// An upload was looked up at GitHub and no pull request holds its commit.
    UploadLookedUp = "upload_looked_up",
    /// A run was opened, with its plan.
    RunOpened = "run_opened",
    /// A stack may go: its parents have succeeded.
    StackReleased = "stack_released",
    /// A stack will not run in this run, although the plan has it.
    StackSkipped = "stack_skipped",
    /// A newer push, or the merge, took a plan run's place.
    RunSuperseded = "run_superseded",
    /// The run's pull request or merge group was closed.
    RunClosed = "run_closed",
    /// Nothing is left to do in the run.
    RunEnded = "run_ended",
    /// A dispatcher took a dispatch; from here on the request may have been sent.
    DispatchClaimed = "dispatch_claimed",
    /// Another dispatcher took over a claim that has no result.
    DispatchTakenOver = "dispatch_taken_over",
    /// GitHub was searched, the dispatch had not happened, and it is sent again.
    DispatchResending = "dispatch_resending",
    /// GitHub accepted a dispatch.
    DispatchAccepted = "dispatch_accepted",
    /// GitHub refused a dispatch for good.
    DispatchRefused = "dispatch_refused",
    /// GitHub did not take a dispatch yet (limit, or out of reach before sending); it is sent later.
    DispatchDelayed = "dispatch_delayed",
    /// The answer to a dispatch was lost: it may have happened.
    DispatchOutcomeUnknown = "dispatch_outcome_unknown",
    /// The workflow run of a dispatch was found at GitHub.
    DispatchFound = "dispatch_found",
    /// Nothing tells which workflow run belongs to a dispatch; a person has to say.
    DispatchUndecidable = "dispatch_undecidable",
    /// A commenter is about to create the comment of a pull request.
    CommentClaimed = "comment_claimed",
    /// The comment says this.
    CommentPosted = "comment_posted",
    /// GitHub refused the comment.
    CommentRefused = "comment_refused",
    /// A repository became known, or changed its name, installation or workspace.
    RepositoryRegistered = "repository_registered",
    /// An API key was registered; only its hash is known.
    ApiKeyRegistered = "api_key_registered",
    /// The App was installed, removed, suspended, ….
    InstallationObserved = "installation_observed",
    /// Repositories were added to or removed from an installation.
    InstallationRepositoriesObserved = "installation_repositories_observed",
    /// GitHub pinged the webhook.
    PingObserved = "ping_observed",
    /// An upload for an unknown repository found its repository, or there is none.
    PendingUploadResolved = "pending_upload_resolved",
}
