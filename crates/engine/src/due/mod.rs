//! What is due: questions to the state, each answered by a pure function. Nothing here acts.
//!
//! Every answer names the moment at which it should be asked again although nothing was folded (`again_at`).

mod cancels;
mod claims;
mod comments;
mod decisions;
mod exclusion;
mod openings;
mod polls;

pub use cancels::{DueCancel, due_cancels};
pub use claims::{Candidate, Identification, due_dispatches, identify, inputs_for, may_claim};
pub use comments::{due_comments, has_comment};
pub use decisions::due_decisions;
pub use exclusion::{Hold, hold_on};
pub(crate) use exclusion::{Retrying, failed_ancestor, retrying};
pub use polls::{Lookup, Polls, Resync, due_failed, due_polls};

use stackwave_domain::Timestamp;

/// An answer with the moment at which to ask again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due<T> {
    /// What is due now.
    pub now: T,
    /// When something may become due without a record; none when only a record can make it so.
    pub again_at: Option<Timestamp>,
}

/// The earlier of two moments to ask again.
#[must_use]
pub fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
