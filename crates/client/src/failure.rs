//! Why a verb could not do what it was asked, in one sentence that says what to do.

use std::{io, path::PathBuf};

/// It was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No server was reached, the connection to it broke, or what was waited for did not come in time.
    #[error("{0}")]
    Unreachable(String),
    /// The server refused the credential.
    #[error("{0}")]
    Credential(String),
    /// The server does not have what was asked for, or cannot do it as things stand.
    #[error("{0}")]
    Refused(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    WrongUse(String),
    /// A file that an option or a variable names.
    #[error("the {what} `{}` cannot be used: {error}", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The answer could not be printed.
    #[error("the answer cannot be printed: {0}")]
    Print(#[from] io::Error),
}

/// What a process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It was not found, not possible, or not printed.
    Failed = 1,
    /// An argument, a setting or a file that it names cannot be used.
    WrongUse = 2,
    /// No server was reached, it is not ready, or what was waited for did not come in time: the same may work later.
    Unreachable = 3,
    /// The token is missing, wrong, revoked, expired or too weak.
    Credential = 4,
}

impl Failure {
    /// What the process ends with.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Credential(_) => Exit::Credential,
            Self::Refused(_) | Self::Print(_) => Exit::Failed,
            Self::WrongUse(_) | Self::File { .. } => Exit::WrongUse,
        }
    }
}
