//! The one thread that writes, with group commit: whatever is queued goes into one transaction and costs one fsync.

mod command;
mod transaction;

pub(crate) use command::PendingAppend;

use crate::{
    checkpoint::{self, Checkpointer},
    counters::Counters,
    error,
    heads::Heads,
    lock::Lock,
    schema,
    tail::{Committed, Tails},
};
use bytes::Bytes;
use command::{Command, PendingAside, PendingBlob, Queued};
use rusqlite::{Connection, ErrorCode};
use stackwave_domain::{Digest, StreamId};
use stackwave_event_log::{AppendError, Appended, Aside, LogError};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// So many commands wait at most; who comes then waits before the queue.
const QUEUED: usize = 4096;
/// A transaction takes at most so many commands,
const BATCH_COMMANDS: usize = 1024;
/// and no further one once it has this many bytes: one huge transaction would keep the small ones waiting.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The handle of the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    queue: Option<mpsc::Sender<Queued>>,
    thread: Option<JoinHandle<Ended>>,
}

/// What a writer leaves when it has ended. It is dropped after every other connection of the process is closed: the
/// last one folds the write-ahead log into the database, and only one that writes can do that.
#[derive(Debug)]
pub(crate) struct Ended {
    connection: Connection,
    /// Given back when nothing of this process has the file open any more.
    _lock: Lock,
}

impl Ended {
    /// Moves everything into the database, so that this one file is a whole copy of the log.
    pub(crate) fn close(self) {
        checkpoint::at_end(&self.connection);
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the event log was not closed; the next start reads what is left");
        }
    }
}

impl Writer {
    /// Starts the thread, which holds the lock until it ends.
    pub(crate) fn start(
        path: &Path,
        partitions: u16,
        mut connection: Connection,
        heads: Heads,
        tails: Tails,
        lock: Lock,
    ) -> Result<Self, LogError> {
        let checkpointer =
            Checkpointer::start(path, &mut connection).map_err(|error| error::log(path, &error))?;
        let counters = Counters::load(&connection, partitions).map_err(|error| error::log(path, &error))?;
        let (queue, commands) = mpsc::channel(QUEUED);
        let path = path.to_owned();
        let worker =
            Worker { path: path.clone(), partitions, connection, heads, counters, tails, checkpointer };
        let thread = thread::Builder::new()
            .name("event-log-writer".to_owned())
            .spawn(move || {
                let connection = worker.run(commands);
                Ended { connection, _lock: lock }
            })
            .map_err(|error| {
                LogError::Unavailable(format!("the event log's writer cannot be started: {error}"))
            })?;
        Ok(Self { path, queue: Some(queue), thread: Some(thread) })
    }

    /// Queues an append.
    pub(crate) async fn append(&self, pending: PendingAppend) -> Result<(), AppendError> {
        self.send(Queued::Write(Command::Append(pending))).await.map_err(AppendError::Unavailable)
    }

    /// Stores a blob.
    pub(crate) async fn put_blob(&self, digest: Digest, bytes: Bytes) -> Result<(), LogError> {
        self.write(|done| Command::PutBlob(PendingBlob { digest, bytes, done })).await
    }

    /// Keeps a body aside.
    pub(crate) async fn put_aside(&self, aside: Aside, ttl: Duration) -> Result<(), LogError> {
        self.write(|done| Command::PutAside(PendingAside { aside, ttl, done })).await
    }

    async fn write(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), LogError>>) -> Command,
    ) -> Result<(), LogError> {
        let (done, answer) = oneshot::channel();
        self.send(Queued::Write(command(done))).await.map_err(LogError::Unavailable)?;
        answer.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// Runs something on the thread, between two batches: short, because appends wait for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Worker) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let (done, answer) = oneshot::channel();
        let task = move |worker: &mut Worker| drop(done.send(task(worker)));
        self.send(Queued::Task(Box::new(task))).await.map_err(LogError::Unavailable)?;
        match answer.await {
            Ok(result) => result.map_err(|error| error::log(&self.path, &error)),
            Err(_) => Err(unanswered()),
        }
    }

    async fn send(&self, queued: Queued) -> Result<(), String> {
        let ended = || "the event log's writer has ended".to_owned();
        self.queue.as_ref().ok_or_else(ended)?.send(queued).await.map_err(|_| ended())
    }

    /// Waits until what is queued is on disk and the followers were told that it was the last. Nothing when that was
    /// done before, or the thread is gone.
    pub(crate) fn finish(&mut self) -> Option<Ended> {
        self.queue.take();
        let ended = self.thread.take()?.join();
        ended.inspect_err(|_| tracing::error!("the event log's writer panicked")).ok()
    }
}

fn unanswered() -> LogError {
    LogError::Unavailable("the event log's writer ended before it answered".to_owned())
}

/// What the thread owns.
pub(crate) struct Worker {
    path: PathBuf,
    pub(crate) partitions: u16,
    pub(crate) connection: Connection,
    pub(crate) heads: Heads,
    pub(crate) counters: Counters,
    pub(crate) tails: Tails,
    checkpointer: Checkpointer,
}

