//! What is peculiar to keeping a file: older ones are brought up to date, and purged ones become shorter.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use stackwave_domain::{Position, RepositoryId, Timestamp, codec};
use stackwave_event_log::{
    Append, EngineStats, EventLog as _, Filter, LogStats, SnapshotKey, StoreStats,
    conformance::{ledger, partition, record},
    is_checked,
};
use stackwave_event_log_sqlite::SqliteLog;
use std::{path::PathBuf, sync::Arc};

/// The tables of the first version.
const FIRST_VERSION: &str = "
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
    INSERT INTO settings VALUES ('partitions', '1');
    INSERT INTO blobs VALUES ('0a', x'0102');
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = 0x53574C47;
    PRAGMA user_version = 1;
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("stackwave.db")
    }

    fn serve(&self) -> Arc<SqliteLog> {
        SqliteLog::open(self.path(), 1).unwrap()
    }

    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// As the first version wrote it.
    fn of_the_first_version(records: u64) -> Self {
        let this = Self::new();
        let mut connection = this.connection();
        connection.execute_batch(FIRST_VERSION).unwrap();
        let transaction = connection.transaction().unwrap();
        for position in 1..=records {
            insert_as_the_first_version(&transaction, position);
        }
        transaction.commit().unwrap();
        this
    }
}

fn insert_as_the_first_version(connection: &rusqlite::Connection, position: u64) {
    let body =
        String::from_utf8(codec::encode(&record(position.to_string()).about("x".repeat(2000))).unwrap());
    let subject = ledger(position % 3);
    let values = ("SW_00", position, subject.as_str(), None::<String>, "2026-01-01T00:00:00Z", body.unwrap());
    connection.execute("INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6)", values).unwrap();
}

async fn stats(log: &SqliteLog) -> LogStats {
    log.upkeep().stats().await.unwrap()
}

async fn positions_of(log: &SqliteLog, repository: u64) -> Vec<u64> {
    let filter = Filter::Repository(RepositoryId(repository));
    let entries = log.read_of(partition(), &filter, Position(1), usize::MAX).await.unwrap();
    entries.iter().map(|entry| entry.position.0).collect()
}

#[tokio::test]
async fn a_file_of_the_first_version_is_read_as_it_is() {
    let folder = Folder::of_the_first_version(7);
    let log = SqliteLog::open_read_only(folder.path()).unwrap();
    assert_eq!(positions_of(&log, 1).await, [1, 4, 7]);
    let stats = stats(&log).await;
    assert_eq!((stats.streams[1].records, stats.streams[1].subjects), (7, 3));
    assert_eq!((stats.blobs, stats.snapshots), (StoreStats { count: 1, bytes: 2 }, StoreStats::default()));
    let key = SnapshotKey { stream: partition(), engine: 1 };
    assert_eq!(log.snapshots().load(key).await.unwrap(), None);
    assert_eq!(log.asides().list("webhook", 10, None).await.unwrap(), []);
    assert_eq!(log.upkeep().list_blobs().await.unwrap()[0].stored_at, None);
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_and_can_still_be_written_by_it() {
    let folder = Folder::of_the_first_version(7);
    let log = folder.serve();
    assert_eq!(positions_of(&log, 1).await, [1, 4, 7]);
    log.append(Append::after(ledger(1), record("8"), Position(7))).await.unwrap();
    assert_eq!(positions_of(&log, 1).await, [1, 4, 7, 8]);
    drop(log);
    insert_as_the_first_version(&folder.connection(), 9);
    folder.connection().execute("INSERT OR IGNORE INTO blobs VALUES ('0b', x'010203')", []).unwrap();
    let log = folder.serve();
    assert_eq!(positions_of(&log, 0).await, [3, 6, 9]);
    let stats = stats(&log).await;
    assert_eq!(stats.streams[1].records, 9);
    assert_eq!(stats.blobs, StoreStats { count: 2, bytes: 5 });
}

#[tokio::test]
async fn a_purged_file_becomes_shorter() {
    let new = {
        let folder = Folder::new();
        let log = folder.serve();
        let appends = (0..20_000).map(|number| {
            log.append(Append::any(ledger(number % 3), record(number.to_string()).about("x".repeat(2000))))
        });
        for result in futures::future::join_all(appends).await {
            result.unwrap();
        }
        drop(log);
        folder
    };
    for folder in [new, Folder::of_the_first_version(20_000)] {
        let before = std::fs::metadata(folder.path()).unwrap().len();
        let log = folder.serve();
        log.upkeep().purge(partition(), Position(20_000), is_checked).await.unwrap();
        let EngineStats::Sqlite { free_pages, page_size, synchronous, journal_mode, .. } =
            stats(&log).await.engine
        else {
            panic!("no file")
        };
        assert!(free_pages * page_size < 9 * 1024 * 1024, "{free_pages} pages are free");
        assert_eq!((synchronous.as_deref(), journal_mode.as_str()), (Some("full"), "wal"));
        assert_eq!(positions_of(&log, 0).await.len(), 1);
        drop(log);
        let after = std::fs::metadata(folder.path()).unwrap().len();
        assert!(before > 40_000_000 && after < 10_000_000, "{before} bytes, then {after}");
    }
}

#[tokio::test]
async fn the_figures_of_a_file_that_was_not_closed_are_counted_again() {
    let folder = Folder::new();
    let log = folder.serve();
    for number in 0..10 {
        log.append(Append::any(ledger(1), record(number.to_string()))).await.unwrap();
    }
    let served = stats(&log).await;
    let read = stats(&SqliteLog::open_read_only(folder.path()).unwrap()).await;
    assert_eq!(read.streams, served.streams);
    assert_eq!(served.streams[1].records, 10);
}

#[tokio::test]
async fn bodies_that_expired_while_nobody_served_go_with_those_that_come() {
    let folder = Folder::new();
    drop(folder.serve());
    let insert = "INSERT INTO asides (kind, id, at, note, size, expires_at, bytes)
                  VALUES ('webhook', ?1, '', '', 0, '2020-01-01T00:00:00.000Z', x'')";
    for number in 0..20 {
        folder.connection().execute(insert, [number]).unwrap();
    }
    let log = folder.serve();
    assert_eq!(log.asides().list("webhook", 10, None).await.unwrap(), []);
    assert_eq!(stats(&log).await.asides.count, 20);
    for number in 0..2 {
        let aside = stackwave_event_log::Aside {
            kind: "webhook".to_owned(),
            id: format!("new {number}"),
            at: Timestamp::UNIX_EPOCH,
            note: String::new(),
            bytes: "body".into(),
        };
        log.asides().put(aside, std::time::Duration::from_secs(60)).await.unwrap();
    }
    assert_eq!(stats(&log).await.asides.count, 2);
}
