//! The one thread that writes.

use super::{
    Shared,
    track::{self, Mark},
};
use crate::{
    changes::Changes,
    write::{Known, Writer},
};
use rusqlite::Connection;
use stackwave_domain::StreamId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// What the thread is told.
pub(super) enum Job {
    /// Something of the live loop waits.
    Live,
    /// Something of the catch-up; the permit lets the next come.
    CatchUp(StreamId, Box<Changes>, Option<OwnedSemaphorePermit>),
    /// Much is about to come.
    Much,
    /// Everything that the log held is in the tables.
    Finish,
    /// Writes what waits, and ends.
    Stop,
}

/// What of the live loop waits to be written, by stream.
#[derive(Default)]
pub(super) struct Pending(Mutex<BTreeMap<StreamId, Changes>>);

impl Pending {
    /// Whether nothing waited before.
    pub(super) fn add(&self, stream: StreamId, changes: Changes) -> bool {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = pending.is_empty();
        pending.entry(stream).or_default().absorb(changes);
        was_empty
    }

    /// How many rows of a stream wait.
    pub(super) fn rows(&self, stream: StreamId) -> usize {
        let pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.get(&stream).map_or(0, Changes::rows)
    }

    fn take(&self) -> BTreeMap<StreamId, Changes> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Commits of the live loop are so far apart: what comes meanwhile is united, and the processor is left to who acts.
const APART: Duration = Duration::from_millis(15);

pub(super) fn start(
    tables: Connection,
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedReceiver<Job>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("read-model".to_owned()).spawn(move || {
        if let Err(error) = run(&tables, &shared, jobs) {
            tracing::error!(%error, "the read model cannot be written");
            shared.broken.send_replace(Some(error.to_string()));
        }
    })
}

fn run(tables: &Connection, shared: &Shared, mut jobs: mpsc::UnboundedReceiver<Job>) -> rusqlite::Result<()> {
    let mut known = Known::default();
    pace(tables, false)?;
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Live => {
                live(tables, &mut known, shared)?;
                std::thread::sleep(APART);
            }
            Job::CatchUp(stream, changes, permit) => {
                catch_up(tables, &mut known, shared, stream, *changes)?;
                drop(permit);
            }
            Job::Much => pace(tables, true)?,
            Job::Finish => {
                tables.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('complete', 1)", [])?;
                shared.complete.store(true, Ordering::Release);
                pace(tables, false)?;
                shared.commits.send_modify(|commits| *commits += 1);
            }
            Job::Stop => {
                live(tables, &mut known, shared)?;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// While much is built, rows go everywhere in large indices: more of them is kept in memory, and they are brought to
/// their places less often. Afterwards the memory is given back, and a checkpoint, whose sync competes with the log's own, comes
/// once for each 32 MiB.
fn pace(tables: &Connection, building: bool) -> rusqlite::Result<()> {
    let (cache_kib, checkpoint_pages) = if building { (96 * 1024, 24 * 1024) } else { (8 * 1024, 4 * 1024) };
    tables.pragma_update(None, "cache_size", -cache_kib)?;
    tables.pragma_update(None, "wal_autocheckpoint", checkpoint_pages)?;
    if !building {
        tables.execute_batch("PRAGMA shrink_memory")?;
    }
    Ok(())
}

fn live(tables: &Connection, known: &mut Known, shared: &Shared) -> rusqlite::Result<()> {
    let pending = shared.pending.take();
    if pending.is_empty() {
        return Ok(());
    }
    let transaction = tables.unchecked_transaction()?;
    for (stream, changes) in pending {
        Writer { tables, known }.apply(&changes)?;
        let mark = Mark { position: changes.upto, record: changes.tip };
        let done = shared.tracks(|tracks| {
            tracks.lived(stream, mark);
            tracks.get(stream).done
        });
        track::write(tables, stream, &done)?;
    }
    transaction.commit()?;
    shared.commits.send_modify(|commits| *commits += 1);
    Ok(())
}

fn catch_up(
    tables: &Connection,
    known: &mut Known,
    shared: &Shared,
    stream: StreamId,
    changes: Changes,
) -> rusqlite::Result<()> {
    let transaction = tables.unchecked_transaction()?;
    Writer { tables, known }.apply(&changes)?;
    let mark = Mark { position: changes.upto, record: changes.tip };
    let done = shared.tracks(|tracks| {
        tracks.caught_up(stream, mark);
        tracks.get(stream).done
    });
    track::write(tables, stream, &done)?;
    transaction.commit()?;
    shared.commits.send_modify(|commits| *commits += 1);
    Ok(())
}
