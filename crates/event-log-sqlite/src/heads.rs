//! The last position of every stream, in memory, and of a subject, in the file: what an expectation is checked against.
//!
//! Each pull request has subjects of its own, so that after some years there are millions of them; an index has the last
//! record of one in microseconds.

use rusqlite::Connection;
use stackwave_domain::{Position, StreamId, Subject};
use std::collections::HashMap;

/// Jumps from subject to subject along the index, so that it costs what there are subjects, not what there are records.
const EACH_SUBJECT: &str = "
    WITH RECURSIVE subjects (subject) AS (
        SELECT min(subject) FROM records
        UNION ALL
        SELECT (SELECT min(subject) FROM records WHERE subject > subjects.subject)
        FROM subjects WHERE subject IS NOT NULL
    )
    SELECT subject FROM subjects WHERE subject IS NOT NULL";

/// All streams of a log.
pub(crate) fn streams(partitions: u16) -> impl Iterator<Item = StreamId> {
    (0..partitions).map(StreamId::Partition).chain([StreamId::Config])
}

/// The last position of a subject, as the connection sees it; [`Position::START`] when it has no record.
pub(crate) fn of_subject(connection: &Connection, subject: &Subject) -> rusqlite::Result<Position> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM records WHERE subject = ?1")?
        .query_row([subject.as_str()], |row| row.get(0).map(Position))
}

/// How many subjects each stream has. It looks at every subject.
pub(crate) fn count_subjects(connection: &Connection) -> rusqlite::Result<HashMap<StreamId, u64>> {
    let mut counts = HashMap::new();
    let mut statement = connection.prepare(EACH_SUBJECT)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if let Ok(subject) = text.parse::<Subject>() {
            *counts.entry(subject.stream()).or_default() += 1;
        } else {
            // It was put there by hand; nobody will append to it.
            tracing::warn!(subject = text, "the event log holds a subject that is none of Stackwave's");
        }
    }
    Ok(counts)
}

/// How many subjects of a stream have their first record after a position. It looks at every record after it.
pub(crate) fn count_subjects_after(
    connection: &Connection,
    stream: StreamId,
    through: u64,
) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT DISTINCT subject FROM records WHERE stream = ?1 AND position > ?2) AS newer
             WHERE (SELECT min(position) FROM records WHERE subject = newer.subject) > ?2",
        )?
        .query_row((stream.name(), through), |row| row.get(0))
}

/// The ends of streams.
#[derive(Debug, Default)]
pub(crate) struct Heads(HashMap<StreamId, Position>);

impl Heads {
    /// Reads them from the file.
    pub(crate) fn load(connection: &Connection, partitions: u16) -> rusqlite::Result<Self> {
        let mut heads = Self::default();
        let mut statement =
            connection.prepare("SELECT coalesce(max(position), 0) FROM records WHERE stream = ?1")?;
        for stream in streams(partitions) {
            let last = Position(statement.query_row([stream.name()], |row| row.get(0))?);
            heads.advance(stream, last);
        }
        Ok(heads)
    }

    /// The stream's last position.
    pub(crate) fn stream(&self, stream: StreamId) -> Position {
        self.0.get(&stream).copied().unwrap_or(Position::START)
    }

    /// Notes a record.
    pub(crate) fn advance(&mut self, stream: StreamId, position: Position) {
        let last = self.0.entry(stream).or_default();
        *last = position.max(*last);
    }
}

/// Heads as a transaction sees them before it is committed.
pub(crate) struct Staged<'a> {
    committed: &'a Heads,
    ahead: Heads,
}

impl<'a> Staged<'a> {
    pub(crate) fn over(committed: &'a Heads) -> Self {
        Self { committed, ahead: Heads::default() }
    }

    pub(crate) fn stream(&self, stream: StreamId) -> Position {
        self.ahead.stream(stream).max(self.committed.stream(stream))
    }

    pub(crate) fn advance(&mut self, stream: StreamId, position: Position) {
        self.ahead.advance(stream, position);
    }
}
