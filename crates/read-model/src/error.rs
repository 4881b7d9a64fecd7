//! What can go wrong.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// A question that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is being built for the first time.
    #[error("the read model is being built: {:.0} % of the event log is read", progress * 100.0)]
    Building {
        /// From 0 to 1.
        progress: f64,
    },
    /// It is switched off in this process.
    #[error(
        "this process has no read model (STACKWAVE_READ_MODEL=off); ask another replica, or switch it on"
    )]
    Off,
    /// The page token is none of ours, or of another listing.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// SQLite failed.
    #[error("the read model cannot be read: {0}; `stackwave read-model rebuild` makes it anew")]
    Failed(String),
    /// Its file is damaged. It is built anew by itself.
    #[error("the read model is damaged and is built anew: {0}")]
    Broken(String),
}

/// A page token that cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was made up, or cut.
    #[error("this server gave no such token")]
    Unknown,
    /// The filters are not those of the page before.
    #[error("it belongs to a listing with other filters")]
    OtherFilters,
}

/// The read model cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The event log cannot be read.
    #[error("the read model cannot be compared with the event log: {0}")]
    Log(#[from] stackwave_event_log::LogError),
    /// Its folder cannot be made.
    #[error("the folder of the read model `{path}` cannot be made: {error}")]
    Folder {
        /// The read model's path.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Its file cannot be locked: every name is taken by other processes.
    #[error(
        "the read model `{path}` and its neighbours are in use by other processes; set STACKWAVE_READ_MODEL to a path of this one's own"
    )]
    InUse {
        /// The read model's path.
        path: PathBuf,
    },
    /// Its file cannot be used.
    #[error("the read model `{path}` cannot be opened: {error}")]
    Sqlite {
        /// The read model's path.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Broken(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
