//! Reads from the file, each on a thread that may block, with connections that cannot write.

mod pages;

use crate::{error, schema};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _};
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject};
use stackwave_event_log::LogError;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// So many connections are kept for the next reads.
const KEPT_CONNECTIONS: usize = 4;

/// A pool of reading connections.
#[derive(Debug)]
pub(crate) struct Reader {
    path: PathBuf,
    /// None once the log is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Reader {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Some(Vec::new())) }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the connections; a read that runs ends before its own is closed.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    /// The last record of a subject.
    pub(crate) async fn last(self: &Arc<Self>, subject: Subject) -> Result<Option<Entry>, LogError> {
        let found = self
            .query(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT position, subject, body FROM records
                         WHERE subject = ?1 ORDER BY position DESC LIMIT 1",
                    )?
                    .query_row([subject.as_str()], |row| pages::entry(row, &mut 0))
                    .optional()
            })
            .await?;
        found.transpose()
    }

    /// The position of the first record of a stream.
    pub(crate) async fn first_position(
        self: &Arc<Self>,
        stream: StreamId,
    ) -> Result<Option<Position>, LogError> {
        self.query(move |connection| {
            connection
                .prepare_cached("SELECT min(position) FROM records WHERE stream = ?1")?
                .query_row([stream.name()], |row| Ok(row.get::<_, Option<u64>>(0)?.map(Position)))
        })
        .await
    }

    /// The position of the last record of a stream.
    pub(crate) async fn last_position(self: &Arc<Self>, stream: StreamId) -> Result<Position, LogError> {
        self.query(move |connection| {
            connection
                .prepare_cached("SELECT coalesce(max(position), 0) FROM records WHERE stream = ?1")?
                .query_row([stream.name()], |row| row.get(0).map(Position))
        })
        .await
    }

    /// A blob's bytes, unchecked.
    pub(crate) async fn blob(self: &Arc<Self>, digest: Digest) -> Result<Option<Bytes>, LogError> {
        self.query(move |connection| {
            connection
                .prepare_cached("SELECT bytes FROM blobs WHERE digest = ?1")?
                .query_row([digest.as_str()], |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))
                .optional()
        })
        .await
    }

    /// Runs a query where it may block.
    pub(crate) async fn query<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let this = Arc::clone(self);
        let result = tokio::task::spawn_blocking(move || {
            let connection = this.take()?;
            let result = run(&connection).map_err(|error| error::log(&this.path, &error));
            this.put_back(connection);
            result
        })
        .await;
        match result {
            Ok(result) => result,
            Err(error) => Err(LogError::Unavailable(format!("a read of the event log did not end: {error}"))),
        }
    }

    fn take(&self) -> Result<Connection, LogError> {
        let idle = match self.lock().as_mut() {
            Some(idle) => idle.pop(),
            None => return Err(closed()),
        };
        match idle {
            Some(connection) => Ok(connection),
            None => schema::open_for_reading(&self.path).map_err(|error| error::log(&self.path, &error)),
        }
    }

    fn put_back(&self, connection: Connection) {
        if let Some(idle) = self.lock().as_mut()
            && idle.len() < KEPT_CONNECTIONS
        {
            idle.push(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log was closed in this process.
pub(crate) fn closed() -> LogError {
    LogError::Setup("the event log was closed".to_owned())
}
