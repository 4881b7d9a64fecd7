//! Rows into tables. A row replaces another only if it was touched later, so changes may come in any order: those of the
//! live loop while the catch-up is still at an older place.

mod commands;
mod dispatches;
mod logged;
mod pulls;
mod runs;
mod stacks;
mod words;

pub(crate) use self::{
    dispatches::{pack_id, unpack_id},
    logged::{pack_guid, unpack_guid},
    runs::{INFERRED, MUTATING, ZONE_BITS},
    words::Known,
};

use crate::changes::Changes;
use rusqlite::Connection;

/// One write transaction, and what is known without asking.
pub(crate) struct Writer<'a> {
    pub(crate) tables: &'a Connection,
    pub(crate) known: &'a mut Known,
}

impl Writer<'_> {
    /// Takes over all rows. The caller makes and commits the transaction, and says how far the stream is done.
    pub(crate) fn apply(&mut self, changes: &Changes) -> rusqlite::Result<()> {
        for change in changes.runs.values() {
            self.put_run(change)?;
        }
        for change in changes.pulls.values() {
            self.put_pull(change)?;
        }
        for change in changes.dispatches.values() {
            self.put_dispatch(change)?;
        }
        for change in changes.commands.values() {
            self.put_command(change)?;
        }
        for change in &changes.uploads {
            self.put_upload(change)?;
        }
        for (batch, whole) in &changes.complete {
            self.tables
                .prepare_cached("INSERT OR REPLACE INTO batches (batch, whole) VALUES (?, ?)")?
                .execute([batch, whole])?;
        }
        for change in &changes.deliveries {
            self.put_delivery(change)?;
        }
        Ok(())
    }
}

/// Inserts under the first key that is free, from `key` on; `insert` says whether it was.
fn insert_at(key: i64, mut insert: impl FnMut(i64) -> rusqlite::Result<bool>) -> rusqlite::Result<i64> {
    let mut key = key;
    while !insert(key)? {
        key += 1;
    }
    Ok(key)
}
