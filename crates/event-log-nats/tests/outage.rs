//! A network and servers that fail.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use stackwave_domain::{Position, ProcessId, Timestamp};
use stackwave_event_log::{
    Append, AppendError, Appended, EventLog, Expect, LeaseError,
    conformance::{Followed, ledger, partition, record},
};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::{Direction, NatsCluster, NatsServer, Proxy, Settings};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const FIRST: Position = Position::START.next();
/// An election takes a few seconds; what takes longer than this will not come.
const DEADLINE: Duration = Duration::from_secs(60);

async fn connect(url: String, replicas: usize) -> Arc<NatsLog> {
    let options =
        NatsOptions { replicas: Some(replicas), partition_bytes: 64 * 1024 * 1024, ..NatsOptions::new(url) };
    NatsLog::connect(options).await.unwrap()
}

/// Appends as an actor does: an unknown outcome is looked up, what certainly did not land is tried again.
async fn append_surely(log: &dyn EventLog, append: Append) -> Position {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match log.append(append.clone()).await {
            Ok(Appended { receipt, .. }) => return receipt.position,
            Err(AppendError::Invalid(error)) => panic!("{error}"),
            Err(error) => {
                assert!(Instant::now() < deadline, "the append does not land: {error}");
                if let Ok(Some(last)) = log.last(&append.subject).await
                    && last.record.id == append.record.id
                {
                    return last.position;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_outlives_a_cut_without_a_gap_and_without_a_repeat() {
    let Some(server) = NatsServer::start().await else { return };
    let proxy = Proxy::before(server.port()).await;
    let far = connect(format!("nats://{}", proxy.address()), 1).await;
    let near = connect(server.url(), 1).await;
    let mut followed = Followed::from(&*far, partition(), FIRST).await;
    for round in 0..10 {
        for number in 0..20 {
            near.append(Append::any(ledger(1), record(format!("{round}-{number}")))).await.unwrap();
            if number == 10 {
                proxy.cut();
            }
        }
        let seen = followed.take(20).await;
        let first = seen[0].record.id.as_str();
        assert_eq!(first, format!("{round}-0"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_in_the_middle_of_a_delivery_loses_nothing() {
    let Some(server) = NatsServer::start().await else { return };
    let proxy = Proxy::before(server.port()).await;
    let far = connect(format!("nats://{}", proxy.address()), 1).await;
    let near = connect(server.url(), 1).await;
    for number in 0..300 {
        near.append(Append::any(ledger(1), record(format!("r-{number}-")))).await.unwrap();
    }
    for number in [0, 1, 150, 299] {
        proxy.cut_before(Direction::ToClient, &format!("r-{number}-"));
        let mut followed = Followed::from(&*far, partition(), FIRST).await;
        assert_eq!(followed.take(300).await.len(), 300);
        assert!(!proxy.is_armed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_never_sent_is_unknown_and_can_be_sent_again() {
    let Some(server) = NatsServer::start().await else { return };
    let proxy = Proxy::before(server.port()).await;
    let log = connect(format!("nats://{}", proxy.address()), 1).await;
    proxy.cut_before(Direction::ToServer, "conformance");
    let append = Append::after(ledger(1), record("a"), Position::START);
    let error = log.append(append.clone()).await.unwrap_err();
    assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    let position = append_surely(&*log, append).await;
    assert_eq!(position, FIRST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_no_server_can_be_reached_appends_say_so_and_then_they_land() {
    let Some(server) = NatsServer::start().await else { return };
    let proxy = Proxy::before(server.port()).await;
    let log = connect(format!("nats://{}", proxy.address()), 1).await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    proxy.go_down();
    let append = Append { expect: Expect::Last(Position::START), ..Append::any(ledger(1), record("a")) };
    let deadline = Instant::now() + DEADLINE;
    // The first ones may have gone out before the cut was noticed.
    while !matches!(log.append(append.clone()).await, Err(AppendError::Unavailable(_))) {
        assert!(Instant::now() < deadline, "the outage is not noticed");
    }
    proxy.let_through();
    append_surely(&*log, append).await;
    assert_eq!(followed.take(1).await[0].record, record("a"));
}

/// Nobody tells a holder that is cut off that its lease has ended; it knows by its own clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_is_cut_off_knows_that_its_lease_may_be_lost() {
    let Some(server) = NatsServer::start().await else { return };
    let proxy = Proxy::before(server.port()).await;
    let options = |url| NatsOptions {
        partition_bytes: 64 * 1024 * 1024,
        lease_ttl: Duration::from_secs(1),
        ..NatsOptions::new(url)
    };
    let far = NatsLog::connect(options(format!("nats://{}", proxy.address()))).await.unwrap();
    let near = NatsLog::connect(options(server.url())).await.unwrap();
    let (one, other) = (ProcessId::new("one"), ProcessId::new("other"));
    let lease = far.leases().acquire("x", &one, Timestamp::UNIX_EPOCH).await.unwrap();
    proxy.go_down();
    let deadline = Instant::now() + DEADLINE;
    while lease.is_valid() {
        assert!(Instant::now() < deadline, "the lease does not end");
        let error = far.leases().renew(&lease).await.err();
        assert!(matches!(error, None | Some(LeaseError::Unavailable(_))), "{error:?}");
    }
    while near.leases().acquire("x", &other, Timestamp::UNIX_EPOCH).await.is_err() {
        assert!(Instant::now() < deadline, "nobody else gets the lease");
    }
    assert!(far.leases().members(None).await.is_err() && far.leases().held().await.is_err());
    proxy.let_through();
    while !matches!(far.leases().renew(&lease).await, Err(LeaseError::Lost)) {
        assert!(Instant::now() < deadline, "the holder is not told");
        near.leases().acquire("x", &other, Timestamp::UNIX_EPOCH).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_whose_leader_is_killed_takes_appends_again_and_loses_none() {
    const APPENDS: usize = 300;
    let Some(cluster) = NatsCluster::start(3, &Settings::default()).await else { return };
    let log = connect(cluster.url(), 3).await;
    let mut followed = Followed::from(&*log, partition(), FIRST).await;
    let mut last = Position::START;
    for number in 0..APPENDS {
        if number == APPENDS / 3 {
            cluster.server(&leader_of_the_partition(&cluster).await).kill();
        }
        last = append_surely(&*log, Append::after(ledger(1), record(number.to_string()), last)).await;
    }
    let seen = followed.take(APPENDS).await;
    for (number, entry) in seen.iter().enumerate() {
        assert_eq!(entry.record.id.as_str(), number.to_string());
    }
    assert_eq!(log.last_position(partition()).await.unwrap(), last);
    let blob = bytes_of_a_blob();
    let digest = log.put_blob(blob.clone().into()).await.unwrap();
    assert_eq!(log.get_blob(&digest).await.unwrap().unwrap(), blob);
}

fn bytes_of_a_blob() -> Vec<u8> {
    b"stored while a third of the cluster is gone".repeat(10_000)
}

async fn leader_of_the_partition(cluster: &NatsCluster) -> String {
    let client = async_nats::connect(cluster.servers()[0].url()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream(partition().name()).await.unwrap();
    stream.cached_info().cluster.as_ref().unwrap().leader.clone().unwrap()
}
