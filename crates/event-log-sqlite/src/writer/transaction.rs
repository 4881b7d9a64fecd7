//! One transaction of the writer: checks and inserts a batch, then commits it.

use super::{Command, PendingAppend, PendingBlob};
use crate::{
    MESSAGE_ID_WINDOW_MINUTES,
    heads::{Heads, Staged},
};
use rusqlite::{
    CachedStatement, Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior,
    types::{ToSqlOutput, ValueRef},
};
use stackwave_domain::{Position, Receipt, RecordId};
use stackwave_event_log::{AppendError, Appended, Expect};

/// What became of a command.
pub(super) enum Outcome {
    Append(Result<Appended, AppendError>),
    Blob,
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
}

impl<'a> BatchWriter<'a> {
    fn new(transaction: &'a Transaction<'_>, heads: &'a Heads) -> rusqlite::Result<Self> {
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
        })
    }

    fn write(&mut self, command: &Command) -> rusqlite::Result<Outcome> {
        match command {
            Command::Append(pending) => self.append(pending).map(Outcome::Append),
            Command::PutBlob(PendingBlob { digest, bytes, .. }) => {
                self.insert_blob.execute((digest.as_str(), &bytes[..]))?;
                Ok(Outcome::Blob)
            }
        }
    }

    fn append(&mut self, pending: &PendingAppend) -> rusqlite::Result<Result<Appended, AppendError>> {
        let PendingAppend { append, body, .. } = pending;
        let stream = append.subject.stream();
        if let Expect::Last(expected) = append.expect
            && self.staged.subject(&append.subject) != expected
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
        self.staged.advance(append.subject.clone(), position);
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
