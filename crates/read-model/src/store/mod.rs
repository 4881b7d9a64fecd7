//! One file with its tables: a thread that writes, connections that read, and how far each stream is in it.

mod files;
mod pool;
mod track;
mod writer;

pub(crate) use self::{files::Files, track::Mark};

use self::{
    pool::Pool,
    track::Tracks,
    writer::{Job, Pending},
};
use crate::{
    changes::Changes,
    error::{OpenError, ReadError},
};
use futures::future::BoxFuture;
use rusqlite::Connection;
use stackwave_domain::StreamId;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// So many rows of the live loop may wait to be written while the past is folded.
const FULL: usize = 8_192;

/// So many changes of the catch-up wait to be written.
const WAITING: usize = 2;

/// One file. It is written until it is closed.
pub(crate) struct Store {
    path: PathBuf,
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Arc<Semaphore>,
    pool: Pool,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: CancellationToken,
}

/// What the writing thread and everybody else know.
pub(crate) struct Shared {
    pending: Pending,
    tracks: Mutex<Tracks>,
    /// Everything that the log held when it was begun is in it.
    complete: AtomicBool,
    /// Counts commits, and wakes who waits for one.
    commits: watch::Sender<u64>,
    /// What made it unusable.
    broken: watch::Sender<Option<String>>,
}

impl Shared {
    pub(crate) fn tracks<T>(&self, with: impl FnOnce(&mut Tracks) -> T) -> T {
        with(&mut self.tracks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Opens a file whose tables are there. `complete` says whether everything was in it before.
    pub(crate) fn open(path: &Path, tables: Connection, complete: bool) -> Result<Self, OpenError> {
        let sqlite = |error| OpenError::Sqlite { path: path.to_owned(), error };
        let tracks = Tracks::read(&tables).map_err(sqlite)?;
        let shared = Arc::new(Shared {
            pending: Pending::default(),
            tracks: Mutex::new(tracks),
            complete: AtomicBool::new(complete),
            commits: watch::Sender::new(0),
            broken: watch::Sender::new(None),
        });
        let (jobs, inbox) = mpsc::unbounded_channel();
        let thread = writer::start(tables, Arc::clone(&shared), inbox)
            .map_err(|error| OpenError::Folder { path: path.to_owned(), error })?;
        Ok(Self {
            path: path.to_owned(),
            shared,
            jobs,
            waiting: Arc::new(Semaphore::new(WAITING)),
            pool: Pool::new(path),
            thread: Mutex::new(Some(thread)),
            closed: CancellationToken::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.shared.complete.load(Ordering::Acquire)
    }

    /// Wakes at each commit.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }

    /// Wakes when it is closed.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Wakes when it has become unusable.
    pub(crate) fn broken(&self) -> watch::Receiver<Option<String>> {
        self.shared.broken.subscribe()
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.shared.broken.borrow().is_some()
    }

    /// Notes that it is unusable.
    pub(crate) fn break_off(&self, error: &str) {
        self.shared.broken.send_replace(Some(error.to_owned()));
    }

    /// Takes over what the live loop projected. Returns at once; what waits to be written is united.
    pub(crate) fn push(&self, stream: StreamId, changes: Changes) {
        if self.shared.pending.add(stream, changes) {
            // The thread is gone after a close: then nobody wants it any more.
            let _ = self.jobs.send(Job::Live);
        }
    }

    /// Waits until little of what the live loop projected of a stream is still to be written; none when that is so.
    pub(crate) fn room(self: &Arc<Self>, stream: StreamId) -> Option<BoxFuture<'static, ()>> {
        let is_full = move |store: &Self| store.shared.pending.rows(stream) >= FULL && !store.is_broken();
        if !is_full(self) {
            return None;
        }
        let store = Arc::clone(self);
        Some(Box::pin(async move {
            let (mut commits, mut broken) = (store.commits(), store.broken());
            while is_full(&store) {
                tokio::select! {
                    () = store.closed() => return,
                    _ = commits.changed() => {},
                    _ = broken.changed() => {},
                }
            }
        }))
    }

    /// Much is about to come: everything that a long log holds.
    pub(crate) fn expect_much(&self) {
        let _ = self.jobs.send(Job::Much);
    }

    /// Takes over what the catch-up projected, once there is room.
    pub(crate) async fn catch_up(&self, stream: StreamId, changes: Changes) {
        let permit: Option<OwnedSemaphorePermit> = Arc::clone(&self.waiting).acquire_owned().await.ok();
        let _ = self.jobs.send(Job::CatchUp(stream, Box::new(changes), permit));
    }

    /// Everything that the log held is in it. Returns once it says so itself: only then may it take another's place.
    pub(crate) async fn finish(&self) {
        let mut commits = self.commits();
        let _ = self.jobs.send(Job::Finish);
        while !self.is_complete() {
            if commits.changed().await.is_err() {
                return;
            }
        }
    }

    /// Reads on a connection of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.pool.read(read).await
    }

    /// Its bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        files::of_database(&self.path)
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|file| file.len())
            .sum()
    }

    /// Writes what waits, and closes the file.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        let _ = self.jobs.send(Job::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ended badly only after it had said why.
            let _ = thread.join();
        }
        self.pool.close();
    }
}
