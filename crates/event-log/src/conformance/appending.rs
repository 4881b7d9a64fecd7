//! What an append does, and when it is refused.

use super::{
    Harness, PARTITIONS,
    fixture::{assert_conflict, ids, land, ledger, partition, read_all, record, uploads},
};
use crate::{Append, AppendError, LogError};
use futures::future::join_all;
use stackwave_domain::{
    Position, Record, RepositoryId, StreamId, Subject,
    codec::{self, CodecError},
    record::MAX_RECORD_BYTES,
};

/// A past that somebody else has changed is no ground for a decision.
pub async fn an_append_after_a_stale_position_conflicts(harness: &impl Harness) {
    let log = harness.open().await;
    let first = land(&*log, Append::after(ledger(1), record("a"), Position::START)).await;
    let second = land(&*log, Append::after(ledger(1), record("b"), first)).await;
    assert_conflict(log.append(Append::after(ledger(1), record("c"), first)).await);
    assert_conflict(log.append(Append::after(ledger(1), record("d"), Position(second.0 + 1))).await);
    land(&*log, Append::after(ledger(1), record("e"), second)).await;
    assert_eq!(ids(&read_all(&*log, partition()).await), ["a", "b", "e"]);
}

/// Position 0 is before everything.
pub async fn expecting_zero_means_that_the_subject_is_empty(harness: &impl Harness) {
    let log = harness.open().await;
    land(&*log, Append::after(ledger(1), record("a"), Position::START)).await;
    assert_conflict(log.append(Append::after(ledger(1), record("b"), Position::START)).await);
    land(&*log, Append::after(ledger(2), record("c"), Position::START)).await;
    assert_eq!(ids(&read_all(&*log, partition()).await), ["a", "c"]);
}

/// Observations of the same repository, and other repositories, do not disturb a ledger.
pub async fn an_expectation_is_about_the_exact_subject_only(harness: &impl Harness) {
    let log = harness.open().await;
    let decided = land(&*log, Append::after(ledger(1), record("decided"), Position::START)).await;
    land(&*log, Append::any(uploads(1), record("observed"))).await;
    land(&*log, Append::after(ledger(11), record("another repository"), Position::START)).await;
    let observed = log.last_position(partition()).await.expect("the end");
    assert_conflict(log.append(Append::after(ledger(1), record("by the stream's end"), observed)).await);
    land(&*log, Append::after(ledger(1), record("decided again"), decided)).await;
}

/// A repeat under the same name is dropped, and its answer names the first.
pub async fn a_message_id_lands_once_and_answers_with_the_first_position(harness: &impl Harness) {
    let log = harness.open().await;
    let first = land(&*log, Append::any(uploads(1), record("a")).named("chunk:1")).await;
    land(&*log, Append::any(uploads(1), record("between")).named("chunk:2")).await;
    let again = log.append(Append::any(uploads(1), record("b")).named("chunk:1")).await.expect("an answer");
    assert!(again.duplicate);
    assert_eq!(again.receipt.position, first);
    assert_eq!(again.receipt.record.as_str(), "a", "the receipt is that of the first record");
    let (left, right) = futures::join!(
        log.append(Append::any(uploads(1), record("left")).named("chunk:3")),
        log.append(Append::any(uploads(1), record("right")).named("chunk:3")),
    );
    let (left, right) = (left.expect("an answer"), right.expect("an answer"));
    assert_eq!(left.receipt, right.receipt);
    assert!(left.duplicate != right.duplicate, "exactly one of two at once lands");
    assert_eq!(read_all(&*log, partition()).await.len(), 3);
}

/// The log drops nothing by itself, not even a record with the same id: a whole upload that comes again is a fact.
pub async fn without_a_message_id_every_append_lands(harness: &impl Harness) {
    let log = harness.open().await;
    let first = land(&*log, Append::any(uploads(1), record("same"))).await;
    let second = land(&*log, Append::any(uploads(1), record("same"))).await;
    assert!(second > first);
    assert_eq!(ids(&read_all(&*log, partition()).await), ["same", "same"]);
}

/// The largest record lands, one byte more does not, and the log is none the worse for it.
pub async fn a_record_too_large_is_refused_before_it_is_sent(harness: &impl Harness) {
    let log = harness.open().await;
    let result = log.append(Append::any(uploads(1), record_of(MAX_RECORD_BYTES + 1))).await;
    assert!(
        matches!(&result, Err(AppendError::Invalid(CodecError::TooLarge { bytes })) if *bytes == MAX_RECORD_BYTES + 1),
        "expected a refusal for the size, got {result:?}"
    );
    assert_eq!(log.last_position(partition()).await.expect("the end"), Position::START);
    land(&*log, Append::any(uploads(1), record_of(MAX_RECORD_BYTES))).await;
    let entries = read_all(&*log, partition()).await;
    assert_eq!(entries.len(), 1);
    assert!(entries.iter().all(|entry| entry.record == record_of(MAX_RECORD_BYTES)));
}

fn record_of(bytes: usize) -> Record {
    let empty = codec::encode(&record("large").about("")).expect("a small record").len();
    record("large").about("x".repeat(bytes - empty))
}

/// The guard of every decision and every claim.
pub async fn of_sixteen_racing_appenders_exactly_one_wins_each_round(harness: &impl Harness) {
    const APPENDERS: usize = 16;
    const ROUNDS: usize = 25;
    let log = harness.open().await;
    let mut last = Position::START;
    for round in 0..ROUNDS {
        let racing = (0..APPENDERS).map(|appender| {
            log.append(Append::after(ledger(1), record(format!("{round}-{appender}")), last))
        });
        let mut winners = Vec::new();
        for result in join_all(racing).await {
            match result {
                Ok(appended) => winners.push(appended.receipt),
                Err(AppendError::Conflict { expected }) => assert_eq!(expected, last),
                Err(error) => panic!("expected a conflict, got: {error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let winner = winners.remove(0);
        let found = log.last(&ledger(1)).await.expect("the last record").expect("there is one");
        assert_eq!((found.position, &found.record.id), (winner.position, &winner.record));
        last = winner.position;
    }
    assert_eq!(read_all(&*log, partition()).await.len(), ROUNDS);
}

/// A wrong number of partitions somewhere must not write where nobody follows.
pub async fn a_stream_that_the_log_does_not_have_is_refused(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(log.partitions(), PARTITIONS);
    let missing = StreamId::Partition(PARTITIONS);
    let append = Append::any(Subject::ledger(missing, RepositoryId(1)), record("a"));
    let result = log.append(append).await;
    assert!(matches!(result, Err(AppendError::Unavailable(_))), "{result:?}");
    assert!(matches!(log.read(missing, Position(1), 1).await, Err(LogError::Setup(_))));
    assert!(matches!(log.follow(missing, Position(1)).await.err(), Some(LogError::Setup(_))));
    assert!(matches!(log.last_position(missing).await, Err(LogError::Setup(_))));
}
