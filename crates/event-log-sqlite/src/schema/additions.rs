//! What was added to the tables since the first version: each step looks whether it was taken, and older code reads and
//! writes the file as before, so that a roll back needs nothing undone.

use rusqlite::{Connection, OptionalExtension as _};

/// The repository that a record is about, from its subject (`sw.<partition>.<repository>.…`), and what finds its records
/// in order. The configuration's subjects have a word in that place, which counts as 0, and are left out.
const REPOSITORY: &str = "
    ALTER TABLE records ADD COLUMN repository INTEGER
        GENERATED ALWAYS AS (CAST(substr(subject, 4 + instr(substr(subject, 4), '.')) AS INTEGER)) VIRTUAL;
    CREATE INDEX records_by_repository ON records (repository, position) WHERE stream <> 'SW_CONFIG';
";

/// - `blob_times`: when a blob was last stored, to the hour; none for those of an older version.
/// - `counters`: how many rows a stream, or the blobs, have up to position (or row) `through`, and their size. Rows after
///   it are counted when the file is opened.
/// - `snapshots`, `snapshot_chunks`: states of folds. What is not `whole` was broken off.
/// - `asides`: bodies for people, until they expire.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS blob_times (digest TEXT PRIMARY KEY, stored_at TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counters (
        name    TEXT    PRIMARY KEY,
        through INTEGER NOT NULL,
        count   INTEGER NOT NULL,
        bytes   INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS snapshots (
        id       INTEGER PRIMARY KEY,
        stream   TEXT    NOT NULL,
        engine   INTEGER NOT NULL,
        position INTEGER NOT NULL,
        digest   TEXT    NOT NULL,
        bytes    INTEGER NOT NULL,
        whole    INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS snapshot_chunks (
        snapshot INTEGER NOT NULL,
        number   INTEGER NOT NULL,
        bytes    BLOB    NOT NULL,
        PRIMARY KEY (snapshot, number)
    );
    CREATE TABLE IF NOT EXISTS asides (
        position   INTEGER PRIMARY KEY AUTOINCREMENT,
        kind       TEXT    NOT NULL,
        id         TEXT    NOT NULL,
        at         TEXT    NOT NULL,
        note       TEXT    NOT NULL,
        size       INTEGER NOT NULL,
        expires_at TEXT    NOT NULL,
        bytes      BLOB    NOT NULL
    );
    CREATE INDEX IF NOT EXISTS asides_by_id ON asides (kind, id);
    CREATE INDEX IF NOT EXISTS asides_by_expiry ON asides (expires_at, size);
";

/// Adds what is missing.
pub(super) fn add(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if !has(&transaction, "records_by_repository")? {
        transaction.execute_batch(REPOSITORY)?;
    }
    transaction.execute_batch(TABLES)?;
    transaction.commit()
}

/// Whether the file has a table or an index: one that an older version created and only reads were opened on may not.
pub(crate) fn has(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1")?
        .query_row([name], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}
