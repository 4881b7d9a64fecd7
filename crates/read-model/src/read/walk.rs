//! Going down a list and keeping what a search finds.
//!
//! A search that finds much is quickest answered by going down the list and looking at each row; one that finds little by
//! an index of the texts. Nobody knows before which it is, so it begins with the first, and after some rows turns to the
//! second.

use super::keys::{Key, Merge};
use rusqlite::Connection;

/// What a walk came to.
pub(super) struct Walk {
    /// What it found, from the top down.
    pub(super) found: Vec<Key>,
    /// Where it stopped before the list ended; none when there is nothing below.
    pub(super) stopped_at: Option<Key>,
}

/// Goes down until `wanted` rows were found, the list ends, or `patience` rows were looked at.
pub(super) fn walk(
    tables: &Connection,
    keys: &mut Merge,
    wanted: usize,
    patience: usize,
    mut accept: impl FnMut(Key) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Walk> {
    let mut found = Vec::new();
    let mut looked = 0;
    while let Some(key) = keys.next(tables)? {
        if accept(key)? {
            found.push(key);
        }
        looked += 1;
        if found.len() >= wanted || looked >= patience {
            return Ok(Walk { found, stopped_at: Some(key) });
        }
    }
    Ok(Walk { found, stopped_at: None })
}

/// How many rows are looked at before the index of the texts is asked.
pub(super) fn patience(wanted: usize) -> usize {
    (wanted * 2).max(200)
}
