//! Claims and results of dispatches (design §5), and what the commenter did.
//!
//! Claims lie on the repository's `ledger`; results on `obs.dispatch`, where they are never refused. A claim ends in
//! `DispatchAccepted`, `DispatchFound` or `DispatchRefused`.

use crate::{
    CommentId, DispatchId, GitRef, Inputs, PrNumber, ProcessId, RunId, StackKey, Timestamp, WorkflowFile,
    WorkflowRunId, digest::Digest,
};
use serde::{Deserialize, Serialize};

/// A dispatcher is about to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchClaimed {
    /// Which dispatch: a function of run, stack, workflow and attempt.
    pub dispatch: DispatchId,
    /// In which run.
    pub run: RunId,
    /// For which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// Dispatch attempt.
    pub attempt: u32,
    /// Who sends.
    pub claimant: ProcessId,
    /// What is started.
    pub workflow: WorkflowFile,
    /// On which branch or tag.
    pub git_ref: GitRef,
    /// With these inputs.
    pub inputs: Inputs,
    /// The title that the run will have, where the workflow's `run-name` uses inputs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Somebody else took a claim without a result; he looks before he sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchTakenOver {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// One more than before.
    pub epoch: u32,
    /// Who took it.
    pub claimant: ProcessId,
}

/// The search found nothing; the same dispatch is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchResending {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// One more than before.
    pub epoch: u32,
    /// Who sends.
    pub claimant: ProcessId,
    /// What was done to be sure.
    pub evidence: SearchEvidence,
}

/// How GitHub was searched for a run before sending again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchEvidence {
    /// How many times the runs were listed.
    pub listings: u32,
    /// How many runs the last listing held.
    pub runs_seen: u32,
    /// For how long after the last moment at which a request could be in flight, in milliseconds.
    pub searched_ms: u64,
}

/// GitHub took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchAccepted {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch of the claim; an older one closes it too.
    pub epoch: u32,
    /// The workflow run; hosts that do not tell it leave it to be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<WorkflowRunId>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// Why GitHub refuses a dispatch for good. Each has a page under `docs/errors/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The workflow is not on the default branch, or the App may not see the repository.
    WorkflowNotFound,
    /// The workflow at the ref has no `workflow_dispatch` trigger.
    NotDispatchable,
    /// The branch or tag is gone.
    RefNotFound,
    /// An input is sent that the workflow does not declare.
    InputNotDeclared,
    /// A required input is missing, or a value is not allowed.
    InputInvalid,
    /// The inputs are larger than GitHub takes.
    InputsTooLarge,
    /// GitHub cannot read the workflow file.
    WorkflowInvalid,
    /// The workflow is switched off.
    WorkflowDisabled,
    /// The App lacks a permission.
    PermissionMissing,
    /// We did not send it: its run was superseded or closed before GitHub took it.
    Withdrawn,
    /// Any other definite no.
    Other,
}

impl RefusalReason {
    /// The name of its page under `docs/errors/`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WorkflowNotFound => "workflow-not-found",
            Self::NotDispatchable => "not-dispatchable",
            Self::RefNotFound => "ref-not-found",
            Self::InputNotDeclared => "input-not-declared",
            Self::InputInvalid => "input-invalid",
            Self::InputsTooLarge => "inputs-too-large",
            Self::WorkflowInvalid => "workflow-invalid",
            Self::WorkflowDisabled => "workflow-disabled",
            Self::PermissionMissing => "permission-missing",
            Self::Withdrawn => "withdrawn",
            Self::Other => "other",
        }
    }

    /// What to change, in a sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::WorkflowNotFound => {
                "Put the workflow file on the default branch, and install the App in the repository."
            }
            Self::NotDispatchable => {
                "Add `workflow_dispatch` to the `on:` of the workflow, on the branch it is started on."
            }
            Self::RefNotFound => {
                "The branch or tag is gone: restore it, or open the pull request against another base."
            }
            Self::InputNotDeclared => "Declare the input in the workflow, or take it out of `settings.pro`.",
            Self::InputInvalid => {
                "Give every required input in `settings.pro`, with a value that the workflow allows."
            }
            Self::InputsTooLarge => "Make the inputs smaller: GitHub takes 65,535 characters in all.",
            Self::WorkflowInvalid => "Mend the workflow file: GitHub cannot read it.",
            Self::WorkflowDisabled => "Enable the workflow in the repository's Actions tab.",
            Self::PermissionMissing => "Grant the App `Actions: write`, and accept its new permissions.",
            Self::Withdrawn => "Nothing has to be done.",
            Self::Other => "See GitHub's message.",
        }
    }
}

/// GitHub said no, and asking again will not help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchRefused {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch.
    pub epoch: u32,
    /// HTTP status; 0 when we refused before asking.
    pub status: u16,
    /// What it means.
    pub reason: RefusalReason,
    /// GitHub's words.
    pub message: String,
}

/// GitHub did certainly not take it; it is sent again after a wait, under the same claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchDelayed {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch.
    pub epoch: u32,
    /// When it is sent again.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// It may have happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchOutcomeUnknown {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch.
    pub epoch: u32,
    /// What went wrong.
    pub error: String,
}

/// What tells that a workflow run belongs to a dispatch (design §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// The run's title holds the dispatch id.
    DispatchIdInTitle,
    /// The title is exactly what the inputs give, and no other open claim expects it.
    ExactTitle,
    /// It is the only run, and this the only claim, of that repository, workflow and ref.
    OnlyCandidate,
    /// GitHub's `workflow_dispatch` webhook carried these inputs: accepted, run not named.
    DispatchWebhook,
    /// A person said so, by a command.
    Person,
}

/// The dispatch had happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchFound {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch.
    pub epoch: u32,
    /// The workflow run; none when only its acceptance is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<WorkflowRunId>,
    /// How we know.
    pub by: FoundBy,
}

/// More than one run, or more than one claim, and nothing that tells them apart. Held, never doubled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchUndecidable {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// Of which epoch.
    pub epoch: u32,
    /// The runs that may be it.
    pub candidates: Vec<WorkflowRunId>,
    /// In words.
    pub reason: String,
}

/// A commenter is about to create the comment of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentClaimed {
    /// The pull request.
    pub number: PrNumber,
    /// Who creates.
    pub claimant: ProcessId,
}

/// The comment exists and says what has this digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentPosted {
    /// The pull request.
    pub number: PrNumber,
    /// GitHub's id.
    pub comment: CommentId,
    /// Of the body.
    pub digest: Digest,
    /// It stood there already, and was found by its marker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// GitHub refused the comment; it is tried again when there is something new to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRefused {
    /// The pull request.
    pub number: PrNumber,
    /// Of the body that was refused.
    pub digest: Digest,
    /// HTTP status.
    pub status: u16,
    /// GitHub's words.
    pub message: String,
}
