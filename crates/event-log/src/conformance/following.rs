//! What a follower sees.

use super::{
    Harness,
    fixture::{Followed, ids, land, land_all, ledger, partition, record, uploads},
};
use crate::Append;
use stackwave_domain::{Position, RepositoryId, StreamId, Subject};
use std::{collections::BTreeSet, sync::Arc};

const FIRST: Position = Position::START.next();

/// The seam between what was there and what is appended meanwhile is not to be seen.
pub async fn a_follower_sees_old_records_then_live_ones_without_a_gap(harness: &impl Harness) {
    const RECORDS: usize = 1500;
    let log = harness.open().await;
    let writing = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for number in 0..RECORDS {
                land(&*log, Append::any(ledger(1), record(number.to_string()))).await;
            }
        })
    };
    let mut early = Followed::from(&*log, partition(), FIRST).await;
    early.take(RECORDS / 3).await;
    let mut late = Followed::from(&*log, partition(), FIRST).await;
    let seen_late = late.take(RECORDS).await;
    early.take(RECORDS - RECORDS / 3).await;
    writing.await.expect("the writer");
    let expected: Vec<String> = (0..RECORDS).map(|number| number.to_string()).collect();
    assert_eq!(ids(&seen_late), expected);
    land(&*log, Append::any(ledger(1), record("live"))).await;
    assert_eq!(ids(&early.take(1).await), ["live"]);
    assert_eq!(ids(&late.take(1).await), ["live"]);
}

/// From a snapshot's position on, and from beyond the end.
pub async fn a_follower_starts_where_it_is_told(harness: &impl Harness) {
    let log = harness.open().await;
    let mut positions = Vec::new();
    for id in ["a", "b", "c", "d"] {
        positions.push(land(&*log, Append::any(uploads(1), record(id))).await);
    }
    let mut from_third = Followed::from(&*log, partition(), positions[2]).await;
    assert_eq!(ids(&from_third.take(2).await), ["c", "d"]);
    let mut from_start = Followed::from(&*log, partition(), Position::START).await;
    assert_eq!(ids(&from_start.take(4).await), ["a", "b", "c", "d"]);
    let mut from_end = Followed::from(&*log, partition(), positions[3].next()).await;
    land(&*log, Append::any(uploads(1), record("e"))).await;
    assert_eq!(ids(&from_end.take(1).await), ["e"]);
}

/// Streams are apart: order, positions and followers.
pub async fn a_follower_sees_only_its_stream(harness: &impl Harness) {
    let log = harness.open().await;
    let other = Subject::ledger(StreamId::Partition(1), RepositoryId(1));
    let setting = Subject::config("repository", "1");
    for append in [
        Append::any(other, record("other partition")),
        Append::any(setting, record("setting")),
        Append::any(ledger(1), record("mine")),
    ] {
        land(&*log, append).await;
    }
    let mut mine = Followed::from(&*log, partition(), FIRST).await;
    assert_eq!(ids(&mine.take(1).await), ["mine"]);
    let mut config = Followed::from(&*log, StreamId::Config, FIRST).await;
    assert_eq!(ids(&config.take(1).await), ["setting"]);
}

/// With the position of what was seen last, nothing is missed and nothing comes twice.
pub async fn a_follower_goes_on_after_a_restart(harness: &impl Harness) {
    let log = harness.open().await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    land_all(&*log, &uploads(1), (0..50).map(|number| format!("before-{number}"))).await;
    let mut seen = followed.take(20).await;
    drop(log);
    harness.restart().await;
    let log = harness.open().await;
    land_all(&*log, &uploads(1), (0..50).map(|number| format!("after-{number}"))).await;
    seen.extend(followed.take_or_reopen(&*log, 80).await);
    let distinct: BTreeSet<&str> = ids(&seen).into_iter().collect();
    assert_eq!(distinct.len(), 100);
}

/// A follower of a remote log lives through the restart of its server by itself.
pub async fn a_follower_survives_the_restart_of_its_server(harness: &impl Harness) {
    let log = harness.open().await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    land_all(&*log, &uploads(1), (0..50).map(|number| format!("before-{number}"))).await;
    let mut seen = followed.take(50).await;
    drop(log);
    for round in 0..2 {
        harness.restart().await;
        let log = harness.open().await;
        land_all(&*log, &uploads(1), (0..25).map(|number| format!("after-{round}-{number}"))).await;
        seen.extend(followed.take(25).await);
    }
    let distinct: BTreeSet<&str> = ids(&seen).into_iter().collect();
    assert_eq!(distinct.len(), 100);
}

/// Nobody waits for it, nothing is kept in memory for it, and it catches up.
pub async fn a_slow_reader_loses_nothing(harness: &impl Harness) {
    const RECORDS: usize = 12_000;
    let log = harness.open().await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    land(&*log, Append::any(uploads(1), record("first"))).await;
    followed.take(1).await;
    land_all(&*log, &uploads(1), (0..RECORDS).map(|number| number.to_string())).await;
    let seen = followed.take(RECORDS).await;
    let distinct: BTreeSet<&str> = ids(&seen).into_iter().collect();
    assert_eq!(distinct.len(), RECORDS);
    land(&*log, Append::any(ledger(1), record("end"))).await;
    assert_eq!(ids(&followed.take(1).await), ["end"]);
}
