//! Files that options name.

use crate::failure::Failure;
use std::path::Path;

/// What a file holds, without blanks around it; `what` says what it should hold.
pub(crate) fn read(what: &'static str, path: &Path) -> Result<String, Failure> {
    let unusable = |error: String| Failure::File { what, path: path.to_owned(), error };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let text = text.trim();
    if text.is_empty() { Err(unusable("it is empty".to_owned())) } else { Ok(text.to_owned()) }
}
