//! The event log in one SQLite file: the embedded log of one machine.
//!
//! One process serves a file: it holds the lock beside it ([`SqliteLog::open`]). Other processes may read it meanwhile
//! ([`SqliteLog::open_read_only`]). The parts, in the order that an append takes:
//! - `writer`: one thread owns the only writing connection. It takes whatever is queued, checks each expectation,
//!   and commits all of it with one fsync; only then are the appends answered.
//! - `heads`: the last position of every stream, in memory, and of a subject; what an expectation is checked against.
//! - `tail`: the newest entries of each stream, decoded, and the bell that wakes followers.
//! - `follow`, `reader`: followers are served from the tail, and from the file when they are behind.
//!
//! Nothing polls the file, except followers of a log that was opened read-only.

mod asides;
mod checkpoint;
mod counters;
mod error;
mod follow;
mod heads;
mod lock;
mod reader;
mod schema;
mod snapshots;
mod stats;
mod tail;
mod upkeep;
mod writer;

use crate::{
    follow::Follow,
    reader::Reader,
    tail::Tails,
    writer::{PendingAppend, Writer},
};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject, codec};
use stackwave_event_log::{
    Append, AppendError, Appended, Asides, Entries, EventLog, Filter, Leases, LocalLeases, LogError,
    RawRecord, Snapshots, Upkeep,
};
use std::{path::Path, sync::Arc};

/// For how long at least the log remembers message ids. JetStream's streams are set up with the same time.
pub const MESSAGE_ID_WINDOW_MINUTES: u32 = 10;

/// Blobs from this size on are digested on a thread where that may take its time.
const LARGE_BLOB_BYTES: usize = 64 * 1024;

/// A log in a SQLite file.
///
/// Dropping the last handle waits until what is queued is on disk, ends all followers, folds the write-ahead log into the
/// file, which alone is a whole copy then, and gives the lock back.
#[derive(Debug)]
pub struct SqliteLog {
    partitions: u16,
    reader: Arc<Reader>,
    leases: LocalLeases,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Serve { writer: Writer, tails: Tails },
    ReadOnly,
}

