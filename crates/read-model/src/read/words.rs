//! Numbers and texts of words, as they are asked for.

use crate::{codec, schema::Word};
use rusqlite::{Connection, OptionalExtension as _, params};
use stackwave_domain::{RepositoryId, WorkspaceId};
use std::collections::HashSet;

/// The number of a word; none when no row can have it.
pub(super) fn find(tables: &Connection, kind: Word, text: &str) -> rusqlite::Result<Option<i64>> {
    tables
        .prepare_cached("SELECT id FROM words WHERE kind = ? AND text = ?")?
        .query_row(params![kind.number(), text], |row| row.get(0))
        .optional()
}

/// The words of a kind that contain a text, in lower case.
pub(super) fn containing(tables: &Connection, kind: Word, text: &str) -> rusqlite::Result<HashSet<i64>> {
    let mut statement = tables.prepare_cached("SELECT id, text FROM words WHERE kind = ?")?;
    let mut rows = statement.query([kind.number()])?;
    let mut found = HashSet::new();
    while let Some(row) = rows.next()? {
        let word = row.get_ref(1)?.as_str().unwrap_or_default();
        if word.to_lowercase().contains(text) {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

/// The places of a repository, or those of it that a workspace has.
pub(super) fn places(
    tables: &Connection,
    repository: RepositoryId,
    workspace: Option<&WorkspaceId>,
) -> rusqlite::Result<Vec<i64>> {
    let word = match workspace {
        None => None,
        Some(workspace) => match find(tables, Word::Workspace, workspace.as_str())? {
            Some(word) => Some(word),
            None => return Ok(Vec::new()),
        },
    };
    let mut statement = tables.prepare_cached(
        "SELECT id FROM places WHERE repository = ?1 AND (?2 IS NULL OR workspace = ?2) ORDER BY id",
    )?;
    let places = statement.query_map(params![codec::number(repository.0), word], |row| row.get(0))?;
    places.collect()
}
