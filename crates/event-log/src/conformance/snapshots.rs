//! Snapshots.

use super::{Harness, partition};
use crate::{EventLog, SnapshotKey, StoredSnapshot};
use bytes::Bytes;
use stackwave_domain::{Position, StreamId};

fn key(engine: u32) -> SnapshotKey {
    SnapshotKey { stream: partition(), engine }
}

async fn put(log: &dyn EventLog, engine: u32, position: u64) {
    let bytes = Bytes::from(format!("{engine} at {position}"));
    log.snapshots().put(key(engine), Position(position), bytes).await.expect("the snapshot should be stored");
}

async fn load(log: &dyn EventLog, key: SnapshotKey) -> Option<(u64, String)> {
    let found = log.snapshots().load(key).await.expect("the snapshots should be readable")?;
    Some((found.0.0, String::from_utf8(found.1.to_vec()).expect("a text")))
}

async fn stored(log: &dyn EventLog) -> Vec<StoredSnapshot> {
    let mut stored = log.snapshots().list(partition()).await.expect("the snapshots should be listed");
    stored.sort_unstable();
    stored
}

/// Whatever the order in which they were stored, and in which case something else is next to them.
pub async fn the_newest_snapshot_of_a_key_is_loaded(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(load(&*log, key(1)).await, None);
    put(&*log, 1, 10).await;
    put(&*log, 1, 9).await;
    put(&*log, 2, 11).await;
    assert_eq!(load(&*log, key(1)).await, Some((10, "1 at 10".to_owned())));
    assert_eq!(load(&*log, key(2)).await, Some((11, "2 at 11".to_owned())));
    assert_eq!(load(&*log, key(3)).await, None);
    for stream in [StreamId::Partition(1), StreamId::Config] {
        assert_eq!(load(&*log, SnapshotKey { stream, engine: 1 }).await, None);
    }
}

/// They do not pile up, and a roll back finds its own.
pub async fn old_snapshots_go_and_those_of_the_version_before_stay(harness: &impl Harness) {
    let log = harness.open().await;
    for position in [10, 20, 30] {
        put(&*log, 1, position).await;
    }
    put(&*log, 2, 40).await;
    let kept = |kept: &[(u32, u64)]| -> Vec<_> {
        kept.iter()
            .map(|&(engine, position)| StoredSnapshot { engine, position: Position(position) })
            .collect()
    };
    assert_eq!(stored(&*log).await, kept(&[(1, 20), (1, 30), (2, 40)]));
    for position in [50, 60, 60] {
        put(&*log, 3, position).await;
    }
    assert_eq!(stored(&*log).await, kept(&[(2, 40), (3, 50), (3, 60)]));
}

/// A large one comes back whole after a restart; so does an empty one.
pub async fn a_snapshot_survives_a_restart(harness: &impl Harness) {
    let large: Bytes =
        (0..5_000_000_u32).map(|number| number.to_le_bytes()[usize::from(number % 3 == 0)]).collect();
    {
        let log = harness.open().await;
        log.snapshots().put(key(1), Position(7), large.clone()).await.expect("stored");
        log.snapshots().put(key(2), Position(7), Bytes::new()).await.expect("stored");
    }
    harness.restart().await;
    let log = harness.open().await;
    let found = log.snapshots().load(key(1)).await.expect("readable").expect("there");
    assert_eq!(found.0, Position(7));
    assert!(found.1 == large, "the bytes differ");
    assert_eq!(load(&*log, key(2)).await, Some((7, String::new())));
}

/// What lost a piece is passed over, and the one before it serves.
pub async fn a_damaged_snapshot_is_passed_over(harness: &impl Harness) {
    {
        let log = harness.open().await;
        put(&*log, 1, 10).await;
        put(&*log, 1, 20).await;
    }
    harness.damage_snapshot(key(1), Position(20)).await;
    {
        let log = harness.open().await;
        assert_eq!(load(&*log, key(1)).await, Some((10, "1 at 10".to_owned())));
    }
    harness.damage_snapshot(key(1), Position(10)).await;
    assert_eq!(load(&*harness.open().await, key(1)).await, None);
}
