//! Reads from the file, each on a thread that may block, with connections that cannot write.

use crate::{error, schema};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, types::ValueRef};
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject, codec};
use stackwave_event_log::{Filter, LogError, RawRecord};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// So many connections are kept for the next reads.
const KEPT_CONNECTIONS: usize = 4;
/// A read ends early once it has this much JSON, so that a reader's memory is bounded whatever the records' size.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// And never holds more entries than this.
const PAGE_ENTRIES: usize = 1024;

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

    /// Closes the connections; a read that runs ends before its own is closed.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    /// Entries in order. What is good before an unreadable one is returned; the next read from there is the error.
    pub(crate) async fn entries(
        self: &Arc<Self>,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.page(move |connection, take| {
            let mut statement = connection.prepare_cached(
                "SELECT position, subject, body FROM records
                 WHERE stream = ?1 AND position >= ?2 ORDER BY position LIMIT ?3",
            )?;
            take(&mut statement.query((stream.name(), from.0, limit.min(PAGE_ENTRIES)))?)
        })
        .await
    }

    /// Likewise, of a repository or a subject.
    pub(crate) async fn entries_of(
        self: &Arc<Self>,
        stream: StreamId,
        filter: Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let limit = limit.min(PAGE_ENTRIES);
        self.page(move |connection, take| match filter {
            Filter::Subject(subject) => {
                let mut statement = connection.prepare_cached(
                    "SELECT position, subject, body FROM records
                     WHERE stream = ?1 AND subject = ?2 AND position >= ?3 ORDER BY position LIMIT ?4",
                )?;
                take(&mut statement.query((stream.name(), subject.as_str(), from.0, limit))?)
            }
            Filter::Repository(repository) => {
                // All its subjects start alike; `/` is the character after `.`.
                let subjects = format!("{}{repository}", stream.filter().trim_end_matches('>'));
                let mut statement = connection.prepare_cached(
                    "SELECT position, subject, body FROM records
                     WHERE stream = ?1 AND subject > ?2 || '.' AND subject < ?2 || '/' AND position >= ?3
                     ORDER BY position LIMIT ?4",
                )?;
                take(&mut statement.query((stream.name(), subjects, from.0, limit))?)
            }
        })
        .await
    }

    /// Entries from what a query finds.
    async fn page(
        self: &Arc<Self>,
        run: impl FnOnce(&Connection, fn(&mut Rows<'_>) -> rusqlite::Result<Page>) -> rusqlite::Result<Page>
        + Send
        + 'static,
    ) -> Result<Vec<Entry>, LogError> {
        match self.query(move |connection| run(connection, take_page)).await? {
            Page { entries, broken: Some(broken) } if entries.is_empty() => Err(broken),
            Page { entries, .. } => Ok(entries),
        }
    }

    /// Records in order, as they are.
    pub(crate) async fn raw(
        self: &Arc<Self>,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.query(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT position, subject, appended_at, body FROM records
                 WHERE stream = ?1 AND position >= ?2 ORDER BY position LIMIT ?3",
            )?;
            let mut rows = statement.query((stream.name(), from.0, limit.min(PAGE_ENTRIES)))?;
            let (mut records, mut bytes) = (Vec::new(), 0);
            while bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let stored_at: String = row.get(2)?;
                let body = Bytes::copy_from_slice(row.get_ref(3)?.as_bytes().unwrap_or_default());
                bytes += body.len();
                records.push(RawRecord {
                    position: Position(row.get(0)?),
                    subject: row.get(1)?,
                    stored_at: stored_at.parse().ok(),
                    body,
                });
            }
            Ok(records)
        })
        .await
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
                    .query_row([subject.as_str()], |row| entry(row, &mut 0))
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

    async fn query<T: Send + 'static>(
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

/// Entries, and what ended them early.
struct Page {
    entries: Vec<Entry>,
    broken: Option<LogError>,
}

/// The rows, until there are too many bytes or one cannot be read.
fn take_page(rows: &mut Rows<'_>) -> rusqlite::Result<Page> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        match entry(row, &mut bytes)? {
            Ok(entry) => entries.push(entry),
            Err(broken) => return Ok(Page { entries, broken: Some(broken) }),
        }
    }
    Ok(Page { entries, broken: None })
}

/// One row; adds the size of its JSON to `bytes`.
fn entry(row: &Row<'_>, bytes: &mut usize) -> rusqlite::Result<Result<Entry, LogError>> {
    let position = Position(row.get(0)?);
    let subject: String = row.get(1)?;
    let body = match row.get_ref(2)? {
        ValueRef::Text(body) | ValueRef::Blob(body) => body,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => b"",
    };
    *bytes += body.len();
    let subject = match subject.parse::<Subject>() {
        Ok(subject) => subject,
        Err(error) => {
            return Ok(Err(LogError::Corrupt {
                at: format!("position {position}"),
                error: error.to_string(),
            }));
        }
    };
    Ok(match codec::decode(body) {
        Ok(record) => Ok(Entry { position, subject, record }),
        Err(error) => Err(LogError::undecodable(position, &error)),
    })
}
