//! Where a partition starts, and what is stored for the next start.

use crate::world::{How, Process, REPOSITORY, STREAM, Sqlite, folded, is_released, plan, register, until};
use bytes::Bytes;
use stackwave_domain::{Position, RepositoryId, StreamId};
use stackwave_engine::{Config, SNAPSHOT_VERSION, State};
use stackwave_event_log::{EventLog, SnapshotKey};
use stackwave_runtime::{
    snapshots::SnapshotPolicy,
    start::{self, Origin},
};
use std::{sync::Arc, time::Duration};

const KEY: SnapshotKey = SnapshotKey { stream: STREAM, engine: SNAPSHOT_VERSION };

/// At every record, and at every end.
fn often() -> How {
    let snapshots = SnapshotPolicy { records: 1, interval: Duration::ZERO, at_end: 1 };
    How { snapshots, ..How::default() }
}

/// Nothing but what is stored at the end.
fn at_end() -> How {
    let snapshots = SnapshotPolicy { at_end: 1, ..SnapshotPolicy::default() };
    How { snapshots, ..How::default() }
}

/// A log with some runs, left by a process that drained.
async fn left_behind(sqlite: &Sqlite, how: How) -> (Arc<dyn EventLog>, State) {
    let log: Arc<dyn EventLog> = sqlite.open();
    register(log.as_ref(), REPOSITORY).await;
    let process = Process::start(log.clone(), how).await;
    for number in 1..=3 {
        plan(log.as_ref(), REPOSITORY, number).await;
        process.until("the run is opened", |state| is_released(state, REPOSITORY, number)).await;
    }
    let state = process.view().read(State::clone);
    process.stop().await;
    (log, state)
}

#[tokio::test]
async fn a_process_that_drains_leaves_a_snapshot_and_the_next_one_goes_on_from_it() {
    let sqlite = Sqlite::new();
    let (log, state) = left_behind(&sqlite, at_end()).await;
    assert_eq!(state, folded(&log).await);

    let process = Process::start(log.clone(), How::default()).await;
    process.catch_up().await;
    assert!(process.view().read(|now| *now == state));
    assert_eq!(process.witness.seen().started_from.get(&STREAM), Some(&state.position()));
    assert_eq!(process.witness.seen().positions.get(&STREAM), None, "nothing was folded again");

    plan(log.as_ref(), REPOSITORY, 4).await;
    process.until("it goes on", |state| is_released(state, REPOSITORY, 4)).await;
    assert!(process.view().read(State::to_snapshot).unwrap() == folded(&log).await.to_snapshot().unwrap());
}

#[tokio::test]
async fn a_snapshot_is_stored_while_it_runs_and_what_came_after_it_is_folded() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    register(log.as_ref(), REPOSITORY).await;
    let process = Process::start(log.clone(), often()).await;
    plan(log.as_ref(), REPOSITORY, 1).await;
    until("a snapshot is there", || async { !log.snapshots().list(STREAM).await.unwrap().is_empty() }).await;
    // As if it had been killed: nothing is stored at its end.
    process.core.shutdown.cancel();
    plan(log.as_ref(), REPOSITORY, 2).await;

    let start = start::newest(log.as_ref(), STREAM).await.unwrap();
    assert!(matches!(start.origin, Origin::Snapshot(position) if position == start.state.position()));
    let process = Process::start(log.clone(), How { passive: true, ..How::default() }).await;
    process.catch_up().await;
    assert!(process.view().read(State::clone) == folded(&log).await);
    assert!(process.witness.seen().started_from[&STREAM] > Position::START);
}

#[tokio::test]
async fn a_snapshot_of_another_history_is_not_used() {
    let (one, other) = (Sqlite::new(), Sqlite::new());
    let (log, _) = left_behind(&one, at_end()).await;
    let (position, bytes) = log.snapshots().load(KEY).await.unwrap().unwrap();
    // The same number of records, and the snapshot of the log that was there before.
    let (restored, state) = left_behind(&other, How::default()).await;
    restored.snapshots().put(KEY, position, bytes).await.unwrap();
    let start = start::newest(restored.as_ref(), STREAM).await.unwrap();
    assert_eq!(start.origin, Origin::Beginning);
    let process = Process::start(restored, How::default()).await;
    process.catch_up().await;
    assert!(process.view().read(State::clone) == state);
}

#[tokio::test]
async fn a_snapshot_that_is_longer_than_the_log_or_damaged_is_not_used() {
    let sqlite = Sqlite::new();
    let (log, state) = left_behind(&sqlite, at_end()).await;
    let (position, bytes) = log.snapshots().load(KEY).await.unwrap().unwrap();
    let mut damaged = bytes.to_vec();
    let last = damaged.len() - 20;
    damaged[last] ^= 1;
    for (position, bytes) in [
        (Position(position.0 + 7), bytes),
        (Position(position.0 + 8), Bytes::new()),
        (Position(position.0 + 9), Bytes::from(damaged)),
    ] {
        log.snapshots().put(KEY, position, bytes).await.unwrap();
        assert_eq!(start::newest(log.as_ref(), STREAM).await.unwrap().origin, Origin::Beginning);
    }
    let process = Process::start(log, How::default()).await;
    process.catch_up().await;
    assert!(process.view().read(State::clone) == state);
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_left_alone() {
    let sqlite = Sqlite::new();
    let (log, state) = left_behind(&sqlite, How::default()).await;
    let older = SnapshotKey { engine: SNAPSHOT_VERSION - 1, ..KEY };
    log.snapshots().put(older, state.position(), Bytes::from_static(b"whatever")).await.unwrap();
    assert_eq!(start::newest(log.as_ref(), STREAM).await.unwrap().origin, Origin::Beginning);
}

#[tokio::test]
async fn few_records_are_not_worth_a_snapshot() {
    let sqlite = Sqlite::new();
    let (log, _) = left_behind(&sqlite, How::default()).await;
    assert_eq!(log.snapshots().list(STREAM).await.unwrap(), []);
    assert_eq!(log.snapshots().list(StreamId::Config).await.unwrap(), []);
}

#[tokio::test]
async fn the_configuration_goes_on_from_a_snapshot_too() {
    let sqlite = Sqlite::new();
    let log: Arc<dyn EventLog> = sqlite.open();
    register(log.as_ref(), REPOSITORY).await;
    let before = Process::start(log.clone(), often()).await;
    let stored = || async { !log.snapshots().list(StreamId::Config).await.unwrap().is_empty() };
    until("a snapshot is there", stored).await;
    let config = before.core.config.read(Config::clone);
    before.stop().await;

    let after = Process::start(log.clone(), How::default()).await;
    assert_eq!(after.core.config.read(Config::clone), config);
    register(log.as_ref(), RepositoryId(43)).await;
    let end = log.last_position(StreamId::Config).await.unwrap();
    after.core.config.wait_for(end).await;
    assert_eq!(after.core.config.read(|config| config.repositories().count()), 2);
}
