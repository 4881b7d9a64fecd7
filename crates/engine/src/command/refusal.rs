//! Why a command cannot be done.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a command cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what is in the way, and what to do instead.
    pub message: String,
}

impl Refusal {
    pub(crate) const fn new(code: RefusalCode, message: String) -> Self {
        Self { code, message }
    }

    /// What the command names does not exist.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(
            self.code,
            RefusalCode::UnknownRun | RefusalCode::UnknownStack | RefusalCode::UnknownDispatch
        )
    }
}

/// Why a command cannot be done, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// A newer version wrote into the repository: this one must not act on it.
    Halted,
    /// There is no such run.
    UnknownRun,
    /// The run has no such stack.
    UnknownStack,
    /// There is no such dispatch.
    UnknownDispatch,
    /// The run dispatches nothing any more.
    RunStopped,
    /// Nothing in the run failed.
    NothingFailed,
    /// Nothing is left to be cancelled.
    NothingToCancel,
    /// The stack, or its dispatch, is under way.
    InFlight,
    /// The stack has ended.
    Ended,
    /// The stack has succeeded.
    Succeeded,
    /// The stack was not dispatched yet.
    NotDispatched,
    /// The plan does not run the stack.
    DoesNotRun,
    /// The same was asked for already.
    AlreadyAsked,
    /// A newer run has deployed the stack.
    NewerRun,
    /// A stack above it failed.
    ParentFailed,
    /// A running apply is cancelled only with force.
    NeedsForce,
    /// Somebody has to resolve the stack's dispatch first.
    Undecidable,
    /// The dispatch is not one that a person has to resolve.
    Decided,
    /// The workflow run cannot be the dispatch's.
    OtherWorkflowRun,
    /// The dispatch certainly happened.
    Happened,
}

impl RefusalCode {
    /// The code for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::UnknownRun => "unknown-run",
            Self::UnknownStack => "unknown-stack",
            Self::UnknownDispatch => "unknown-dispatch",
            Self::RunStopped => "run-stopped",
            Self::NothingFailed => "nothing-failed",
            Self::NothingToCancel => "nothing-to-cancel",
            Self::InFlight => "in-flight",
            Self::Ended => "ended",
            Self::Succeeded => "succeeded",
            Self::NotDispatched => "not-dispatched",
            Self::DoesNotRun => "does-not-run",
            Self::AlreadyAsked => "already-asked",
            Self::NewerRun => "newer-run",
            Self::ParentFailed => "parent-failed",
            Self::NeedsForce => "needs-force",
            Self::Undecidable => "undecidable",
            Self::Decided => "decided",
            Self::OtherWorkflowRun => "other-workflow-run",
            Self::Happened => "happened",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
