//! What can go wrong, by what the caller can do about it.

use stackwave_domain::{Position, codec::CodecError, record::HydrateError};

/// An append did not land, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody wrote to the subject before. Fold up to the end, then decide again.
    #[error("the subject's last record is not at position {expected}")]
    Conflict {
        /// What was expected.
        expected: Position,
    },
    /// The answer was lost: the record may be in the log.
    #[error("the append's outcome is unknown: {0}")]
    Unknown(String),
    /// It certainly did not land; the same append may be tried again.
    #[error("the event log cannot take records: {0}")]
    Unavailable(String),
    /// The record is larger than the log takes, or cannot be written; trying again is no use.
    #[error(transparent)]
    Invalid(#[from] CodecError),
}

/// The log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is out of reach; try again later.
    #[error("the event log is out of reach: {0}")]
    Unavailable(String),
    /// What lies there is no record, or no blob of that digest. Nothing after it may be folded.
    #[error("the event log holds something unreadable at {at}: {error}")]
    Corrupt {
        /// Where.
        at: String,
        /// What.
        error: String,
    },
    /// It cannot be opened as asked; the message says what to change.
    #[error("{0}")]
    Setup(String),
}

impl LogError {
    /// A record that does not decode.
    #[must_use]
    pub fn undecodable(position: Position, error: &CodecError) -> Self {
        Self::Corrupt { at: format!("position {position}"), error: error.to_string() }
    }
}

impl From<HydrateError> for LogError {
    fn from(error: HydrateError) -> Self {
        Self::Corrupt { at: "a blob".to_owned(), error: error.to_string() }
    }
}
