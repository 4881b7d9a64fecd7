//! One stack of a run: what was decided about it, its workflows, and what people want of it.

use crate::command::Asked;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    DispatchId, Position, Timestamp,
    plan::{RefuseReason, SkipReason},
    workflow::Conclusion,
};

/// How far one stack is in its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// What was decided about it.
    pub progress: Progress,
    /// Where the log says so, beyond the plan.
    pub decided: Option<Position>,
    /// Its dispatches, one a workflow call of the plan.
    pub calls: Vec<Call>,
    /// What people want of it, and wanted.
    #[serde(default)]
    pub orders: Option<Box<Orders>>,
    /// How many of its parents have not succeeded.
    #[serde(skip)]
    pub unmet_parents: u32,
    /// Its parents have succeeded and so has it, or it lets order pass through.
    #[serde(skip)]
    pub met: bool,
}

/// What people want of a stack, and wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// It is to be dispatched again; a release ends it.
    pub retry: Option<Asked>,
    /// It is to be cancelled; a decision ends it.
    pub cancel: Option<Asked>,
    /// It was cancelled: it is not dispatched any more until somebody has it retried.
    pub withdrawn: Option<Asked>,
    /// Its newest attempt was asked for.
    pub retried: Option<Asked>,
}

/// What was decided about a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Nothing yet.
    Waiting,
    /// It may be dispatched.
    Released {
        /// Which attempt.
        attempt: u32,
        /// When.
        at: Timestamp,
    },
    /// It does not run; order passes through.
    Skipped(SkipReason),
    /// It cannot run, nor can those below.
    Refused(RefuseReason),
}

/// One workflow of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The dispatch of the current attempt.
    pub dispatch: DispatchId,
    /// How far it is.
    pub stage: Stage,
}

/// How far a dispatch is, from release to conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Not claimed.
    Unclaimed,
    /// Claimed; no result that ends the claim.
    Dispatching,
    /// GitHub took it; nothing more is known.
    Accepted,
    /// It waits for a runner or a concurrency group.
    Queued,
    /// Somebody has to approve it at GitHub.
    AwaitingApproval,
    /// It runs.
    Running,
    /// It ended.
    Concluded(Conclusion),
    /// GitHub refused it.
    Refused,
    /// Nobody can tell whether it happened; a person has to.
    Undecidable,
}

impl Stack {
    /// Every one of its workflows ended well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        !self.calls.is_empty()
            && self.calls.iter().all(
                |call| matches!(&call.stage, Stage::Concluded(conclusion) if conclusion.lets_children_go()),
            )
    }

    /// The conclusion (or refusal) that keeps its children from going, until a later attempt succeeds.
    #[must_use]
    pub fn failure(&self) -> Option<&Stage> {
        self.calls.iter().map(|call| &call.stage).find(|stage| stage.is_failure())
    }

    /// Somebody wants it to be dispatched again.
    #[must_use]
    pub fn retry(&self) -> Option<&Asked> {
        self.orders.as_ref().and_then(|orders| orders.retry.as_ref())
    }

    /// Somebody wants it to be cancelled, and that is not decided yet.
    #[must_use]
    pub fn cancel(&self) -> Option<&Asked> {
        self.orders.as_ref().and_then(|orders| orders.cancel.as_ref())
    }

    /// Somebody cancelled it: what was not sent is not sent any more.
    #[must_use]
    pub fn withdrawn(&self) -> Option<&Asked> {
        self.orders.as_ref().and_then(|orders| orders.withdrawn.as_ref())
    }

    /// Somebody asked for its newest attempt.
    #[must_use]
    pub fn retried(&self) -> Option<&Asked> {
        self.orders.as_ref().and_then(|orders| orders.retried.as_ref())
    }

    /// Dispatch attempts so far.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        match self.progress {
            Progress::Released { attempt, .. } => attempt,
            Progress::Waiting | Progress::Skipped(_) | Progress::Refused(_) => 0,
        }
    }

    /// It did not end well, or was withdrawn or cannot run, and nobody has asked to retry it: what is below waits for a
    /// person, and not for its turn.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        let withdrawn = self.withdrawn().is_some() && !self.in_flight() && !self.succeeded();
        matches!(self.progress, Progress::Refused(_))
            || (self.retry().is_none() && (self.failure().is_some() || withdrawn))
    }

    /// Nothing of it ever came to GitHub, or nothing that GitHub took.
    #[must_use]
    pub fn never_ran(&self) -> bool {
        let never = |call: &Call| matches!(call.stage, Stage::Unclaimed | Stage::Refused);
        self.attempt() <= 1 && self.calls.iter().all(never)
    }

    /// Somebody has cancelled it, or wants it to be: nothing of it is sent.
    pub(crate) fn is_called_off(&self) -> bool {
        self.withdrawn().is_some() || self.cancel().is_some()
    }

    /// It waits for its parents, and for nobody else.
    pub(crate) fn may_be_released(&self) -> bool {
        self.progress == Progress::Waiting && !self.is_called_off()
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.retry().is_some() || self.cancel().is_some()
    }

    /// Its calls that a dispatcher may claim.
    pub(crate) fn to_be_claimed(&self) -> impl Iterator<Item = usize> + '_ {
        let off = self.is_called_off();
        let unclaimed =
            self.calls.iter().enumerate().filter(move |(_, call)| !off && call.stage == Stage::Unclaimed);
        unclaimed.map(|(call, _)| call)
    }

    /// Something of it may be running at GitHub, or about to.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.calls.iter().any(|call| call.stage != Stage::Unclaimed && call.stage.is_unsettled())
    }
}

impl Stage {
    /// It has not ended.
    #[must_use]
    pub const fn is_unsettled(&self) -> bool {
        match self {
            Self::Concluded(_) | Self::Refused => false,
            Self::Unclaimed
            | Self::Dispatching
            | Self::Accepted
            | Self::Queued
            | Self::AwaitingApproval
            | Self::Running
            | Self::Undecidable => true,
        }
    }

    /// It ended, and not well.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Concluded(conclusion) => !conclusion.lets_children_go(),
            Self::Refused => true,
            Self::Unclaimed
            | Self::Dispatching
            | Self::Accepted
            | Self::Queued
            | Self::AwaitingApproval
            | Self::Running
            | Self::Undecidable => false,
        }
    }
}