impl SqliteLog {
    /// Opens the log at `path` for this process alone, and creates it with `partitions` partitions if it is not there.
    /// Blocks while the file is read.
    ///
    /// # Errors
    /// [`LogError::Setup`] when another process serves the log, when it was created with another number of partitions
    /// or by a newer version, or when the file is no event log; [`LogError::Unavailable`] when the file cannot be
    /// opened.
    pub fn open(path: impl AsRef<Path>, partitions: u16) -> Result<Arc<Self>, LogError> {
        let path = path.as_ref();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                LogError::Setup(format!("cannot create the folder `{}`: {error}", folder.display()))
            })?;
        }
        // One file has one lock, whatever links lead to it.
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let lock = lock::Lock::acquire(path)?;
        let mut connection = schema::open_for_writing(path)?;
        schema::create_or_check(&mut connection, path, partitions)?;
        schema::lengthen_wal(&connection).map_err(|error| error::log(path, &error))?;
        let heads = heads::Heads::load(&connection, partitions).map_err(|error| error::log(path, &error))?;
        let tails = Tails::new(partitions, &heads);
        let writer = Writer::start(path, partitions, connection, heads, tails.clone(), lock)?;
        let reader = Arc::new(Reader::new(path));
        let leases = LocalLeases::default();
        Ok(Arc::new(Self { partitions, reader, leases, access: Access::Serve { writer, tails } }))
    }

    /// Opens the log at `path` for reading, also while another process serves it. Appends are refused; followers look
    /// at the file five times a second.
    ///
    /// # Errors
    /// [`LogError::Setup`] when there is no event log at `path` or a newer version created it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Arc<Self>, LogError> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(LogError::Setup(format!("there is no event log at `{}`", path.display())));
        }
        let connection = schema::open_for_reading(path).map_err(|error| error::log(path, &error))?;
        let partitions = schema::check(&connection, path)?;
        let reader = Arc::new(Reader::new(path));
        Ok(Arc::new(Self { partitions, reader, leases: LocalLeases::default(), access: Access::ReadOnly }))
    }

    fn check_stream(&self, stream: StreamId) -> Result<(), String> {
        match stream {
            StreamId::Partition(number) if number >= self.partitions => Err(format!(
                "the event log has {} partitions, so {stream} is not among them",
                self.partitions
            )),
            StreamId::Partition(_) | StreamId::Config => Ok(()),
        }
    }

    /// Reads from a table that a file may not have yet, if an older version created it and it was never served since.
    async fn read_addition<T: Send + 'static>(
        &self,
        table: &'static str,
        absent: T,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let read = move |connection: &Connection| {
            if schema::has(connection, table)? { read(connection) } else { Ok(absent) }
        };
        self.reader.query(read).await
    }

    fn writer(&self) -> Result<&Writer, String> {
        match &self.access {
            Access::Serve { writer, .. } => Ok(writer),
            Access::ReadOnly => Err("the event log is open for reading only".to_owned()),
        }
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        let ended = match &mut self.access {
            Access::Serve { writer, .. } => writer.finish(),
            Access::ReadOnly => None,
        };
        self.reader.close();
        if let Some(ended) = ended {
            ended.close();
        }
    }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let writer = self.writer().map_err(AppendError::Unavailable)?;
        self.check_stream(append.subject.stream()).map_err(AppendError::Unavailable)?;
        let body = codec::encode(&append.record)?;
        let (pending, answer) = PendingAppend::new(append, body);
        writer.append(pending).await?;
        answer.await.unwrap_or_else(|_| {
            Err(AppendError::Unknown("the event log's writer ended before it answered".to_owned()))
        })
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        if let Access::Serve { tails, .. } = &self.access
            && let Some(entries) = tails.of(stream).and_then(|tail| tail.since(from, limit))
        {
            return Ok(entries);
        }
        self.reader.entries(stream, from, limit).await
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        self.reader.entries_of(stream, filter.clone(), from, limit).await
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        self.reader.raw(stream, from, limit).await
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        let tail = match &self.access {
            Access::Serve { tails, .. } => tails.of(stream).cloned(),
            Access::ReadOnly => None,
        };
        Ok(Follow::new(stream, from, tail, Arc::clone(&self.reader)).into_entries())
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        self.check_stream(subject.stream()).map_err(LogError::Setup)?;
        self.reader.last(subject.clone()).await
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        self.reader.first_position(stream).await
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        match &self.access {
            Access::Serve { tails, .. } => Ok(tails.of(stream).map_or(Position::START, |tail| tail.last())),
            Access::ReadOnly => self.reader.last_position(stream).await,
        }
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        let writer = self.writer().map_err(LogError::Unavailable)?;
        let digest = digest_of(bytes.clone()).await;
        writer.put_blob(digest.clone(), bytes).await?;
        Ok(digest)
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        let Some(bytes) = self.reader.blob(digest.clone()).await? else { return Ok(None) };
        let found = digest_of(bytes.clone()).await;
        if found == *digest {
            Ok(Some(bytes))
        } else {
            Err(LogError::Corrupt {
                at: format!("the blob {digest}"),
                error: format!("its digest is {found}"),
            })
        }
    }

    fn snapshots(&self) -> &dyn Snapshots {
        self
    }

    fn leases(&self) -> &dyn Leases {
        &self.leases
    }

    fn asides(&self) -> &dyn Asides {
        self
    }

    fn upkeep(&self) -> &dyn Upkeep {
        self
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn is_exclusive(&self) -> bool {
        matches!(self.access, Access::Serve { .. })
    }
}

async fn digest_of(bytes: Bytes) -> Digest {
    if bytes.len() < LARGE_BLOB_BYTES {
        return Digest::of(&bytes);
    }
    let copy = bytes.clone();
    match tokio::task::spawn_blocking(move || Digest::of(&copy)).await {
        Ok(digest) => digest,
        // The runtime is going down; there is no other thread to ask.
        Err(_) => Digest::of(&bytes),
    }
}
