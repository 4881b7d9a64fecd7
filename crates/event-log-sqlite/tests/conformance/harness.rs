//! A SQLite log in a temporary folder, which can be killed: then another process serves it.

use async_trait::async_trait;
use futures::StreamExt as _;
use stackwave_domain::{Position, Receipt, RecordId, Subject};
use stackwave_event_log::{
    EventLog, SnapshotKey,
    conformance::{Harness, PARTITIONS, crash_append},
};
use stackwave_event_log_sqlite::SqliteLog;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, Weak},
};

/// Tells the child process which log it serves.
const CHILD_LOG: &str = "STACKWAVE_TEST_CHILD_LOG";
/// The test that is the child process.
const CHILD_TEST: &str = "harness::child_process_that_appends_until_it_is_killed";
/// The child is killed after so many acknowledged appends.
const ACKNOWLEDGED: usize = 500;
/// Stands before an acknowledgement in the child's output.
const MARK: &str = "acknowledged ";

/// A log in a folder that goes away with it.
pub(crate) struct SqliteHarness {
    folder: tempfile::TempDir,
    handle: Mutex<Weak<SqliteLog>>,
}

impl SqliteHarness {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), handle: Mutex::new(Weak::new()) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("stackwave.db")
    }

    pub(crate) fn log(&self) -> Arc<SqliteLog> {
        let mut handle = self.handle.lock().unwrap();
        if let Some(log) = handle.upgrade() {
            return log;
        }
        let log = SqliteLog::open(self.path(), PARTITIONS).unwrap();
        *handle = Arc::downgrade(&log);
        log
    }

    fn assert_closed(&self) {
        assert_eq!(self.handle.lock().unwrap().strong_count(), 0, "a handle is left");
    }
}

#[async_trait]
impl Harness for SqliteHarness {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.log()
    }

    async fn restart(&self) {
        self.assert_closed();
    }

    async fn crash(&self) -> Vec<Receipt> {
        self.assert_closed();
        let path = self.path();
        tokio::task::spawn_blocking(move || run_and_kill_child(&path)).await.unwrap()
    }

    async fn plant(&self, subject: &Subject, body: &[u8]) {
        drop(self.log());
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let stream = subject.stream().name();
        let body = String::from_utf8(body.to_vec()).unwrap();
        connection
            .execute(
                "INSERT INTO records (stream, position, subject, appended_at, body)
                 VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM records WHERE stream = ?1), ?2, '', ?3)",
                (stream, subject.as_str(), body),
            )
            .unwrap();
    }

    async fn damage_snapshot(&self, key: SnapshotKey, position: Position) {
        self.assert_closed();
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let changed = connection.execute(
            "UPDATE snapshot_chunks SET bytes = x'00' WHERE snapshot =
                (SELECT id FROM snapshots WHERE stream = ?1 AND engine = ?2 AND position = ?3)",
            (key.stream.name(), key.engine, position.0),
        );
        assert_eq!(changed.unwrap(), 1);
    }
}

fn run_and_kill_child(path: &Path) -> Vec<Receipt> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD_TEST, "--ignored", "--nocapture"])
        .env(CHILD_LOG, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut receipts: Vec<Receipt> =
        output.by_ref().filter_map(|line| acknowledged(&line.unwrap())).take(ACKNOWLEDGED).collect();
    // On Unix this is SIGKILL: nothing of the child runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    receipts.extend(output.filter_map(|line| acknowledged(&line.unwrap())));
    receipts
}

fn acknowledged(line: &str) -> Option<Receipt> {
    // The test runner writes its own words before the first line.
    let (_, rest) = line.split_once(MARK)?;
    let (record, position) = rest.strip_suffix('.')?.split_once(' ')?;
    Some(Receipt { record: RecordId::new(record), position: Position(position.parse().ok()?) })
}

#[tokio::test]
#[ignore = "is started as a process by the tests that kill it"]
async fn child_process_that_appends_until_it_is_killed() {
    let log = SqliteLog::open(std::env::var(CHILD_LOG).unwrap(), PARTITIONS).unwrap();
    futures::stream::iter(0..)
        .for_each_concurrent(32, |number| {
            let log = Arc::clone(&log);
            async move {
                let receipt = log.append(crash_append(number)).await.unwrap().receipt;
                let mut output = std::io::stdout().lock();
                writeln!(output, "{MARK}{} {}.", receipt.record, receipt.position).unwrap();
            }
        })
        .await;
}
