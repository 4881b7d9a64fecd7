//! What observers see.

use crate::world::{
    How, Process, REPOSITORY, STREAM, Sqlite, append, is_released, open_pull, plan, register, until,
};
use stackwave_domain::{Position, Subject};
use stackwave_event_log::EventLog;

#[tokio::test]
async fn an_observer_sees_each_record_once_in_order_and_is_told_when_it_has_caught_up() {
    let sqlite = Sqlite::new();
    let log = sqlite.open();
    register(log.as_ref(), REPOSITORY).await;
    open_pull(log.as_ref(), REPOSITORY, 1).await;
    open_pull(log.as_ref(), REPOSITORY, 2).await;

    let process = Process::start(log.clone(), How::default()).await;
    process.catch_up().await;
    plan(log.as_ref(), REPOSITORY, 3).await;
    process.until("the run is opened", |state| is_released(state, REPOSITORY, 3)).await;

    let end = log.last_position(STREAM).await.unwrap();
    let all: Vec<Position> = (1..=end.0).map(Position).collect();
    let witness = &process.witness;
    until("everything was seen", || async { witness.seen().positions.get(&STREAM) == Some(&all) }).await;
    assert_eq!(witness.seen().started_from.get(&STREAM), Some(&Position::START));
    let seen = witness.seen();
    assert_eq!(seen.caught_up, [(STREAM, 1)].into());
    assert!(seen.past > 0 && seen.waits >= seen.past, "the past was folded no faster than it was taken");
}

#[tokio::test]
async fn a_process_is_not_ready_before_its_partitions_were_looked_at() {
    let sqlite = Sqlite::new();
    let process = Process::start(sqlite.open(), How::default()).await;
    // Nothing has run yet but the start.
    assert!(!process.core.health.is_ready());
    process.catch_up().await;
}

#[tokio::test]
async fn an_observer_of_an_empty_stream_is_told_as_well() {
    let sqlite = Sqlite::new();
    let process = Process::start(sqlite.open(), How::default()).await;
    let witness = &process.witness;
    until("it has caught up", || async { witness.seen().caught_up == [(STREAM, 1)].into() }).await;
    assert_eq!(witness.seen().started_from.get(&STREAM), Some(&Position::START));
    append(process.core.log.as_ref(), Subject::github(STREAM, REPOSITORY, "ping"), Vec::new()).await;
    until("the record was seen", || async { witness.seen().positions.contains_key(&STREAM) }).await;
}
