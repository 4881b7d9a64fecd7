//! Reads, and what they do with what they do not understand.

use super::{
    Harness,
    fixture::{Followed, ids, land, land_all, ledger, partition, read_all, record, uploads},
};
use crate::{Append, LogError};
use stackwave_domain::{Event, Position, StreamId};

/// Page by page, each once.
pub async fn a_read_goes_through_the_stream_in_pages(harness: &impl Harness) {
    let log = harness.open().await;
    assert!(log.read(partition(), Position(1), 10).await.expect("a page").is_empty());
    for number in 0..7 {
        land(&*log, Append::any(ledger(1), record(number.to_string()))).await;
    }
    let first = log.read(partition(), Position::START, 3).await.expect("a page");
    assert_eq!(ids(&first), ["0", "1", "2"]);
    let second = log.read(partition(), first[2].position.next(), 3).await.expect("a page");
    assert_eq!(ids(&second), ["3", "4", "5"]);
    let third = log.read(partition(), second[2].position.next(), 3).await.expect("a page");
    assert_eq!(ids(&third), ["6"]);
    assert!(log.read(partition(), third[0].position.next(), 3).await.expect("a page").is_empty());
    assert!(log.read(partition(), Position(1), 0).await.expect("a page").is_empty());
    land_all(&*log, &uploads(1), (7..3000).map(|number| number.to_string())).await;
    assert_eq!(read_all(&*log, partition()).await.len(), 3000);
}

/// Of exactly that subject.
pub async fn the_last_record_of_a_subject_is_found(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(log.last(&ledger(1)).await.expect("an answer"), None);
    land(&*log, Append::any(ledger(1), record("a"))).await;
    let position = land(&*log, Append::any(ledger(1), record("b"))).await;
    land(&*log, Append::any(uploads(1), record("c"))).await;
    land(&*log, Append::any(ledger(12), record("d"))).await;
    let found = log.last(&ledger(1)).await.expect("an answer").expect("an entry");
    assert_eq!((found.position, &found.subject, &found.record), (position, &ledger(1), &record("b")));
}

/// Each stream counts for itself, and an acknowledged append is counted.
pub async fn the_last_position_is_that_of_the_stream(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(log.last_position(partition()).await.expect("the end"), Position::START);
    for number in 0..5 {
        let position = land(&*log, Append::any(uploads(number), record(number.to_string()))).await;
        assert_eq!(log.last_position(partition()).await.expect("the end"), position);
    }
    assert_eq!(log.last_position(StreamId::Config).await.expect("the end"), Position::START);
}

/// Never skipped: what is good before comes, then the error, then nothing.
pub async fn bytes_that_are_no_record_end_a_read_and_a_follower(harness: &impl Harness) {
    let log = harness.open().await;
    let good = land(&*log, Append::any(uploads(1), record("good"))).await;
    drop(log);
    harness.plant(&uploads(2), b"no record at all").await;
    let log = harness.open().await;
    land(&*log, Append::any(uploads(1), record("after"))).await;
    let mut followed = Followed::from(&*log, partition(), Position(1)).await;
    assert_eq!(ids(&followed.take(1).await), ["good"]);
    let error = followed.next().await.expect("an error before the end").expect_err("no entry");
    assert!(matches!(&error, LogError::Corrupt { at, .. } if at.contains('2')), "{error}");
    assert!(followed.next().await.is_none(), "the follower should have ended");
    let page = log.read(partition(), Position(1), 10).await.expect("what is good");
    assert_eq!(ids(&page), ["good"]);
    let read = log.read(partition(), good.next(), 10).await;
    assert!(matches!(read, Err(LogError::Corrupt { .. })), "{read:?}");
    let last = log.last(&uploads(2)).await;
    assert!(matches!(last, Err(LogError::Corrupt { .. })), "{last:?}");
}

/// A person can read it, and the fold can stop at it.
pub async fn an_event_of_a_newer_version_is_unknown_and_keeps_its_content(harness: &impl Harness) {
    let newer = br#"{"id":"n","v":9,"at":"2031-01-01T00:00:00Z","actor":"later","mood":"good",
        "events":[{"stack_teleported":{"to":"mars"}}]}"#;
    harness.plant(&uploads(1), newer).await;
    let log = harness.open().await;
    let mut followed = Followed::from(&*log, partition(), Position(1)).await;
    let entries = followed.take(1).await;
    assert_eq!((entries[0].record.id.as_str(), entries[0].record.v), ("n", 9));
    let unknown = Event::Unknown { name: "stack_teleported".to_owned(), json: r#"{"to":"mars"}"#.to_owned() };
    assert_eq!(entries[0].record.events, [unknown]);
    let last = log.last(&uploads(1)).await.expect("an answer").expect("an entry");
    assert_eq!(last, entries[0]);
}
