//! Keeping a log from growing for ever, and its figures.

use crate::{LogError, LogStats};
use async_trait::async_trait;
use stackwave_domain::{Digest, Position, StreamId, Subject, Timestamp};

/// What was freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Records, or blobs.
    pub count: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl std::ops::AddAssign for Freed {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.bytes += more.bytes;
    }
}

/// Whether the last record of a subject stays; [`is_checked`] is one.
pub type KeepLast = fn(&Subject) -> bool;

/// A blob that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its name.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// When it was last stored, to the hour, where that is known.
    pub stored_at: Option<Timestamp>,
}

/// Operations on a whole log. None of them disturbs those who append or follow.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Removes a stream's records up to and including `through`, for good, and gives their space back. These stay:
    /// - the last record of each subject for which `keep_last` holds ([`is_checked`]), so that [`Expect::Last`] goes on
    ///   working: a purged subject has position 0 again, and a stale writer who expects that would win;
    /// - the last record of the stream, so that nobody forgets where it ends.
    ///
    /// Whoever calls it makes sure that nothing before `through` is needed any more. Broken off in the middle it is called
    /// again.
    ///
    /// [`Expect::Last`]: crate::Expect::Last
    ///
    /// # Errors
    /// The log is out of reach, or open for reading only; some records may be gone already.
    async fn purge(
        &self,
        stream: StreamId,
        through: Position,
        keep_last: KeepLast,
    ) -> Result<Freed, LogError>;

    /// All blobs, in no particular order.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn list_blobs(&self) -> Result<Vec<BlobInfo>, LogError>;

    /// Removes those of the blobs that are there and were last stored before `stored_before` (or nobody knows when): one
    /// that was stored again meanwhile is about to be needed.
    ///
    /// # Errors
    /// The log is out of reach, or open for reading only; some blobs may be gone already.
    async fn delete_blobs(&self, digests: &[Digest], stored_before: Timestamp) -> Result<Freed, LogError>;

    /// The log's figures. Costs a few requests, or reads no more than a few pages of the file.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn stats(&self) -> Result<LogStats, LogError>;
}

/// Whether appends to the subject are checked against its last record (design §3.2), so that this record must stay.
#[must_use]
pub fn is_checked(subject: &Subject) -> bool {
    let kind = subject.kind();
    match subject.stream() {
        StreamId::Config => true,
        StreamId::Partition(_) => {
            kind == "ledger" || ["comment.", "check.", "lock."].iter().any(|start| kind.starts_with(start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{PrNumber, RepositoryId, WorkspaceId};

    #[test]
    fn what_is_appended_with_an_expectation_keeps_its_last_record() {
        let (stream, repository) = (StreamId::Partition(0), RepositoryId(7));
        let workspace = WorkspaceId::default_workspace();
        for subject in [
            Subject::ledger(stream, repository),
            Subject::comment(stream, repository, &workspace, PrNumber(1)),
            "sw.00.7.check.default.abc".parse().unwrap(),
            "sw.00.7.lock.abc".parse().unwrap(),
            Subject::config("repository", "7"),
            Subject::config_upload(),
        ] {
            assert!(is_checked(&subject), "{subject}");
        }
        for subject in [
            Subject::upload(stream, repository),
            Subject::dispatch(stream, repository),
            Subject::github(stream, repository, "check_run"),
        ] {
            assert!(!is_checked(&subject), "{subject}");
        }
    }
}
