//! One transaction of the writer: checks and inserts a batch, then commits it.

use super::command::{Command, PendingAppend, PendingAside, PendingBlob};
use crate::{
    MESSAGE_ID_WINDOW_MINUTES, asides,
    heads::{self, Heads, Staged},
};
use rusqlite::{
    CachedStatement, Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior,
    types::{ToSqlOutput, ValueRef},
};
use stackwave_domain::{Position, Receipt, RecordId};
use stackwave_event_log::{AppendError, Appended, Expect};

/// What became of a command.
pub(super) enum Outcome {
    Append {
        result: Result<Appended, AppendError>,
        /// Its subject had no record before.
        is_first: bool,
    },
    Stored {
        /// It was not there before.
        fresh: bool,
    },
}

/// Why nothing of a batch was committed, as far as is known.
pub(super) enum Failure {
    /// Before the commit: certainly nothing landed.
    Before(rusqlite::Error),
    /// At the commit: nobody knows.
    Commit(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Before(error)
    }
}

/// Writes a batch; each command's outcome holds once this returns.
pub(super) fn write(
    connection: &mut Connection,
    heads: &Heads,
    batch: &[Command],
) -> Result<Vec<Outcome>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcomes = {
        let mut batch_writer = BatchWriter::new(&transaction, heads)?;
        batch.iter().map(|command| batch_writer.write(command)).collect::<rusqlite::Result<Vec<_>>>()?
    };
    transaction.commit().map_err(Failure::Commit)?;
    Ok(outcomes)
}

struct BatchWriter<'a> {
    staged: Staged<'a>,
    now: String,
    remembered_since: String,
    insert: CachedStatement<'a>,
    find_message: CachedStatement<'a>,
    insert_blob: CachedStatement<'a>,
    time_blob: CachedStatement<'a>,
    transaction: &'a Transaction<'a>,
}

impl<'a> BatchWriter<'a> {
    fn new(transaction: &'a Transaction<'a>, heads: &'a Heads) -> rusqlite::Result<Self> {
        let (now, remembered_since) = transaction
            .prepare_cached(
                "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
                        strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ?1 || ' minutes')",
            )?
            .query_row([MESSAGE_ID_WINDOW_MINUTES], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self {
            staged: Staged::over(heads),
            now,
            remembered_since,
            insert: transaction.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            find_message: transaction.prepare_cached(
                "SELECT position, body ->> '$.id' FROM records
                 WHERE stream = ?1 AND message_id = ?2 AND appended_at >= ?3
                 ORDER BY position DESC LIMIT 1",
            )?,
            insert_blob: transaction.prepare_cached("INSERT OR IGNORE INTO blobs VALUES (?1, ?2)")?,
            time_blob: transaction.prepare_cached(
                "INSERT INTO blob_times VALUES (?1, ?2) ON CONFLICT DO UPDATE SET stored_at = ?2
                 WHERE stored_at < strftime('%Y-%m-%dT%H:%M:%fZ', ?2, '-1 hour')",
            )?,
            transaction,
        })
    }

    fn write(&mut self, command: &Command) -> rusqlite::Result<Outcome> {
        match command {
            Command::Append(pending) => {
                let last = heads::of_subject(self.transaction, &pending.append.subject)?;
                let result = self.append(pending, last)?;
                Ok(Outcome::Append { result, is_first: last == Position::START })
            }
            Command::PutBlob(PendingBlob { digest, bytes, .. }) => {
                let fresh = self.insert_blob.execute((digest.as_str(), &bytes[..]))? > 0;
                self.time_blob.execute((digest.as_str(), &self.now))?;
                Ok(Outcome::Stored { fresh })
            }
            Command::PutAside(PendingAside { aside, ttl, .. }) => {
                asides::insert(self.transaction, aside, *ttl, &self.now)?;
                Ok(Outcome::Stored { fresh: true })
            }
        }
    }

    fn append(
        &mut self,
        pending: &PendingAppend,
        last: Position,
    ) -> rusqlite::Result<Result<Appended, AppendError>> {
        let PendingAppend { append, body, .. } = pending;
        let stream = append.subject.stream();
        if let Expect::Last(expected) = append.expect
            && last != expected
        {
            return Ok(Err(AppendError::Conflict { expected }));
        }
        if let Some(message_id) = &append.message_id
            && let Some(receipt) = self.find(&stream.name(), message_id)?
        {
            return Ok(Ok(Appended { receipt, duplicate: true }));
        }
        let position = self.staged.stream(stream).next();
        self.insert.execute((
            stream.name(),
            position.0,
            append.subject.as_str(),
            &append.message_id,
            &self.now,
            JsonText(body),
        ))?;
        self.staged.advance(stream, position);
        let receipt = Receipt { record: append.record.id.clone(), position };
        Ok(Ok(Appended { receipt, duplicate: false }))
    }

    fn find(&mut self, stream: &str, message_id: &str) -> rusqlite::Result<Option<Receipt>> {
        self.find_message
            .query_row((stream, message_id, &self.remembered_since), |row| {
                let position = Position(row.get(0)?);
                let record: String = row.get(1)?;
                Ok(Receipt { record: RecordId::from(record), position })
            })
            .optional()
    }
}

