//! Which records of a stream are read, and a record as it is stored.

use bytes::Bytes;
use stackwave_domain::{Position, RepositoryId, Subject, Timestamp};

/// Some of a stream's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All records of a repository.
    Repository(RepositoryId),
    /// All records of exactly this subject.
    Subject(Subject),
}

impl Filter {
    /// Whether a record of this subject is among them.
    #[must_use]
    pub fn takes(&self, subject: &Subject) -> bool {
        match self {
            Self::Repository(repository) => subject.repository() == Some(*repository),
            Self::Subject(wanted) => subject == wanted,
        }
    }
}

/// A record as the log stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Its place in its stream.
    pub position: Position,
    /// Its subject, as text: it may be none of ours.
    pub subject: String,
    /// When the engine stored it, by the engine's clock, if it says so.
    pub stored_at: Option<Timestamp>,
    /// Its JSON.
    pub body: Bytes,
}
