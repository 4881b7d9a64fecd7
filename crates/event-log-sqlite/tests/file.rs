//! What is peculiar to a log in a file: its lock, its set-up, reading it from beside, and closing it.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use futures::{FutureExt as _, StreamExt as _};
use stackwave_domain::{Position, RepositoryId, StreamId, Subject};
use stackwave_event_log::{
    Append, AppendError, EventLog as _, LogError,
    conformance::{Followed, ledger, partition, record},
};
use stackwave_event_log_sqlite::{MESSAGE_ID_WINDOW_MINUTES, SqliteLog};
use std::{path::PathBuf, sync::Arc};

const FIRST: Position = Position::START.next();

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("data/stackwave.db")
    }

    fn serve(&self) -> Arc<SqliteLog> {
        SqliteLog::open(self.log(), 1).unwrap()
    }

    /// Where SQLite keeps what belongs to the file.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.log().into_os_string();
        path.push(ending);
        path.into()
    }

    /// The last position in a copy of the file alone.
    async fn last_of_a_copy(&self) -> Position {
        let copy = self.0.path().join("copy.db");
        std::fs::copy(self.log(), &copy).unwrap();
        let copy = SqliteLog::open_read_only(copy).unwrap();
        copy.last_position(StreamId::Partition(0)).await.unwrap()
    }

    fn shell(&self, sql: &str) {
        rusqlite::Connection::open(self.log()).unwrap().execute_batch(sql).unwrap();
    }

    fn refusal(&self, partitions: u16) -> String {
        match SqliteLog::open(self.log(), partitions) {
            Err(LogError::Setup(message)) => message,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}

async fn append(log: &SqliteLog, id: &str) -> Position {
    log.append(Append::any(ledger(1), record(id))).await.unwrap().receipt.position
}

#[tokio::test]
async fn a_second_server_is_refused_and_told_about_jetstream() {
    let folder = Folder::new();
    let log = folder.serve();
    let message = folder.refusal(1);
    assert!(message.contains("another process"), "{message}");
    assert!(message.contains(&format!("(process {})", std::process::id())), "{message}");
    assert!(message.contains("JetStream"), "{message}");
    append(&log, "still served").await;
}

#[tokio::test]
async fn a_second_server_is_refused_although_it_comes_through_a_link() {
    let folder = Folder::new();
    let log = folder.serve();
    let link = folder.0.path().join("link.db");
    std::os::unix::fs::symlink(folder.log(), &link).unwrap();
    let refused = SqliteLog::open(&link, 1).map(drop);
    assert!(
        matches!(&refused, Err(LogError::Setup(message)) if message.contains("another process")),
        "{refused:?}"
    );
    append(&log, "still served").await;
}

#[tokio::test]
async fn the_lock_is_given_back_with_the_last_handle() {
    let folder = Folder::new();
    let log = folder.serve();
    let other_handle = Arc::clone(&log);
    drop(log);
    folder.refusal(1);
    drop(other_handle);
    append(&folder.serve(), "served again").await;
}

#[tokio::test]
async fn another_number_of_partitions_is_refused_and_both_are_named() {
    let folder = Folder::new();
    drop(SqliteLog::open(folder.log(), 4).unwrap());
    let message = folder.refusal(16);
    assert!(message.contains("with 4 partitions, but 16 are configured"), "{message}");
    assert_eq!(SqliteLog::open(folder.log(), 4).unwrap().partitions(), 4);
}

#[test]
fn a_file_that_is_no_event_log_is_refused_and_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.log().parent().unwrap()).unwrap();
    folder.shell("CREATE TABLE cats (name TEXT)");
    let message = folder.refusal(1);
    assert!(message.contains("no event log of Stackwave"), "{message}");
    let text =
        "not a database, but somebody's notes, and long enough to be taken for a header of one of them";
    std::fs::write(folder.log(), text).unwrap();
    let message = folder.refusal(1);
    assert!(message.contains("no SQLite database"), "{message}");
    assert_eq!(std::fs::read_to_string(folder.log()).unwrap(), text);
}

