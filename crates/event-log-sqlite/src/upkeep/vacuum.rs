//! Gives free pages back to the file system.

use rusqlite::{Connection, wal::CheckpointMode};

/// So many free pages stay for what is written next: 8 MiB.
const KEPT_PAGES: u64 = 2048;
/// So many pages are given back at once: some tens of milliseconds of the writer's time.
const STEP_PAGES: u64 = 2000;
/// `auto_vacuum` of a file that gives pages back one by one.
const INCREMENTAL: u64 = 2;

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Yes,
    No,
}

/// Gives some pages back.
pub(super) fn step(connection: &Connection) -> rusqlite::Result<More> {
    let free = number(connection, "freelist_count")?;
    if free <= KEPT_PAGES {
        checkpoint(connection);
        return Ok(More::No);
    }
    if number(connection, "auto_vacuum")? != INCREMENTAL {
        // A file of an older version: it is written anew once, and is then like a new one.
        tracing::info!(free, "the event log's file is written anew to give its free pages back");
        if let Err(error) = connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM") {
            tracing::warn!(%error, "the event log's file was not written anew; its free pages stay in it");
        }
        checkpoint(connection);
        return Ok(More::No);
    }
    let pages = STEP_PAGES.min(free - KEPT_PAGES);
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    // Each row stands for a page.
    while rows.next()?.is_some() {}
    Ok(More::Yes)
}

/// The file becomes shorter once it holds what the write-ahead log says.
fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE) {
        tracing::debug!(%error, "the event log's file becomes shorter at a later checkpoint");
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}
