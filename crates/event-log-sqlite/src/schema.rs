//! The tables, and how a connection is set up.
//!
//! The file is meant to be read by people too:
//! `sqlite3 -readonly stackwave.db "select position, subject, body from records where subject like '%.ledger'"`.

mod additions;

pub(crate) use additions::has;

use crate::error;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, wal::CheckpointMode};
use stackwave_event_log::LogError;
use std::{path::Path, time::Duration};

/// Tells our files from other SQLite databases (`SWLG`).
const APPLICATION_ID: i32 = 0x5357_4C47;
/// The version of the tables. A greater one in a file means that a newer Stackwave created it.
const VERSION: i32 = 1;

/// Streams and subjects are named as in JetStream. `position` counts from 1 in each stream; `appended_at` is UTC by the
/// clock of the machine, and only the window of message ids depends on it.
const TABLES: &str = "
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE records (
        stream      TEXT    NOT NULL,
        position    INTEGER NOT NULL,
        subject     TEXT    NOT NULL,
        message_id  TEXT,
        appended_at TEXT    NOT NULL,
        body        TEXT    NOT NULL,
        PRIMARY KEY (stream, position)
    );
    CREATE INDEX records_by_subject ON records (subject, position);
    CREATE INDEX records_by_message_id ON records (stream, message_id, position) WHERE message_id IS NOT NULL;
    CREATE TABLE blobs (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL);
";

/// How long a statement waits for a lock. Only a checkpoint's end and a recovery by a reader hold one, both briefly.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the write-ahead log is from the start: longer than when a checkpoint is due. The pages stay in the database
/// as free ones, for the records to come.
const WAL_READY_BYTES: u32 = 6 * 1024 * 1024;
/// To what size the write-ahead log shrinks after a burst.
const WAL_KEPT_BYTES: u32 = 32 * 1024 * 1024;

/// The one connection that writes.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection, LogError> {
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Only a new file takes it as it is; it lets a purge give pages back without rewriting the file.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit returns once its pages in the write-ahead log are on disk; macOS needs more than fsync for that.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error| error::log(path, &error))
}

/// Makes the write-ahead log as long as it gets between two checkpoints. A sync of a file that grows also waits for the
/// file system's journal (on ext4 half as long again on an idle machine, many times as long on a busy one), a sync of
/// one that is written over does not. SQLite deletes the write-ahead log at the end, so that without this the first few
/// hundred appends after each start are the slow ones.
pub(crate) fn lengthen_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO blobs VALUES ('', zeroblob(?1))", [WAL_READY_BYTES])?;
    connection.execute("DELETE FROM blobs WHERE digest = ''", [])?;
    connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).map(drop)
}

/// A connection that cannot write.
pub(crate) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Creates the tables in an empty file, or makes sure that an existing log is the one that is asked for; then adds what
/// this version has besides.
pub(crate) fn create_or_check(
    connection: &mut Connection,
    path: &Path,
    partitions: u16,
) -> Result<(), LogError> {
    create_if_empty(connection, partitions).map_err(|error| error::log(path, &error))?;
    let found = check(connection, path)?;
    if found == partitions {
        return additions::add(connection).map_err(|error| error::log(path, &error));
    }
    Err(LogError::Setup(format!(
        "the event log at `{}` was created with {found} partitions, but {partitions} are configured; the number is fixed \
         when a log is created, so configure {found}",
        path.display()
    )))
}

/// Makes sure that the file is an event log of a version that this code reads, and tells its number of partitions.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<u16, LogError> {
    let read = || -> rusqlite::Result<(i32, i32)> {
        let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((application, version))
    };
    let (application, version) = read().map_err(|error| error::log(path, &error))?;
    if application != APPLICATION_ID {
        return Err(LogError::Setup(format!(
            "`{}` is a SQLite database, but no event log of Stackwave",
            path.display()
        )));
    }
    if version > VERSION {
        return Err(LogError::Setup(format!(
            "the event log at `{}` has version {version}, but this Stackwave reads up to {VERSION}; use a newer one",
            path.display()
        )));
    }
    let partitions: Option<String> = connection
        .query_row("SELECT value FROM settings WHERE name = 'partitions'", [], |row| row.get(0))
        .optional()
        .map_err(|error| error::log(path, &error))?;
    partitions.and_then(|text| text.parse().ok()).ok_or_else(|| LogError::Corrupt {
        at: format!("`{}`, table settings", path.display()),
        error: "the number of partitions is missing or no number".to_owned(),
    })
}

fn create_if_empty(connection: &mut Connection, partitions: u16) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Ok(());
    }
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO settings VALUES ('partitions', ?1)", [partitions.to_string()])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
