//! The lanes, polled by hand so that each test knows what waits when.

#[path = "../../../ingest-api/tests/it/support/memory_log.rs"]
#[expect(dead_code, reason = "shared with tests that need more of it")]
mod memory_log;

use super::*;
use futures::future::join_all;
use memory_log::MemoryLog;
use stackwave_domain::{
    RepositoryId, StreamId,
    event::{PingObserved, Source},
};
use stackwave_runtime::{ConfigView, Health, Ids, SystemClock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const PARTITION: StreamId = StreamId::Partition(0);

async fn batcher(log: &Arc<MemoryLog>, limits: BatchLimits) -> Batcher {
    let (health, shutdown) = (Health::default(), CancellationToken::new());
    let config = ConfigView::start(log.clone(), &health, shutdown.clone()).await.unwrap();
    let clock = Arc::new(SystemClock::default());
    let core = Core {
        log: log.clone(),
        clock,
        ids: Ids::default(),
        health,
        config,
        shutdown,
        tasks: TaskTracker::new(),
    };
    Batcher::new(core, limits, Duration::from_secs(5))
}

fn limits() -> BatchLimits {
    BatchLimits { events: 256, bytes: 256 * 1024, waiting_bytes: 1 << 20 }
}

async fn append(batcher: &Batcher, number: u64) -> Result<Position, Error> {
    let delivery = DeliveryId::new(format!("d-{number}"));
    let source = Source::Webhook { delivery: delivery.clone() };
    let event = PingObserved { source, hook: number }.into();
    let subject = Subject::github(PARTITION, RepositoryId(1), "ping");
    batcher.append(subject, delivery, "0".repeat(32), vec![event]).await
}

/// How many events each record has.
fn sizes(log: &MemoryLog) -> Vec<usize> {
    log.entries(PARTITION).iter().map(|entry| entry.record.events.len()).collect()
}

#[tokio::test]
async fn what_arrives_during_an_append_goes_out_as_one_record() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    log.hold(true);
    let release = async {
        // Everything below is polled, and so waits in the lane, before this goes on.
        while log.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let late = join_all((1..200).map(|number| append(&batcher, number)));
        let letting_go = async {
            tokio::task::yield_now().await;
            log.hold(false);
        };
        tokio::join!(late, letting_go).0
    };
    let (first, late) = tokio::join!(append(&batcher, 0), release);
    assert_eq!(first.unwrap(), Position(1));
    assert!(late.into_iter().all(|position| position.unwrap() == Position(2)));
    assert_eq!(sizes(&log), [1, 199]);
}

#[tokio::test]
async fn records_stay_within_their_bounds_and_in_order() {
    let log = MemoryLog::new();
    let few = batcher(&log, BatchLimits { events: 100, ..limits() }).await;
    join_all((0..250).map(|number| append(&few, number))).await;
    assert_eq!(sizes(&log), [100, 100, 50]);
    let hooks: Vec<u64> = log
        .entries(PARTITION)
        .into_iter()
        .flat_map(|entry| entry.record.events)
        .map(|event| match event {
            Event::PingObserved(ping) => ping.hook,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(hooks, (0..250).collect::<Vec<_>>());

    let log = MemoryLog::new();
    let small = batcher(&log, BatchLimits { bytes: 1, ..limits() }).await;
    join_all((0..3).map(|number| append(&small, number))).await;
    assert_eq!(sizes(&log), [1, 1, 1], "one alone goes out whatever its size");
}

#[tokio::test]
async fn a_lane_that_is_done_is_forgotten() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    append(&batcher, 0).await.unwrap();
    while !batcher.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    append(&batcher, 1).await.unwrap();
    assert_eq!(sizes(&log), [1, 1]);
}
