//! Checkpoints and purges, on either log.

use crate::world::{
    How, Process, REPOSITORY, STREAM, Sqlite, folded, is_released, open_pull, plan as plan_run, register,
};
use stackwave_domain::{Position, Record, RecordId, Subject, Timestamp, event::CheckpointWritten};
use stackwave_engine::State;
use stackwave_event_log::{EventLog, Freed};
use stackwave_runtime::{
    Clock as _, SystemClock,
    growth::{
        checkpoint::{self, CheckpointError},
        purge::{self, Obstacle, Plan, PurgeError},
    },
    start::{self, Origin},
};
use std::{collections::BTreeMap, sync::Arc};

const DAY: i64 = 24 * 3600;

/// Today, or so many days later.
fn in_days(days: i64) -> Timestamp {
    SystemClock::default().now() + jiff::SignedDuration::from_secs(days * DAY)
}

async fn write_checkpoint(log: &Arc<dyn EventLog>) -> CheckpointWritten {
    let record = |checkpoint: CheckpointWritten| {
        let id = RecordId::new(format!("checkpoint-{}", checkpoint.at));
        Record::new(id, in_days(0), "test", vec![checkpoint.into()])
    };
    checkpoint::write(log, STREAM, record).await.unwrap()
}

/// A purge up to here, looked at when everything is old.
async fn plan(log: &Arc<dyn EventLog>, through: Position, days: i64) -> Plan {
    purge::plan(log, BTreeMap::from([(STREAM, through)]), in_days(days)).await.unwrap()
}

async fn end(log: &dyn EventLog) -> Position {
    log.last_position(STREAM).await.unwrap()
}

/// Two runs that are long done, as far as anybody can tell a hundred days later.
async fn with_history(log: &Arc<dyn EventLog>) {
    register(log.as_ref(), REPOSITORY).await;
    let process = Process::start(log.clone(), How::default()).await;
    for number in 1..=2 {
        plan_run(log.as_ref(), REPOSITORY, number).await;
        process.until("the run is opened", |state| is_released(state, REPOSITORY, number)).await;
    }
    // A newer head supersedes nothing of another pull request: close both.
    for number in 1..=2 {
        crate::world::close_pull(log.as_ref(), REPOSITORY, number).await;
    }
    process
        .until("both runs have stopped", |state| {
            state.repository(REPOSITORY).is_some_and(|it| it.active_runs().is_empty() && it.runs.len() == 2)
        })
        .await;
    process.stop().await;
}

/// Everything that must be so of a purge with a process that goes on beside it, and with one that starts after it.
pub(crate) async fn a_purge_changes_nothing_but_the_size(log: Arc<dyn EventLog>) {
    with_history(&log).await;
    let before = folded(&log).await;
    let running = Process::start(log.clone(), How::default()).await;
    running.catch_up().await;

    let checkpoint = write_checkpoint(&log).await;
    assert_eq!(checkpoint.at, before.position());
    let plan = plan(&log, checkpoint.at, 100).await;
    assert_eq!(plan.obstacles, []);
    let (records, blobs) = plan.total();
    assert!(records.count > 4 && blobs.count >= 2, "{records:?} {blobs:?}");
    let mut archived = Freed::default();
    let mut from = Position(1);
    while let Some((page, next)) = purge::removed_page(log.as_ref(), &plan, STREAM, from).await.unwrap() {
        page.iter().for_each(|raw| archived += Freed { count: 1, bytes: raw.body.len() as u64 });
        from = next;
    }
    assert_eq!(archived, records);
    let (gone, gone_blobs) = purge::carry_out(log.as_ref(), &plan).await.unwrap();
    assert_eq!((gone.count, gone_blobs.count), (records.count, blobs.count));
    assert!(log.first_position(STREAM).await.unwrap().unwrap() > Position(1));
    let ledger = log.last(&Subject::ledger(STREAM, REPOSITORY)).await.unwrap();
    assert!(ledger.is_some(), "the ledger's last record stays");

    // The process that runs goes on to decide, and so does one that starts from the checkpoint.
    plan_run(log.as_ref(), REPOSITORY, 3).await;
    running.until("it decides after the purge", |state| is_released(state, REPOSITORY, 3)).await;
    let whole = running.view().read(State::to_snapshot).unwrap();
    let end = running.view().read(State::position);
    running.core.shutdown.cancel();

    let start = start::replay(log.as_ref(), STREAM, None).await.unwrap();
    assert_eq!(start.origin, Origin::Checkpoint(checkpoint.at));
    assert_eq!(start.state, before);
    let fresh = checkpoint::state_now(&log, STREAM).await.unwrap();
    assert_eq!(fresh.position(), end);
    assert!(fresh.to_snapshot().unwrap() == whole, "the checkpoint and the rest are not all of it");

    let after = Process::start(log.clone(), How::default()).await;
    after.catch_up().await;
    plan_run(log.as_ref(), REPOSITORY, 4).await;
    after.until("it decides as well", |state| is_released(state, REPOSITORY, 4)).await;
}

