//! Restarts, kills and lost answers: what was acknowledged stays, and what was not is whole or absent.

use super::{
    Harness, RemoteHarness,
    fixture::{
        CRASH_STREAM, DEADLINE, assert_conflict, crash_append, ids, land, ledger, partition, read_all,
        record, uploads,
    },
};
use crate::{Append, AppendError, EventLog};
use futures::FutureExt as _;
use stackwave_domain::{Entry, Position, RecordId, Subject};
use std::{collections::BTreeMap, time::Duration};

/// The log goes on where it was.
pub async fn positions_and_expectations_survive_a_restart(harness: &impl Harness) {
    let log = harness.open().await;
    let decided = land(&*log, Append::after(ledger(1), record("a"), Position::START)).await;
    let end = land(&*log, Append::any(uploads(1), record("b"))).await;
    drop(log);
    harness.restart().await;
    let log = harness.open().await;
    assert_eq!(log.last_position(partition()).await.expect("the end"), end);
    assert_conflict(log.append(Append::after(ledger(1), record("c"), Position::START)).await);
    assert_conflict(log.append(Append::after(ledger(1), record("d"), end)).await);
    let position = land(&*log, Append::after(ledger(1), record("e"), decided)).await;
    assert!(position > end);
    assert_eq!(ids(&read_all(&*log, partition()).await), ["a", "b", "e"]);
}

/// The client repeats a chunk because we went down before we answered.
pub async fn a_message_id_is_known_after_a_restart(harness: &impl Harness) {
    let log = harness.open().await;
    let first = land(&*log, Append::any(uploads(1), record("a")).named("chunk:1")).await;
    drop(log);
    harness.restart().await;
    let log = harness.open().await;
    let again = log.append(Append::any(uploads(1), record("b")).named("chunk:1")).await.expect("an answer");
    assert!(again.duplicate);
    assert_eq!(again.receipt.position, first);
}

/// Durable means durable.
pub async fn a_kill_in_mid_append_loses_nothing_that_was_acknowledged(harness: &impl Harness) {
    let acknowledged = harness.crash().await;
    assert!(acknowledged.len() >= 100, "only {} appends were acknowledged", acknowledged.len());
    let log = harness.open().await;
    let entries = read_all(&*log, CRASH_STREAM).await;
    let mut by_id: BTreeMap<&RecordId, &Entry> = BTreeMap::new();
    for entry in &entries {
        assert!(by_id.insert(&entry.record.id, entry).is_none(), "{} is there twice", entry.record.id);
        let number = entry.record.id.as_str().trim_start_matches("crash-").parse().expect("one of ours");
        assert_eq!(entry.record, crash_append(number).record, "a record is torn");
    }
    for receipt in &acknowledged {
        let found = by_id.get(&receipt.record).map(|entry| entry.position);
        assert_eq!(found, Some(receipt.position), "{} was acknowledged", receipt.record);
    }
    land(&*log, Append::any(ledger(1), record("the log goes on"))).await;
}

/// A caller that goes away (a client that hangs up) leaves nothing half done.
pub async fn an_append_that_nobody_waits_for_is_whole_or_absent(harness: &impl Harness) {
    const ROUNDS: u64 = 50;
    let log = harness.open().await;
    for round in 0..ROUNDS {
        let append = Append::after(ledger(round), record(format!("dropped-{round}")), Position::START);
        let mut future = log.append(append);
        // One poll sends it at most; it is never waited for.
        drop((&mut future).now_or_never());
    }
    for round in 0..ROUNDS {
        let kept = record(format!("kept-{round}"));
        match log.append(Append::after(ledger(round), kept, Position::START)).await {
            Ok(_) | Err(AppendError::Conflict { .. }) => {}
            Err(error) => panic!("expected an answer, got: {error}"),
        }
        let found = log.last(&ledger(round)).await.expect("an answer").expect("one of the two");
        let names = [format!("dropped-{round}"), format!("kept-{round}")];
        assert!(names.iter().any(|name| name == found.record.id.as_str()), "{}", found.record.id);
    }
    let landed = read_all(&*log, partition()).await.len();
    assert_eq!(u64::try_from(landed).expect("a number"), ROUNDS, "exactly one of each two lands");
}

/// The answer is lost, the record is not: the caller is told so, and finds it by its id.
pub async fn a_lost_answer_is_unknown_and_the_record_is_found(harness: &impl RemoteHarness) {
    let log = harness.open().await;
    let first = land(&*log, Append::after(ledger(1), record("a"), Position::START)).await;
    let error = harness.append_losing_answer(Append::after(ledger(1), record("b"), first)).await;
    assert!(matches!(error, AppendError::Unknown(_)), "expected an unknown outcome, got: {error}");
    let found = eventually_last(&*log, &ledger(1), "b").await;
    assert_conflict(log.append(Append::after(ledger(1), record("b"), first)).await);
    land(&*log, Append::after(ledger(1), record("c"), found)).await;
    assert_eq!(ids(&read_all(&*log, partition()).await), ["a", "b", "c"]);
}

async fn eventually_last(log: &dyn EventLog, subject: &Subject, id: &str) -> Position {
    let search = async {
        loop {
            let last = log.last(subject).await.expect("an answer");
            if let Some(entry) = last.filter(|entry| entry.record.id.as_str() == id) {
                return entry.position;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, search).await.expect("the record should be found")
}
