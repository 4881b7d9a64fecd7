//! Moves what is committed from the write-ahead log into the database, beside the writer instead of in its way.

use rusqlite::{Connection, wal::CheckpointMode};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender},
    },
    thread::{self, JoinHandle},
};

/// From this many pages (of 4 KiB) on, a checkpoint is due: four times SQLite's own default, because its syncs compete
/// with those of commits. A rarer one writes a page that changed often once, and costs no commit more.
const DUE_PAGES: usize = 4000;
/// From this many on the writer waits for a checkpoint, because only then the write-ahead log can start over: under a
/// steady load there are always newer pages than a checkpoint beside the writer has reached.
const OVERDUE_PAGES: usize = 8 * 1024;

/// A thread that checkpoints when it is told.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    due: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    pages: Arc<AtomicUsize>,
}

impl Checkpointer {
    /// Starts the thread and watches the commits of the writing connection.
    pub(crate) fn start(path: &Path, writing: &mut Connection) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "fullfsync", true)?;
        let (due, wakes) = mpsc::sync_channel::<()>(1);
        let thread = thread::Builder::new()
            .name("event-log-checkpoint".to_owned())
            .spawn(move || {
                while wakes.recv().is_ok() {
                    checkpoint(&connection);
                }
            })
            .ok();
        let pages = Arc::new(AtomicUsize::new(0));
        let this = Self { due: Some(due), thread, pages };
        this.watch(writing)?;
        Ok(this)
    }

    /// Watches the commits of a writing connection.
    pub(crate) fn watch(&self, writing: &mut Connection) -> rusqlite::Result<()> {
        let pages = Arc::clone(&self.pages);
        writing.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, in_log: i32| {
            pages.store(usize::try_from(in_log).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// Called by the writer after it has answered.
    pub(crate) fn after_commit(&self, writing: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages >= OVERDUE_PAGES {
            checkpoint(writing);
        } else if pages >= DUE_PAGES
            && let Some(due) = &self.due
        {
            // A full channel means that one is due already.
            let _due_already = due.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.due.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the event log's checkpoint thread panicked");
        }
    }
}

/// The last one, by the last connection of the process. What a reader of another process has not come to yet stays in
/// the write-ahead log, and what was moved stays moved.
pub(crate) fn at_end(connection: &Connection) {
    if let Some((in_log, done)) = checkpoint(connection)
        && done < in_log
    {
        tracing::warn!(
            pages = in_log - done,
            "somebody reads the event log; a copy of the file needs its write-ahead log beside it"
        );
    }
}

/// How many pages are in the write-ahead log, and how many of them in the database too.
fn checkpoint(connection: &Connection) -> Option<(i32, i32)> {
    match connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE) {
        Ok((in_log, done)) => {
            tracing::trace!(in_log, done, "the event log was checkpointed");
            Some((in_log, done))
        }
        Err(error) => {
            tracing::warn!(%error, "the event log's write-ahead log was not checkpointed; it grows");
            None
        }
    }
}
