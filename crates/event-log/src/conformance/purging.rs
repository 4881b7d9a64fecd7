//! Removing what is no longer needed.

use super::{
    Followed, Harness,
    fixture::{assert_conflict, ids, land, land_all, ledger, partition, read_all, read_of, record, uploads},
};
use crate::{Append, EventLog, Filter, Freed, is_checked};
use stackwave_domain::{Digest, Position, PrNumber, RepositoryId, StreamId, Subject, Timestamp, WorkspaceId};

fn comment(repository: u64) -> Subject {
    let workspace = WorkspaceId::default_workspace();
    Subject::comment(partition(), RepositoryId(repository), &workspace, PrNumber(1))
}

async fn purge(log: &dyn EventLog, through: u64) -> Freed {
    log.upkeep().purge(partition(), Position(through), is_checked).await.expect("the purge should go through")
}

/// Two repositories: one that goes on after position 6, one that has been silent.
async fn fill(log: &dyn EventLog) {
    for (subject, id) in [
        (uploads(1), "1"),
        (ledger(1), "2"),
        (ledger(2), "3"),
        (comment(2), "4"),
        (ledger(2), "5"),
        (uploads(2), "6"),
        (ledger(1), "7"),
        (uploads(1), "8"),
    ] {
        land(log, Append::any(subject, record(id))).await;
    }
}

/// Of the silent one stays what is checked, so that nobody wins with a position from before.
pub async fn a_purge_leaves_the_last_record_of_what_is_checked(harness: &impl Harness) {
    {
        let log = harness.open().await;
        fill(&*log).await;
        let freed = purge(&*log, 6).await;
        assert_eq!(freed.count, 4);
        assert!(freed.bytes > 0);
        assert_eq!(ids(&read_all(&*log, partition()).await), ["4", "5", "7", "8"]);
        assert_eq!(log.first_position(partition()).await.expect("known"), Some(Position(4)));
        assert_eq!(purge(&*log, 6).await, Freed::default(), "once more is no more");
    }
    harness.restart().await;
    let log = harness.open().await;
    assert_eq!(ids(&read_all(&*log, partition()).await), ["4", "5", "7", "8"]);
    for (subject, last) in [(ledger(1), 7), (ledger(2), 5), (comment(2), 4)] {
        for stale in [0, last - 1] {
            let append = Append::after(subject.clone(), record("stale"), Position(stale));
            assert_conflict(log.append(append).await);
        }
        land(&*log, Append::after(subject, record("next"), Position(last))).await;
    }
    assert_eq!(log.last(&uploads(2)).await.expect("readable"), None);
    let of_2 = read_of(&*log, &Filter::Repository(RepositoryId(2)), Position(1), 10).await;
    assert_eq!(ids(&of_2), ["4", "5", "next", "next"]);
    assert_eq!(log.first_position(StreamId::Partition(1)).await.expect("known"), None);
}

/// However far it goes, positions go on from where they were.
pub async fn a_purge_of_everything_forgets_no_position(harness: &impl Harness) {
    {
        let log = harness.open().await;
        land_all(&*log, &uploads(1), (0..5000).map(|number| number.to_string())).await;
        let freed = log.upkeep().purge(partition(), Position(u64::MAX), is_checked).await.expect("purged");
        assert_eq!(freed.count, 4999);
        assert_eq!(log.last_position(partition()).await.expect("known"), Position(5000));
    }
    harness.restart().await;
    let log = harness.open().await;
    assert_eq!(log.first_position(partition()).await.expect("known"), Some(Position(5000)));
    assert_eq!(land(&*log, Append::any(uploads(1), record("next"))).await, Position(5001));
}

/// Neither one that starts before it nor one that is in the middle of it is disturbed.
pub async fn followers_go_over_what_was_purged(harness: &impl Harness) {
    let log = harness.open().await;
    fill(&*log).await;
    let mut early = Followed::from(&*log, partition(), Position(1)).await;
    early.take(8).await;
    purge(&*log, 6).await;
    land(&*log, Append::any(uploads(1), record("9"))).await;
    assert_eq!(ids(&early.take(1).await), ["9"]);
    let mut late = Followed::from(&*log, partition(), Position(1)).await;
    assert_eq!(ids(&late.take(5).await), ["4", "5", "7", "8", "9"]);
    let page = log.read(partition(), Position(2), 2).await.expect("readable");
    assert_eq!(ids(&page), ["4", "5"]);
}

/// What nobody refers to is removed, what was stored again meanwhile is not.
pub async fn blobs_are_listed_and_removed(harness: &impl Harness) {
    let (past, future) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let log = harness.open().await;
    assert_eq!(log.upkeep().list_blobs().await.expect("listed"), []);
    let small = log.put_blob("small".into()).await.expect("stored");
    let large = log.put_blob(vec![1; 300_000].into()).await.expect("stored");
    let mut listed: Vec<(Digest, u64)> = Vec::new();
    for blob in log.upkeep().list_blobs().await.expect("listed") {
        assert!(blob.stored_at.is_some_and(|at| at > past), "{blob:?}");
        listed.push((blob.digest, blob.bytes));
    }
    listed.sort();
    let mut expected = [(small.clone(), 5), (large.clone(), 300_000)];
    expected.sort();
    assert_eq!(listed, expected);
    let both = [small.clone(), large.clone(), Digest::of(b"never stored")];
    assert_eq!(log.upkeep().delete_blobs(&both, past).await.expect("tried"), Freed::default());
    let freed = log.upkeep().delete_blobs(&both[1..], future).await.expect("removed");
    assert_eq!(freed, Freed { count: 1, bytes: 300_000 });
    assert_eq!(log.get_blob(&large).await.expect("readable"), None);
    assert_eq!(log.get_blob(&small).await.expect("readable").as_deref(), Some(&b"small"[..]));
    let left = log.upkeep().list_blobs().await.expect("listed");
    assert_eq!(left.into_iter().map(|blob| blob.digest).collect::<Vec<_>>(), [small]);
    let again = log.put_blob(vec![1; 300_000].into()).await.expect("stored");
    assert!(log.get_blob(&again).await.expect("readable").is_some());
}

/// They say what is there, also after a purge and a restart.
pub async fn the_figures_are_those_of_what_is_there(harness: &impl Harness) {
    let check = async |log: &dyn EventLog, records: u64, first: u64| {
        let stats = log.upkeep().stats().await.expect("the figures");
        let names: Vec<&str> = stats.streams.iter().map(|stream| stream.stream.as_str()).collect();
        assert_eq!(names, ["SW_CONFIG", "SW_00", "SW_01"]);
        let stream = &stats.streams[1];
        assert_eq!(
            (stream.records, stream.first, stream.last),
            (records, Some(Position(first)), Position(8))
        );
        assert!(stream.bytes > 100 * records, "{stream:?}");
        assert_eq!((stats.streams[2].records, stats.streams[2].first), (0, None));
        assert_eq!(stats.blobs.count, 1);
        assert!(stats.blobs.bytes >= 1000 && stats.disk_bytes > 1000, "{stats:?}");
        stream.subjects
    };
    {
        let log = harness.open().await;
        fill(&*log).await;
        log.put_blob(vec![1; 1000].into()).await.expect("stored");
        log.put_blob(vec![1; 1000].into()).await.expect("stored");
        assert_eq!(check(&*log, 8, 1).await, 5);
        purge(&*log, 6).await;
        assert_eq!(check(&*log, 4, 4).await, 4);
    }
    harness.restart().await;
    assert_eq!(check(&*harness.open().await, 4, 4).await, 4);
}
