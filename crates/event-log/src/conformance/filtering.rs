//! Reading some of a stream, a moment of it, and its bytes.

use super::{
    Harness,
    fixture::{self, ids, land, land_all, ledger, partition, record, uploads},
};
use crate::{Append, EventLog, Filter, MAX_BATCH};
use stackwave_domain::{Entry, Position, RepositoryId, StreamId, Subject, Timestamp, codec};
use std::time::Duration;

async fn read_of(log: &dyn EventLog, filter: &Filter, from: u64, limit: usize) -> Vec<Entry> {
    fixture::read_of(log, filter, Position(from), limit).await
}

/// In order, from where it is told, and nobody else's: 4 and 42 begin alike.
pub async fn the_records_of_a_repository_are_found_among_others(harness: &impl Harness) {
    let log = harness.open().await;
    for (subject, id) in [
        (ledger(42), "a"),
        (ledger(4), "of 4"),
        (uploads(42), "b"),
        (uploads(421), "of 421"),
        (Subject::github(partition(), RepositoryId(42), "push"), "c"),
        (ledger(42), "d"),
        (ledger(4), "of 4 too"),
    ] {
        land(&*log, Append::any(subject, record(id))).await;
    }
    let other = Subject::ledger(StreamId::Partition(1), RepositoryId(42));
    land(&*log, Append::any(other, record("elsewhere"))).await;
    let of_42 = Filter::Repository(RepositoryId(42));
    assert_eq!(ids(&read_of(&*log, &of_42, 0, usize::MAX).await), ["a", "b", "c", "d"]);
    assert_eq!(ids(&read_of(&*log, &of_42, 2, usize::MAX).await), ["b", "c", "d"]);
    assert_eq!(ids(&read_of(&*log, &of_42, 1, 2).await), ["a", "b"]);
    assert_eq!(ids(&read_of(&*log, &of_42, 7, usize::MAX).await), Vec::<&str>::new());
    assert_eq!(ids(&read_of(&*log, &Filter::Repository(RepositoryId(7)), 1, 9).await), Vec::<&str>::new());
    let of_ledger = Filter::Subject(ledger(42));
    assert_eq!(ids(&read_of(&*log, &of_ledger, 1, usize::MAX).await), ["a", "d"]);
    assert_eq!(ids(&read_of(&*log, &of_ledger, 2, usize::MAX).await), ["d"]);
}

/// A page ends early, never the records.
pub async fn a_repository_is_read_in_pages(harness: &impl Harness) {
    const RECORDS: usize = 2 * MAX_BATCH + 10;
    let log = harness.open().await;
    land_all(&*log, &uploads(1), (0..RECORDS).map(|number| number.to_string())).await;
    land(&*log, Append::any(uploads(2), record("other"))).await;
    let of_1 = Filter::Repository(RepositoryId(1));
    let (mut from, mut count) = (1, 0);
    loop {
        let page = log.read_of(partition(), &of_1, Position(from), usize::MAX).await;
        let page = page.expect("the records should be found");
        assert!(page.len() <= MAX_BATCH, "a page of {} records", page.len());
        let Some(last) = page.last() else { break };
        from = last.position.next().0;
        count += page.len();
    }
    assert_eq!(count, RECORDS);
}

/// For an export: what is not decodable too.
pub async fn records_are_read_byte_for_byte(harness: &impl Harness) {
    {
        let log = harness.open().await;
        land(&*log, Append::any(uploads(1), record("a"))).await;
    }
    harness.plant(&uploads(2), b"{\"from\": \"somebody else\"}").await;
    let log = harness.open().await;
    let raw = log.read_raw(partition(), Position(1), usize::MAX).await.expect("readable");
    assert_eq!(raw.len(), 2);
    assert_eq!((raw[0].position, raw[0].subject.as_str()), (Position(1), uploads(1).as_str()));
    assert_eq!(raw[0].body, codec::encode(&record("a")).expect("a record"));
    assert_eq!((raw[1].position, raw[1].subject.as_str()), (Position(2), uploads(2).as_str()));
    assert_eq!(&raw[1].body[..], b"{\"from\": \"somebody else\"}");
    let raw = log.read_raw(partition(), Position(2), 1).await.expect("readable");
    assert_eq!(raw.iter().map(|raw| raw.position).collect::<Vec<_>>(), [Position(2)]);
    assert_eq!(log.read_raw(partition(), Position(3), 1).await.expect("readable"), []);
}

/// By the records' own times, of which several may be the same.
pub async fn a_moment_is_found(harness: &impl Harness) {
    let log = harness.open().await;
    let at = |second: u64| Timestamp::UNIX_EPOCH + Duration::from_secs(second);
    assert_eq!(log.position_at(partition(), at(0)).await.expect("found"), Position(1));
    for second in [10, 10, 20, 20, 20, 30] {
        let mut record = record(format!("at {second}"));
        record.at = at(second);
        land(&*log, Append::any(uploads(1), record)).await;
    }
    for (second, position) in [(0, 1), (10, 1), (11, 3), (20, 3), (21, 6), (30, 6), (31, 7)] {
        let found = log.position_at(partition(), at(second)).await.expect("found");
        assert_eq!(found, Position(position), "at {second} s");
    }
}
