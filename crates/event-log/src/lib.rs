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

mod absent;
mod append;
mod asides;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod filter;
mod leases;
mod search;
mod snapshots;
mod stats;
mod upkeep;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject, Timestamp};

pub use absent::Absent;
pub use append::{Append, Appended, Expect};
pub use asides::{Aside, AsideInfo, Asides, MAX_ASIDE_BYTES};
pub use error::{AppendError, LogError};
pub use filter::{Filter, RawRecord};
pub use leases::{HeldLease, Lease, LeaseError, Leases, LocalLeases, Member};
pub use search::Bisection;
pub use snapshots::{SnapshotKey, Snapshots, StoredSnapshot, superseded};
pub use stats::{AccountStats, ClusterStats, EngineStats, LogStats, StoreStats, StreamStats};
pub use upkeep::{BlobInfo, Freed, KeepLast, Upkeep, is_checked};

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

    /// Up to `limit` records of one repository or one subject from a position on, in order; fewer also when they lie far
    /// apart, otherwise as [`EventLog::read`]. No engine hands over the records between, but a server looks through
    /// them: who knows where the last one lies asks for no more once it has that one.
    ///
    /// # Errors
    /// The log is out of reach or cannot be read.
    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError>;

    /// Up to `limit` records of a stream from a position on, byte for byte as they are stored and whether or not they
    /// can be decoded: for exports, copies and comparisons.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError>;

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

    /// The position of the stream's first record: 1 until the stream was purged. None when it is empty.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError>;

    /// The position of the first record that was written at `time` or later; one past the last when all are older.
    /// Records carry their writers' clocks, so it is as exact as those agree.
    ///
    /// # Errors
    /// The log is out of reach or cannot be read.
    async fn position_at(&self, stream: StreamId, time: Timestamp) -> Result<Position, LogError> {
        search::position_at(self, stream, time).await
    }

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

    /// Where snapshots of folds are kept. Unless the engine has a place for them, none are.
    fn snapshots(&self) -> &dyn Snapshots {
        &Absent
    }

    /// Who works on what.
    fn leases(&self) -> &dyn Leases;

    /// Bodies that are kept aside for a while. Unless the engine has a place for them, none are.
    fn asides(&self) -> &dyn Asides {
        &Absent
    }

    /// Growth and figures. Unless the engine can be kept, every operation is refused.
    fn upkeep(&self) -> &dyn Upkeep {
        &Absent
    }
}
