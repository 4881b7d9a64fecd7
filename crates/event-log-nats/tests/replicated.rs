//! The cases of the suite that come out differently on a cluster: races, duplicates, and servers that go.
//!
//! "Restart" means here that the partition's leader is stopped and comes back, "crash" that it is killed in the middle
//! of appends that go on meanwhile.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use async_trait::async_trait;
use futures::StreamExt as _;
use stackwave_domain::{Position, Receipt, StreamId, Subject};
use stackwave_event_log::{
    EventLog, SnapshotKey,
    conformance::{self, CRASH_STREAM, Harness, PARTITIONS, crash_append, partition},
};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::{NatsCluster, NatsServer, Settings};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// The leader is killed after so many acknowledged appends,
const ACKNOWLEDGED_BEFORE: usize = 300;
/// and so many more are waited for.
const ACKNOWLEDGED_AFTER: usize = 200;

struct ClusterHarness {
    cluster: NatsCluster,
}

impl ClusterHarness {
    async fn start() -> Option<Self> {
        Some(Self { cluster: NatsCluster::start(3, &Settings::default()).await? })
    }

    async fn leader(&self, stream: StreamId) -> &NatsServer {
        loop {
            let client = async_nats::connect(self.cluster.servers()[0].url()).await.unwrap();
            if let Ok(stream) = async_nats::jetstream::new(client).get_stream(stream.name()).await
                && let Some(cluster) = &stream.cached_info().cluster
                && let Some(leader) = &cluster.leader
            {
                return self.cluster.server(leader);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[async_trait]
impl Harness for ClusterHarness {
    async fn open(&self) -> Arc<dyn EventLog> {
        let options = NatsOptions {
            partitions: PARTITIONS,
            replicas: Some(3),
            partition_bytes: 64 * 1024 * 1024,
            config_bytes: 64 * 1024 * 1024,
            lease_ttl: Duration::from_secs(1),
            ..NatsOptions::new(self.cluster.url())
        };
        NatsLog::connect(options).await.unwrap()
    }

    async fn restart(&self) {
        let leader = self.leader(partition()).await;
        leader.stop().await;
        leader.start_again().await;
        // Appends of these cases are not tried again, so that there must be somebody who takes them.
        self.leader(partition()).await;
    }

    async fn crash(&self) -> Vec<Receipt> {
        let log = self.open().await;
        let leader = self.leader(CRASH_STREAM).await;
        let receipts = Mutex::new(Vec::new());
        let enough = || receipts.lock().unwrap().len() >= ACKNOWLEDGED_BEFORE + ACKNOWLEDGED_AFTER;
        futures::stream::iter(0..)
            .take_while(|_| std::future::ready(!enough()))
            .for_each_concurrent(16, async |number| {
                let Ok(appended) = log.append(crash_append(number)).await else {
                    // Nobody answers during the election; each number is sent once only.
                    return tokio::time::sleep(Duration::from_millis(100)).await;
                };
                let mut receipts = receipts.lock().unwrap();
                receipts.push(appended.receipt);
                if receipts.len() == ACKNOWLEDGED_BEFORE {
                    leader.kill();
                }
            })
            .await;
        leader.start_again().await;
        receipts.into_inner().unwrap()
    }

    async fn plant(&self, _: &Subject, _: &[u8]) {
        unreachable!("no case here needs it");
    }

    async fn damage_snapshot(&self, _: SnapshotKey, _: Position) {
        unreachable!("no case here needs it");
    }
}

macro_rules! replicated {
    ($($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(harness) = ClusterHarness::start().await {
                conformance::$case(&harness).await;
            }
        }
    )*};
}

replicated! {
    an_append_after_a_stale_position_conflicts
    a_message_id_lands_once_and_answers_with_the_first_position
    of_sixteen_racing_appenders_exactly_one_wins_each_round
    a_follower_survives_the_restart_of_its_server
    a_kill_in_mid_append_loses_nothing_that_was_acknowledged
    a_blob_is_stored_twice_without_harm
    a_large_blob_survives_a_restart
    a_purge_leaves_the_last_record_of_what_is_checked
    a_snapshot_survives_a_restart
    of_many_processes_that_want_a_lease_one_gets_it
    a_lease_that_is_not_renewed_goes_to_another
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_which_one_server_in_three_is_left_is_out_of_reach_until_another_is_back() {
    /// Servers give a leader that hears nobody ten seconds.
    const NOTICED_WITHIN: Duration = Duration::from_secs(60);
    /// One answer may be that of a leader that has not noticed, and one error that of a connection that goes elsewhere.
    const IN_A_ROW: usize = 5;
    let Some(harness) = ClusterHarness::start().await else { return };
    let log = harness.open().await;
    let servers = harness.cluster.servers();
    log.last_position(partition()).await.unwrap();
    servers[0].kill();
    servers[1].kill();
    let until = async |reached: bool| {
        let mut in_a_row = 0;
        while in_a_row < IN_A_ROW {
            let is_so = log.last_position(partition()).await.is_ok() == reached;
            in_a_row = if is_so { in_a_row + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(NOTICED_WITHIN, until(false)).await.unwrap();
    servers[0].start_again().await;
    tokio::time::timeout(NOTICED_WITHIN, until(true)).await.unwrap();
}