#[test]
fn a_log_of_a_newer_version_is_refused() {
    let folder = Folder::new();
    drop(folder.serve());
    folder.shell("PRAGMA user_version = 99");
    let message = folder.refusal(1);
    assert!(message.contains("version 99"), "{message}");
}

#[tokio::test]
async fn only_the_server_is_exclusive() {
    let folder = Folder::new();
    assert!(folder.serve().is_exclusive());
    assert!(!SqliteLog::open_read_only(folder.log()).unwrap().is_exclusive());
}

#[tokio::test]
async fn a_log_is_read_and_followed_from_beside_while_it_is_served() {
    let folder = Folder::new();
    let server = folder.serve();
    append(&server, "before").await;
    let digest = server.put_blob("a blob".into()).await.unwrap();
    let reader = SqliteLog::open_read_only(folder.log()).unwrap();
    let mut followed = Followed::from(&*reader, partition(), FIRST).await;
    followed.take(1).await;
    let position = append(&server, "after").await;
    assert_eq!(followed.take(1).await[0].record, record("after"));
    assert_eq!(reader.last_position(partition()).await.unwrap(), position);
    assert_eq!(reader.read(partition(), FIRST, 10).await.unwrap().len(), 2);
    assert_eq!(reader.last(&ledger(1)).await.unwrap().unwrap().position, position);
    assert_eq!(reader.get_blob(&digest).await.unwrap().unwrap(), "a blob");
}

