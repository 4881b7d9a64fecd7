//! What is appended, under which condition, and what comes of it.

use stackwave_domain::{Position, Receipt, Record, Subject};

/// The position check of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// None: the record is an observation or a result, which is never refused.
    Any,
    /// The last record of the subject lies exactly here; [`Position::START`] when there is none yet.
    Last(Position),
}

/// What is appended.
#[derive(Clone, Debug)]
pub struct Append {
    /// Where to.
    pub subject: Subject,
    /// What.
    pub record: Record,
    /// Under which condition.
    pub expect: Expect,
    /// A name under which the log drops a second append for a while (at least two minutes) and answers with the
    /// position of the first. A help only: the fold knows duplicates for ever. Never together with [`Expect::Last`].
    pub message_id: Option<String>,
}

impl Append {
    /// An append without a condition.
    #[must_use]
    pub const fn any(subject: Subject, record: Record) -> Self {
        Self { subject, record, expect: Expect::Any, message_id: None }
    }

    /// An append that holds only if the subject's last record lies at `last`.
    #[must_use]
    pub const fn after(subject: Subject, record: Record, last: Position) -> Self {
        Self { subject, record, expect: Expect::Last(last), message_id: None }
    }

    /// Names the append, so that the log drops a repeat.
    #[must_use]
    pub fn named(mut self, message_id: impl Into<String>) -> Self {
        self.message_id = Some(message_id.into());
        self
    }
}

/// An acknowledged append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The proof; at a duplicate, of the first record.
    pub receipt: Receipt,
    /// The message id was known: nothing was written, and the position is that of the first record.
    pub duplicate: bool,
}
