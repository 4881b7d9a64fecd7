//! What a caller of the simulation can get wrong.

use std::time::Duration;

/// Why a call to the simulation did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port could not be bound.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Bind {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is no such thing in the simulated GitHub.
    #[error("there is no {what} in the simulated GitHub")]
    Unknown {
        /// For instance ``pull request 7 of `acme/infra` ``.
        what: String,
    },
    /// It exists, but its state does not allow that.
    #[error("{what} cannot be {wish}: it is {state}")]
    Impossible {
        /// The thing.
        what: String,
        /// What was asked for, as a participle.
        wish: &'static str,
        /// The state in the way.
        state: String,
    },
    /// A condition did not come true in time.
    #[error("waited {waited:?} in vain for {what}; the simulated GitHub has: {found}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// Counts and the newest entries of the logs.
        found: String,
    },
}

impl Error {
    pub(crate) fn unknown(what: impl Into<String>) -> Self {
        Self::Unknown { what: what.into() }
    }
}

/// Result of a call to the simulation.
pub type Result<T, E = Error> = std::result::Result<T, E>;