/// JSON as the column's text, without a copy; the codec writes nothing but UTF-8.
struct JsonText<'a>(&'a [u8]);

impl ToSql for JsonText<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use stackwave_domain::{Digest, Record, RepositoryId, StreamId, Subject, Timestamp, codec};
    use stackwave_event_log::Append;

    fn append(id: &str, expected: u64) -> Command {
        let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(1));
        let record = Record::new(RecordId::new(id), Timestamp::UNIX_EPOCH, "test", Vec::new());
        let body = codec::encode(&record).unwrap();
        Command::Append(PendingAppend::new(Append::after(subject, record, Position(expected)), body).0)
    }

    fn blob(bytes: usize) -> Command {
        let done = tokio::sync::oneshot::channel().0;
        Command::PutBlob(PendingBlob { digest: Digest::from_hex("d"), bytes: vec![1; bytes].into(), done })
    }

    fn landed(outcomes: &[Outcome]) -> Vec<Option<u64>> {
        let position = |outcome: &Outcome| match outcome {
            Outcome::Append { result: Ok(appended), .. } => Some(appended.receipt.position.0),
            Outcome::Append { result: Err(_), .. } | Outcome::Stored { .. } => None,
        };
        outcomes.iter().map(position).collect()
    }

    fn database() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let mut connection = schema::open_for_writing(&path).unwrap();
        schema::create_or_check(&mut connection, &path, 1).unwrap();
        (folder, connection)
    }

    #[test]
    fn an_append_is_checked_against_those_before_it_in_the_same_transaction() {
        let (_folder, mut connection) = database();
        let batch = [append("a", 0), append("b", 0), append("c", 1), append("d", 1)];
        let outcomes = write(&mut connection, &Heads::default(), &batch).ok().unwrap();
        assert_eq!(landed(&outcomes), [Some(1), None, Some(2), None]);
        let heads = Heads::load(&connection, 1).unwrap();
        assert_eq!(heads.stream(StreamId::Partition(0)), Position(2));
    }

    #[test]
    fn when_the_disk_is_full_nothing_lands_and_later_the_same_batch_does() {
        let (_folder, mut connection) = database();
        connection.pragma_update(None, "max_page_count", 20).unwrap();
        let batch = [append("a", 0), blob(1024 * 1024)];
        let failed = write(&mut connection, &Heads::default(), &batch);
        assert!(matches!(failed, Err(Failure::Before(_))));
        assert_eq!(Heads::load(&connection, 1).unwrap().stream(StreamId::Partition(0)), Position::START);
        connection.pragma_update(None, "max_page_count", 100_000).unwrap();
        let outcomes = write(&mut connection, &Heads::default(), &batch).ok().unwrap();
        assert_eq!(landed(&outcomes), [Some(1), None]);
    }
}