#[tokio::test]
async fn a_log_is_read_when_nobody_serves_it() {
    let folder = Folder::new();
    append(&folder.serve(), "left").await;
    let reader = SqliteLog::open_read_only(folder.log()).unwrap();
    assert_eq!(reader.read(partition(), FIRST, 10).await.unwrap().len(), 1);
    append(&folder.serve(), "a reader keeps no server out").await;
    assert_eq!(reader.read(partition(), FIRST, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_log_opened_for_reading_takes_nothing() {
    let folder = Folder::new();
    drop(folder.serve());
    let reader = SqliteLog::open_read_only(folder.log()).unwrap();
    let result = reader.append(Append::any(ledger(1), record("a"))).await;
    assert!(matches!(result, Err(AppendError::Unavailable(_))), "{result:?}");
    assert!(reader.put_blob("b".into()).await.is_err());
}

#[test]
fn reading_where_there_is_no_log_creates_none() {
    let folder = Folder::new();
    assert!(matches!(SqliteLog::open_read_only(folder.log()), Err(LogError::Setup(_))));
    assert!(!folder.log().exists());
}

#[tokio::test]
async fn what_is_queued_when_the_log_is_closed_lands() {
    let folder = Folder::new();
    let log = folder.serve();
    for number in 0..100 {
        let mut appending = log.append(Append::any(ledger(1), record(number.to_string())));
        drop((&mut appending).now_or_never());
    }
    drop(log);
    assert_eq!(folder.serve().last_position(partition()).await.unwrap(), Position(100));
}

#[tokio::test]
async fn after_the_log_is_closed_the_file_alone_is_a_whole_copy() {
    let folder = Folder::new();
    let log = folder.serve();
    let position = append(&log, "copied").await;
    // A connection that reads stays open until the log is closed.
    assert!(log.last(&ledger(1)).await.unwrap().is_some());
    drop(log);
    assert!(!folder.beside("-wal").exists() && !folder.beside("-shm").exists());
    assert_eq!(folder.last_of_a_copy().await, position);
}

#[tokio::test]
async fn the_file_alone_is_a_whole_copy_although_somebody_reads_from_beside() {
    let folder = Folder::new();
    let log = folder.serve();
    append(&log, "read from beside").await;
    let beside = SqliteLog::open_read_only(folder.log()).unwrap();
    assert!(beside.last(&ledger(1)).await.unwrap().is_some());
    let position = append(&log, "copied").await;
    drop(log);
    assert_eq!(folder.last_of_a_copy().await, position);
}

#[tokio::test]
async fn followers_end_when_the_log_is_closed_after_they_have_seen_everything() {
    let folder = Folder::new();
    let log = folder.serve();
    append(&log, "last words").await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    drop(log);
    assert_eq!(followed.take(1).await[0].record, record("last words"));
    assert!(matches!(followed.next().await, Some(Err(LogError::Setup(_)))));
    assert!(followed.next().await.is_none());
}

#[tokio::test]
async fn a_message_id_is_forgotten_after_its_window() {
    let folder = Folder::new();
    let log = folder.serve();
    let named = |id: &str, name: &str| Append::any(ledger(1), record(id)).named(name);
    log.append(named("a", "old")).await.unwrap();
    log.append(named("b", "young")).await.unwrap();
    folder.shell(&format!(
        "UPDATE records SET appended_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now',
            CASE message_id WHEN 'old' THEN '-{} minutes' ELSE '-{} minutes' END)",
        MESSAGE_ID_WINDOW_MINUTES + 1,
        MESSAGE_ID_WINDOW_MINUTES - 1,
    ));
    assert!(!log.append(named("c", "old")).await.unwrap().duplicate);
    assert!(log.append(named("d", "young")).await.unwrap().duplicate);
}

#[tokio::test]
async fn the_file_says_to_a_person_what_was_appended() {
    let folder = Folder::new();
    let log = folder.serve();
    log.append(Append::any(Subject::config_upload(), record("r1")).named("m1")).await.unwrap();
    drop(log);
    let row: (String, u64, String, String, String) = rusqlite::Connection::open(folder.log())
        .unwrap()
        .query_row("SELECT stream, position, subject, message_id, body ->> '$.id' FROM records", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    let expected = ("SW_CONFIG", 1, "sw.config.obs.upload", "m1", "r1");
    assert_eq!((row.0.as_str(), row.1, row.2.as_str(), row.3.as_str(), row.4.as_str()), expected);
}

#[tokio::test]
async fn a_record_written_by_hand_while_the_log_is_served_is_found_and_the_log_goes_on() {
    let folder = Folder::new();
    let log = folder.serve();
    append(&log, "a").await;
    folder.shell("INSERT INTO records SELECT stream, 2, subject, NULL, appended_at, body FROM records");
    let refused = log.append(Append::any(ledger(1), record("b"))).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_eq!(append(&log, "b").await, Position(3));
    assert_eq!(log.read(partition(), FIRST, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_blob_that_was_changed_on_disk_is_corrupt() {
    let folder = Folder::new();
    let log = folder.serve();
    let digest = log.put_blob("intact".into()).await.unwrap();
    folder.shell("UPDATE blobs SET bytes = x'00'");
    assert!(matches!(log.get_blob(&digest).await, Err(LogError::Corrupt { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_does_not_grow_without_end() {
    let folder = Folder::new();
    let log = folder.serve();
    let body = "x".repeat(40_000);
    futures::stream::iter(0..2500)
        .for_each_concurrent(64, |number| {
            let append = Append::any(ledger(1), record(number.to_string()).about(body.clone()));
            let log = &log;
            async move { drop(log.append(append).await.unwrap()) }
        })
        .await;
    let bytes = std::fs::metadata(folder.beside("-wal")).unwrap().len();
    assert!(bytes < 80 * 1024 * 1024, "of 100 MB appended, {bytes} bytes are in the write-ahead log");
    assert_eq!(log.last_position(StreamId::Partition(0)).await.unwrap(), Position(2500));
}

#[tokio::test]
async fn subjects_are_counted_alike_whatever_was_stored_of_their_counts() {
    let folder = Folder::new();
    let subjects = async || {
        let stats = folder.serve().upkeep().stats().await.unwrap();
        stats.streams.iter().find(|stream| stream.stream == "SW_00").unwrap().subjects
    };
    {
        let log = folder.serve();
        for repository in [1, 2, 1, 3, 2, 4] {
            let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(repository));
            log.append(Append::any(subject, record("of a repository"))).await.unwrap();
        }
    }
    assert_eq!(subjects().await, 4);
    for stored in [
        // An older version stored none.
        "DELETE FROM counters WHERE name LIKE '% subjects'",
        // A process was killed before it stored its last ones.
        "INSERT OR REPLACE INTO counters VALUES ('SW_00 subjects', 3, 2, 0)",
    ] {
        folder.shell(stored);
        assert_eq!(subjects().await, 4, "{stored}");
    }
}
