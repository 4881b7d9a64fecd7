//! The last position of every stream and of every subject: what an expectation is checked against.

use rusqlite::Connection;
use stackwave_domain::{Position, StreamId, Subject};
use std::collections::HashMap;

/// Jumps from subject to subject along the index, so that it costs what there are subjects, not what there are records.
const LAST_OF_EACH_SUBJECT: &str = "
    WITH RECURSIVE subjects (subject) AS (
        SELECT min(subject) FROM records
        UNION ALL
        SELECT (SELECT min(subject) FROM records WHERE subject > subjects.subject)
        FROM subjects WHERE subject IS NOT NULL
    )
    SELECT subject, (SELECT max(position) FROM records WHERE subject = subjects.subject)
    FROM subjects WHERE subject IS NOT NULL";

/// All streams of a log.
pub(crate) fn streams(partitions: u16) -> impl Iterator<Item = StreamId> {
    (0..partitions).map(StreamId::Partition).chain([StreamId::Config])
}

/// The ends of streams and subjects.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    streams: HashMap<StreamId, Position>,
    subjects: HashMap<Subject, Position>,
}

impl Heads {
    /// Reads them from the file.
    pub(crate) fn load(connection: &Connection, partitions: u16) -> rusqlite::Result<Self> {
        let mut heads = Self::default();
        let mut statement = connection.prepare(LAST_OF_EACH_SUBJECT)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let position = Position(row.get(1)?);
            // A subject that is none of ours was put there by hand; nobody will append to it.
            if let Ok(subject) = text.parse::<Subject>() {
                heads.advance(subject, position);
            } else {
                tracing::warn!(subject = text, "the event log holds a subject that is none of Stackwave's");
            }
        }
        let mut statement =
            connection.prepare("SELECT coalesce(max(position), 0) FROM records WHERE stream = ?1")?;
        for stream in streams(partitions) {
            let last = Position(statement.query_row([stream.name()], |row| row.get(0))?);
            heads.streams.insert(stream, last);
        }
        Ok(heads)
    }

    /// The stream's last position.
    pub(crate) fn stream(&self, stream: StreamId) -> Position {
        self.streams.get(&stream).copied().unwrap_or(Position::START)
    }

    /// The subject's last position.
    pub(crate) fn subject(&self, subject: &Subject) -> Position {
        self.subjects.get(subject).copied().unwrap_or(Position::START)
    }

    /// Notes a record.
    pub(crate) fn advance(&mut self, subject: Subject, position: Position) {
        let last = self.streams.entry(subject.stream()).or_default();
        *last = position.max(*last);
        self.subjects.insert(subject, position);
    }

    /// Notes that the subject has no record any more.
    pub(crate) fn forget(&mut self, subject: &Subject) {
        self.subjects.remove(subject);
    }

    /// How many subjects each stream has.
    pub(crate) fn count_subjects(&self) -> HashMap<StreamId, u64> {
        let mut counts = HashMap::new();
        for subject in self.subjects.keys() {
            *counts.entry(subject.stream()).or_default() += 1;
        }
        counts
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

    pub(crate) fn subject(&self, subject: &Subject) -> Position {
        self.ahead.subject(subject).max(self.committed.subject(subject))
    }

    pub(crate) fn advance(&mut self, subject: Subject, position: Position) {
        self.ahead.advance(subject, position);
    }
}
