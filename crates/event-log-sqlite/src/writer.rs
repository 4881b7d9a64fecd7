//! The one thread that writes, with group commit: whatever is queued goes into one transaction and costs one fsync.

mod transaction;

use crate::{
    checkpoint::Checkpointer,
    error,
    heads::Heads,
    lock::Lock,
    schema,
    tail::{Committed, Tails},
};
use bytes::Bytes;
use rusqlite::{Connection, ErrorCode};
use stackwave_domain::{Digest, StreamId};
use stackwave_event_log::{Append, AppendError, Appended, LogError};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot};

/// So many commands wait at most; who comes then waits before the queue.
const QUEUED: usize = 4096;
/// A transaction takes at most so many commands,
const BATCH_COMMANDS: usize = 1024;
/// and no further one once it has this many bytes: one huge transaction would keep the small ones waiting.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// An append on its way to the thread.
pub(crate) struct PendingAppend {
    append: Append,
    body: Vec<u8>,
    done: oneshot::Sender<Result<Appended, AppendError>>,
}

impl PendingAppend {
    /// With where its answer will arrive.
    pub(crate) fn new(
        append: Append,
        body: Vec<u8>,
    ) -> (Self, oneshot::Receiver<Result<Appended, AppendError>>) {
        let (done, answer) = oneshot::channel();
        (Self { append, body, done }, answer)
    }
}

struct PendingBlob {
    digest: Digest,
    bytes: Bytes,
    done: oneshot::Sender<Result<(), LogError>>,
}

#[expect(clippy::large_enum_variant, reason = "almost every command is an append")]
enum Command {
    Append(PendingAppend),
    PutBlob(PendingBlob),
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Append(pending) => pending.body.len(),
            Self::PutBlob(pending) => pending.bytes.len(),
        }
    }

    /// Nothing of it landed.
    fn refuse(self, error: &rusqlite::Error) {
        match self {
            Self::Append(pending) => {
                drop(pending.done.send(Err(AppendError::Unavailable(error.to_string()))));
            }
            Self::PutBlob(pending) => {
                drop(pending.done.send(Err(LogError::Unavailable(error.to_string()))));
            }
        }
    }

    /// It may have landed.
    fn leave_open(self, error: &rusqlite::Error) {
        match self {
            Self::Append(pending) => drop(pending.done.send(Err(AppendError::Unknown(error.to_string())))),
            Self::PutBlob(_) => self.refuse(error),
        }
    }
}

/// The handle of the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
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
        let (queue, commands) = mpsc::channel(QUEUED);
        let worker = Worker { path: path.to_owned(), partitions, connection, heads, tails, checkpointer };
        let thread = thread::Builder::new()
            .name("event-log-writer".to_owned())
            .spawn(move || {
                worker.run(commands);
                drop(lock);
            })
            .map_err(|error| {
                LogError::Unavailable(format!("the event log's writer cannot be started: {error}"))
            })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues an append.
    pub(crate) async fn append(&self, pending: PendingAppend) -> Result<(), AppendError> {
        self.send(Command::Append(pending)).await.map_err(AppendError::Unavailable)
    }

    /// Stores a blob.
    pub(crate) async fn put_blob(&self, digest: Digest, bytes: Bytes) -> Result<(), LogError> {
        let (done, answer) = oneshot::channel();
        self.send(Command::PutBlob(PendingBlob { digest, bytes, done }))
            .await
            .map_err(LogError::Unavailable)?;
        answer.await.unwrap_or_else(|_| {
            Err(LogError::Unavailable("the event log's writer ended before it answered".to_owned()))
        })
    }

    async fn send(&self, command: Command) -> Result<(), String> {
        let ended = || "the event log's writer has ended".to_owned();
        self.queue.as_ref().ok_or_else(ended)?.send(command).await.map_err(|_| ended())
    }

    /// Waits until what is queued is on disk and the lock is given back.
    pub(crate) fn finish(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the event log's writer panicked");
        }
    }
}

/// What the thread owns.
struct Worker {
    path: PathBuf,
    partitions: u16,
    connection: Connection,
    heads: Heads,
    tails: Tails,
    checkpointer: Checkpointer,
}

impl Worker {
    fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(first) = commands.blocking_recv() {
            let batch = gather(first, &mut commands);
            self.commit(batch);
            self.checkpointer.after_commit(&self.connection);
        }
        self.tails.close();
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
                (Command::Append(pending), transaction::Outcome::Append(result)) => {
                    let PendingAppend { append, body, done } = pending;
                    if let Ok(Appended { receipt, duplicate: false }) = &result {
                        self.heads.advance(append.subject.clone(), receipt.position);
                        let committed = Committed::new(append, receipt.position, body.len());
                        fresh.entry(committed.stream()).or_default().push(committed);
                    }
                    answers.push((done, result));
                }
                (Command::PutBlob(pending), _) => drop(pending.done.send(Ok(()))),
                (Command::Append(_), transaction::Outcome::Blob) => {}
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
    }

    /// Nobody knows what is on disk: a new connection reads it back.
    fn recover(&mut self) {
        let reopen = || -> Result<(Connection, Heads), LogError> {
            let mut connection = schema::open_for_writing(&self.path)?;
            self.checkpointer.watch(&mut connection).map_err(|error| error::log(&self.path, &error))?;
            let heads =
                Heads::load(&connection, self.partitions).map_err(|error| error::log(&self.path, &error))?;
            Ok((connection, heads))
        };
        match reopen() {
            Ok((connection, heads)) => {
                self.connection = connection;
                self.heads = heads;
                self.tails.reset(&self.heads);
            }
            // The old connection cannot go on from a wrong past either: a position that exists already cannot be
            // written again, and that leads here again.
            Err(error) => tracing::error!(%error, "the event log cannot be opened again"),
        }
    }
}

fn gather(first: Command, commands: &mut mpsc::Receiver<Command>) -> Vec<Command> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < BATCH_COMMANDS && bytes < BATCH_BYTES {
        let Ok(next) = commands.try_recv() else { break };
        bytes += next.bytes();
        batch.push(next);
    }
    batch
}