#[tokio::test]
async fn a_purge_changes_nothing_but_the_size_of_a_sqlite_log() {
    let sqlite = Sqlite::new();
    a_purge_changes_nothing_but_the_size(sqlite.open()).await;
}

#[tokio::test]
async fn a_purge_is_refused_while_something_is_needed_and_says_what() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    with_history(&log).await;
    let through = end(log.as_ref()).await;
    let no_checkpoint = Obstacle::NoCheckpoint { stream: STREAM, through, newest: None };
    assert_eq!(plan(&log, through, 100).await.obstacles, [no_checkpoint]);

    let checkpoint = write_checkpoint(&log).await;
    let later = end(log.as_ref()).await;
    let newest = Some(checkpoint.at);
    let too_old = Obstacle::NoCheckpoint { stream: STREAM, through: later, newest };
    assert_eq!(plan(&log, later, 100).await.obstacles, [too_old]);

    let today = plan(&log, through, 0).await;
    assert_eq!(today.obstacles.len(), 2, "{:?}", today.obstacles);
    let texts: Vec<String> = today.obstacles.iter().map(ToString::to_string).collect();
    assert!(texts.iter().all(|text| text.starts_with("SW_00, repository 42: the run pr")), "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("is kept for re-runs")), "{texts:?}");
    assert!(matches!(purge::carry_out(log.as_ref(), &today).await, Err(PurgeError::InTheWay(2))));
    assert_eq!(log.first_position(STREAM).await.unwrap(), Some(Position(1)));
    let possible = today.possible(STREAM).unwrap();
    assert!(possible < through);
    assert_eq!(plan(&log, possible, 0).await.obstacles, []);
}

#[tokio::test]
async fn records_that_are_gone_without_a_checkpoint_are_told() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    with_history(&log).await;
    log.upkeep().purge(STREAM, Position(3), stackwave_event_log::is_checked).await.unwrap();
    let error = start::newest(log.as_ref(), STREAM).await.unwrap_err();
    assert!(error.to_string().contains("no checkpoint says what they told"), "{error}");
}

#[tokio::test]
async fn an_earlier_moment_than_the_checkpoint_is_in_the_archive_only() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    with_history(&log).await;
    let checkpoint = write_checkpoint(&log).await;
    assert_eq!(
        start::replay(log.as_ref(), STREAM, Some(Position(2))).await.unwrap().origin,
        Origin::Beginning
    );
    purge::carry_out(log.as_ref(), &plan(&log, checkpoint.at, 100).await).await.unwrap();
    let error = start::replay(log.as_ref(), STREAM, Some(Position(2))).await.unwrap_err();
    assert!(error.to_string().contains("the archive of the purge has it"), "{error}");
}

#[tokio::test]
async fn an_empty_partition_has_nothing_to_write_down() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    let record = |_| Record::new(RecordId::new("x"), in_days(0), "test", Vec::new());
    assert!(matches!(checkpoint::write(&log, STREAM, record).await, Err(CheckpointError::Empty(_))));
}

#[tokio::test]
async fn a_purge_twice_removes_nothing_more_and_blobs_that_are_needed_stay() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    with_history(&log).await;
    let upload = log.read(STREAM, Position(1), 10).await.unwrap();
    let raw = upload.iter().flat_map(|entry| entry.record.blobs()).next().unwrap();
    let checkpoint = write_checkpoint(&log).await;
    purge::carry_out(log.as_ref(), &plan(&log, checkpoint.at, 100).await).await.unwrap();
    assert_eq!(log.get_blob(&raw.digest).await.unwrap(), None);
    assert!(log.get_blob(&checkpoint.state.digest).await.unwrap().is_some(), "the checkpoint's own");
    let again = plan(&log, checkpoint.at, 100).await;
    assert_eq!(again.total(), (Freed::default(), Freed::default()));
    open_pull(log.as_ref(), REPOSITORY, 9).await;
    let newer = write_checkpoint(&log).await;
    let replaced = plan(&log, newer.at, 100).await;
    assert_eq!(replaced.blobs.len(), 1, "the checkpoint before is of no use any more");
}
