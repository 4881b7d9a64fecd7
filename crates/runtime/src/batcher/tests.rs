//! The lanes, polled by hand so that each test knows what waits when.

#[path = "../../../../crates/ingest-api/tests/it/support/memory_log.rs"]
#[expect(dead_code, reason = "shared with tests that need more of it")]
mod memory_log;

use super::*;
use crate::{ConfigView, Health, Ids, SystemClock};
use futures::future::join_all;
use memory_log::{Fault, MemoryLog};
use stackwave_domain::{
    DeliveryId, RepositoryId, StreamId, TraceContext,
    event::{PingObserved, Source},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const PARTITION: StreamId = StreamId::Partition(0);

async fn batcher(log: &Arc<MemoryLog>, limits: Limits) -> Batcher {
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
    Batcher::new(core, "test", limits)
}

fn limits() -> Limits {
    Limits { waiting_bytes: 1 << 20, patience: Duration::from_secs(5), ..Limits::default() }
}

fn subject() -> Subject {
    Subject::github(PARTITION, RepositoryId(1), "ping")
}

fn ping(number: u64) -> Event {
    let source = Source::Webhook { delivery: DeliveryId::new(format!("d-{number}")) };
    PingObserved { source, hook: number }.into()
}

async fn append(batcher: &Batcher, number: u64) -> Result<Position, BatchError> {
    let trace = TraceContext::new([7; 16], number.to_be_bytes(), true);
    let correlation = Some(format!("d-{number}"));
    let cause = Some(Position(number));
    batcher.append(&subject(), Item { events: vec![ping(number)], correlation, trace, cause }).await
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
    let few = batcher(&log, Limits { events: 100, ..limits() }).await;
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
    let small = batcher(&log, Limits { bytes: 1, ..limits() }).await;
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

#[tokio::test]
async fn a_record_names_the_first_correlation_and_trace_and_the_last_cause() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    join_all((1..=3).map(|number| append(&batcher, number))).await;
    let record = log.entries(PARTITION).pop().unwrap().record;
    assert_eq!((record.correlation.as_deref(), record.cause), (Some("d-1"), Some(Position(3))));
    assert_eq!(
        record.trace,
        TraceContext::new([7; 16], 1u64.to_be_bytes(), true).map(|trace| trace.to_string())
    );
}

#[tokio::test]
async fn more_than_may_wait_is_refused() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, Limits { waiting_bytes: 1, ..limits() }).await;
    let results = join_all((0..3).map(|number| append(&batcher, number))).await;
    assert!(
        matches!(results[..], [Ok(Position(1)), Err(BatchError::Busy), Err(BatchError::Busy)]),
        "{results:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_out_of_reach_is_tried_for_as_long_as_patience_lasts() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    log.fail_next(vec![Fault::Unavailable; 3]);
    assert_eq!(append(&batcher, 0).await.unwrap(), Position(1));
    log.fail_next(vec![Fault::Unavailable; 1_000]);
    assert!(matches!(append(&batcher, 1).await, Err(BatchError::Log(_))));
}

#[tokio::test(start_paused = true)]
async fn results_are_appended_however_long_it_takes() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    log.fail_next(vec![Fault::Unavailable; 50]);
    let position = batcher.append_surely(&subject(), vec![ping(0)], Some(Position(7))).await;
    assert_eq!(position, Some(Position(1)));
    assert_eq!(log.entries(PARTITION)[0].record.cause, Some(Position(7)));
    log.fail_next(vec![Fault::Unavailable; 1_000]);
    batcher.core.shutdown.cancel();
    assert_eq!(batcher.append_surely(&subject(), vec![ping(1)], None).await, None);
}

#[tokio::test]
async fn a_driver_that_is_cut_leaves_an_idle_lane_and_tells_those_who_wait() {
    let log = MemoryLog::new();
    let batcher = batcher(&log, limits()).await;
    log.hold(true);
    let late = async {
        while log.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let cut = async {
            tokio::task::yield_now().await;
            drop(Driver { batcher: batcher.clone(), subject: subject(), is_done: false });
        };
        // The first is in the log's hands, this one waits in the lane.
        tokio::join!(append(&batcher, 1), cut).0
    };
    let late = tokio::select! {
        biased;
        first = append(&batcher, 0) => panic!("the log holds it: {first:?}"),
        late = late => late,
    };
    assert!(matches!(late, Err(BatchError::Ended)), "{late:?}");
    assert!(batcher.lock().is_empty());
}