impl Worker {
    /// Returns with the connection, so that it can be closed last.
    fn run(mut self, mut queue: mpsc::Receiver<Queued>) -> Connection {
        let mut next = queue.blocking_recv();
        while let Some(queued) = next {
            next = match queued {
                Queued::Write(first) => {
                    let (batch, next) = gather(first, &mut queue);
                    self.commit(batch);
                    next
                }
                Queued::Task(task) => {
                    task(&mut self);
                    None
                }
            };
            self.checkpointer.after_commit(&self.connection);
            next = next.or_else(|| queue.blocking_recv());
        }
        self.save_counters();
        self.tails.close();
        self.connection
    }

    fn save_counters(&mut self) {
        let save = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            self.counters.save(&transaction)?;
            transaction.commit()
        };
        if let Err(error) = { save }() {
            tracing::warn!(%error, "the event log's counts were not stored; the next start counts again");
        }
    }

    fn commit(&mut self, batch: Vec<Command>) {
        let written = match transaction::write(&mut self.connection, &self.heads, &batch) {
            Ok(written) => written,
            Err(transaction::Failure::Before(error)) => {
                tracing::error!(%error, path = %self.path.display(), "the event log cannot be written");
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                    // Somebody wrote into the file by hand.
                    self.recover();
                }
                batch.into_iter().for_each(|command| command.refuse(&error));
                return;
            }
            Err(transaction::Failure::Commit(error)) => {
                tracing::error!(%error, path = %self.path.display(), "the event log's commit failed");
                self.recover();
                batch.into_iter().for_each(|command| command.leave_open(&error));
                return;
            }
        };
        self.publish(batch, written);
    }

    /// Moves the heads, wakes the followers, then answers.
    fn publish(&mut self, batch: Vec<Command>, written: Vec<transaction::Outcome>) {
        let mut fresh: HashMap<StreamId, Vec<Committed>> = HashMap::new();
        let mut answers = Vec::with_capacity(batch.len());
        for (command, outcome) in batch.into_iter().zip(written) {
            match (command, outcome) {
                (Command::Append(pending), transaction::Outcome::Append { result, is_first }) => {
                    let PendingAppend { append, body, done } = pending;
                    if let Ok(Appended { receipt, duplicate: false }) = &result {
                        let stream = append.subject.stream();
                        self.heads.advance(stream, receipt.position);
                        self.counters.add_record(stream, body.len(), is_first);
                        let committed = Committed::new(append, receipt.position, body.len());
                        fresh.entry(committed.stream()).or_default().push(committed);
                    }
                    answers.push((done, result));
                }
                (Command::PutBlob(pending), outcome) => {
                    if matches!(outcome, transaction::Outcome::Stored { fresh: true }) {
                        self.counters.add_blob(pending.bytes.len());
                    }
                    drop(pending.done.send(Ok(())));
                }
                (Command::PutAside(pending), _) => drop(pending.done.send(Ok(()))),
                (Command::Append(_), transaction::Outcome::Stored { .. }) => {}
            }
        }
        for (stream, committed) in fresh {
            if let Some(tail) = self.tails.of(stream) {
                tail.extend(committed);
            }
        }
        for (done, result) in answers {
            // Whoever asked may be gone; the record is in the log all the same.
            drop(done.send(result));
        }
        if self.counters.are_due() {
            self.save_counters();
        }
    }

    /// Nobody knows what is on disk: a new connection reads it back.
    pub(crate) fn recover(&mut self) {
        let reopen = || -> Result<(Connection, Heads, Counters), LogError> {
            let mut connection = schema::open_for_writing(&self.path)?;
            self.checkpointer.watch(&mut connection).map_err(|error| error::log(&self.path, &error))?;
            let log = |error| error::log(&self.path, &error);
            let heads = Heads::load(&connection, self.partitions).map_err(log)?;
            let counters = Counters::load(&connection, self.partitions).map_err(log)?;
            Ok((connection, heads, counters))
        };
        match reopen() {
            Ok((connection, heads, counters)) => {
                self.connection = connection;
                self.heads = heads;
                self.counters = counters;
                self.tails.reset(&self.heads);
            }
            // The old connection cannot go on from a wrong past either: a position that exists already cannot be
            // written again, and that leads here again.
            Err(error) => tracing::error!(%error, "the event log cannot be opened again"),
        }
    }
}

/// As many commands as are there and fit; and what comes after them, if it was taken from the queue.
fn gather(first: Command, queue: &mut mpsc::Receiver<Queued>) -> (Vec<Command>, Option<Queued>) {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < BATCH_COMMANDS && bytes < BATCH_BYTES {
        match queue.try_recv() {
            Ok(Queued::Write(next)) => {
                bytes += next.bytes();
                batch.push(next);
            }
            Ok(task @ Queued::Task(_)) => return (batch, Some(task)),
            Err(_) => break,
        }
    }
    (batch, None)
}
