//! SQLite's errors as those of the port.

use rusqlite::ErrorCode;
use stackwave_event_log::LogError;
use std::path::Path;

/// What a failed read, or a failed opening, of the file at `path` means to the caller.
pub(crate) fn log(path: &Path, error: &rusqlite::Error) -> LogError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            LogError::Setup(format!("`{}` is no SQLite database, so no event log", path.display()))
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            LogError::Corrupt { at: format!("`{}`", path.display()), error: error.to_string() }
        }
        _ => LogError::Unavailable(format!("`{}`: {error}", path.display())),
    }
}
