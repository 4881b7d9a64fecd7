//! The port to the event log: what an append, a read and a follow mean, whichever engine holds the records.
//!
//! Adapters are `stackwave-event-log-sqlite` (one process, one file) and `stackwave-event-log-nats` (JetStream). Both
//! pass the `conformance` suite (feature `conformance`). Nothing else in the system knows which one it has.
//!
//! What every adapter promises:
//! - **Durable**: an acknowledged append survives a kill of the process and, where the engine is set up for it, of the
//!   machine.
//! - **Ordered**: a stream has one total order; positions grow, starting at 1 (gaps are allowed).
//! - **Checked**: an append with [`Expect::Last`] lands only if the last record of exactly that subject has exactly
//!   that position.
//! - **Whole**: a record lands whole or not at all.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use stackwave_domain::{Digest, Entry, Position, Receipt, Record, StreamId, Subject};

pub use error::{AppendError, LogError};

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

/// A batch of a follower, and a page of a read, never holds more records than this.
pub const MAX_BATCH: usize = 1024;

/// Records as a follower gets them: in order, each once, in batches of whatever is there (never empty, at most
/// [`MAX_BATCH`]). A record that cannot be read is an error after all those before it, and the end.
pub type Entries = BoxStream<'static, Result<Vec<Entry>, LogError>>;

/// The event log. Cheap to clone behind an `Arc`; every method may be called from any task.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends one record and returns when it is durable.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when the expectation does not hold, [`AppendError::Unknown`] when the answer was lost:
    /// the record may be in the log. With an expectation read [`EventLog::last`] and look for the record id; without
    /// one append again.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// Up to `limit` records of a stream from a position on, in order; fewer when they are large or would be more than
    /// [`MAX_BATCH`]. Empty at the end only. A record that cannot be read is an error once it is the first asked for.
    ///
    /// # Errors
    /// The log is out of reach or cannot be read.
    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError>;

    /// All records of a stream from a position on, for ever: those that are there, then each as it is appended. After
    /// a lost connection it resumes by itself, without gap and without repeat. It ends only with an error that a
    /// reconnect cannot mend.
    ///
    /// # Errors
    /// The stream cannot be followed at all.
    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError>;

    /// The last record of exactly this subject, asked from the leader.
    ///
    /// # Errors
    /// The log is out of reach or cannot be read.
    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError>;

    /// The position of the stream's last record, asked from the leader; [`Position::START`] when it is empty.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError>;

    /// Stores bytes under their digest and returns when they are durable. Storing them again is cheap and safe.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError>;

    /// Bytes by their digest; none when they were never stored.
    ///
    /// # Errors
    /// The log is out of reach, or the bytes do not have that digest.
    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError>;

    /// How many partitions the installation has; fixed when it is created.
    fn partitions(&self) -> u16;

    /// Whether no other process can be writing to this log, now or since it was opened (SQLite's lock file): a claim
    /// of another process is then certainly without an owner.
    fn is_exclusive(&self) -> bool;
}
