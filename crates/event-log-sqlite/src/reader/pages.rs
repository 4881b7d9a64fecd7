//! Pages of records.

use super::Reader;
use crate::schema;
use bytes::Bytes;
use rusqlite::{Connection, Row, Rows, types::ValueRef};
use stackwave_domain::{Entry, Position, RepositoryId, StreamId, Subject, codec};
use stackwave_event_log::{Filter, LogError, RawRecord};
use std::sync::Arc;

/// A read ends early once it has this much JSON, so that a reader's memory is bounded whatever the records' size.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// And never holds more entries than this.
const PAGE_ENTRIES: usize = 1024;

impl Reader {
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
                if !schema::has(connection, "records_by_repository")? {
                    return of_repository_without_index(connection, stream, repository, from, limit, take);
                }
                let mut statement = connection.prepare_cached(
                    "SELECT position, subject, body FROM records INDEXED BY records_by_repository
                     WHERE repository = ?1 AND position >= ?2 AND stream = ?3 AND stream <> 'SW_CONFIG'
                     ORDER BY position LIMIT ?4",
                )?;
                // SQLite takes a number that is too large for the greatest that it has.
                let repository = i64::try_from(repository.0).unwrap_or(i64::MAX);
                take(&mut statement.query((repository, from.0, stream.name(), limit))?)
            }
        })
        .await
    }

    /// Entries from what a query finds.
    async fn page(
        self: &Arc<Self>,
        run: impl FnOnce(&Connection, Take) -> rusqlite::Result<Page> + Send + 'static,
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
}

/// Makes a page of rows.
type Take = fn(&mut Rows<'_>) -> rusqlite::Result<Page>;

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
pub(super) fn entry(row: &Row<'_>, bytes: &mut usize) -> rusqlite::Result<Result<Entry, LogError>> {
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

/// In a file that an older version serves: all subjects of a repository start alike, and `/` is the character after `.`.
fn of_repository_without_index(
    connection: &Connection,
    stream: StreamId,
    repository: RepositoryId,
    from: Position,
    limit: usize,
    take: Take,
) -> rusqlite::Result<Page> {
    let subjects = format!("{}{repository}", stream.filter().trim_end_matches('>'));
    let mut statement = connection.prepare_cached(
        "SELECT position, subject, body FROM records INDEXED BY records_by_subject
         WHERE subject > ?1 || '.' AND subject < ?1 || '/' AND position >= ?2 ORDER BY position LIMIT ?3",
    )?;
    take(&mut statement.query((subjects, from.0, limit))?)
}
