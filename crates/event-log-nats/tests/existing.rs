//! Opening a log that is there, for reading: everything can be read, and nothing is made or changed.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use async_nats::jetstream::{
    self,
    stream::{Config, DiscardPolicy},
};
use bytes::Bytes;
use futures::TryStreamExt as _;
use stackwave_domain::{Position, ProcessId, StreamId, Timestamp};
use stackwave_event_log::{
    Append, AppendError, EventLog as _, LeaseError, LogError, SnapshotKey, StoreStats,
    conformance::{Followed, ledger, partition, record},
    is_checked,
};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::NatsServer;

fn options(server: &NatsServer) -> NatsOptions {
    NatsOptions { partition_bytes: 64 * 1024 * 1024, ..NatsOptions::new(server.url()) }
}

async fn jetstream(server: &NatsServer) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

/// Every stream with its configuration, by name.
async fn streams(server: &NatsServer) -> Vec<Config> {
    let infos: Vec<_> = jetstream(server).await.streams().try_collect().await.unwrap();
    let mut configs: Vec<Config> = infos.into_iter().map(|info| info.config).collect();
    configs.sort_by(|one, other| one.name.cmp(&other.name));
    configs
}

async fn refusal(server: &NatsServer) -> String {
    match NatsLog::open_existing(options(server)).await {
        Err(LogError::Setup(message)) => message,
        Err(error) => panic!("expected a refusal, got: {error}"),
        Ok(_) => panic!("expected a refusal"),
    }
}

#[tokio::test]
async fn a_log_is_read_and_followed_with_the_partitions_that_it_has() {
    let Some(server) = NatsServer::start().await else { return };
    let log = NatsLog::connect(NatsOptions { partitions: 3, ..options(&server) }).await.unwrap();
    log.append(Append::any(ledger(1), record("a"))).await.unwrap();
    let digest = log.put_blob(Bytes::from_static(b"blob")).await.unwrap();

    let reader = NatsLog::open_existing(options(&server)).await.unwrap();
    assert_eq!(reader.partitions(), 3);
    assert_eq!(reader.read(partition(), Position(1), 10).await.unwrap()[0].record, record("a"));
    assert_eq!(reader.last_position(StreamId::Partition(2)).await.unwrap(), Position::START);
    assert_eq!(reader.get_blob(&digest).await.unwrap().unwrap(), "blob");
    let mut followed = Followed::from(&*reader, partition(), Position(2)).await;
    log.append(Append::any(ledger(1), record("b"))).await.unwrap();
    assert_eq!(followed.take(1).await[0].record, record("b"));
}

#[tokio::test]
async fn a_log_that_is_open_for_reading_takes_nothing() {
    let Some(server) = NatsServer::start().await else { return };
    NatsLog::connect(options(&server)).await.unwrap();
    let reader = NatsLog::open_existing(options(&server)).await.unwrap();
    let error = reader.append(Append::any(ledger(1), record("a"))).await.unwrap_err();
    assert!(matches!(&error, AppendError::Unavailable(why) if why.contains("reading only")), "{error}");
    assert!(reader.put_blob(Bytes::from_static(b"blob")).await.is_err());
    assert_eq!(reader.last_position(partition()).await.unwrap(), Position::START);
}

#[tokio::test]
async fn streams_that_were_made_by_hand_are_counted_and_stay_as_they_are() {
    let Some(server) = NatsServer::start().await else { return };
    let jetstream = jetstream(&server).await;
    for stream in [StreamId::Config, StreamId::Partition(0), StreamId::Partition(1)] {
        let config = Config {
            name: stream.name(),
            subjects: vec![stream.filter()],
            discard: DiscardPolicy::Old,
            ..Config::default()
        };
        jetstream.create_stream(config).await.unwrap();
    }
    let message = refusal(&server).await;
    assert!(message.contains("OBJ_SW_BLOBS is missing"), "{message}");
    let bucket = jetstream::object_store::Config { bucket: "SW_BLOBS".to_owned(), ..Default::default() };
    jetstream.create_object_store(bucket).await.unwrap();
    let before = streams(&server).await;
    assert_eq!(NatsLog::open_existing(options(&server)).await.unwrap().partitions(), 2);
    assert_eq!(streams(&server).await, before);
}

#[tokio::test]
async fn a_log_of_an_older_version_has_no_caches_and_nobody_who_works_on_it() {
    let Some(server) = NatsServer::start().await else { return };
    let log = NatsLog::connect(options(&server)).await.unwrap();
    log.append(Append::any(ledger(1), record("a"))).await.unwrap();
    for name in ["OBJ_SW_SNAPSHOTS", "KV_SW_LEASES"] {
        jetstream(&server).await.delete_stream(name).await.unwrap();
    }
    let before = streams(&server).await;
    let reader = NatsLog::open_existing(options(&server)).await.unwrap();
    let key = SnapshotKey { stream: partition(), engine: 1 };
    assert_eq!(reader.snapshots().load(key).await.unwrap(), None);
    assert_eq!(reader.snapshots().list(partition()).await.unwrap(), []);
    assert_eq!(reader.leases().held().await.unwrap(), []);
    assert_eq!(reader.leases().members(None).await.unwrap(), []);
    assert_eq!(reader.asides().list("webhook", 10, None).await.unwrap(), []);
    assert_eq!(reader.asides().get("webhook", "1").await.unwrap(), None);
    let stats = reader.upkeep().stats().await.unwrap();
    assert_eq!((stats.streams[1].records, stats.snapshots), (1, StoreStats::default()));
    assert!(stats.clock.is_some());
    let refused = reader.upkeep().purge(partition(), Position(1), is_checked).await;
    assert!(matches!(refused, Err(LogError::Unavailable(_))), "{refused:?}");
    let refused = reader.leases().acquire("x", &ProcessId::new("p"), Timestamp::UNIX_EPOCH).await;
    assert!(matches!(refused, Err(LeaseError::Unavailable(_))), "{refused:?}");
    assert_eq!(streams(&server).await, before);
}

#[tokio::test]
async fn where_no_log_is_it_is_said_and_none_is_made() {
    let Some(server) = NatsServer::start().await else { return };
    let message = refusal(&server).await;
    assert!(message.contains("no event log") && message.contains("SW_CONFIG"), "{message}");
    assert!(streams(&server).await.is_empty());
}

#[tokio::test]
async fn a_partition_that_is_missing_is_named() {
    let Some(server) = NatsServer::start().await else { return };
    NatsLog::connect(NatsOptions { partitions: 2, ..options(&server) }).await.unwrap();
    jetstream(&server).await.delete_stream("SW_01").await.unwrap();
    let message = refusal(&server).await;
    assert!(message.contains("SW_01 is missing") && message.contains("2 partitions"), "{message}");
}

#[tokio::test]
async fn where_no_server_is_the_log_is_unavailable() {
    let Some(server) = NatsServer::start().await else { return };
    let options = options(&server);
    server.kill();
    assert!(matches!(NatsLog::open_existing(options).await, Err(LogError::Unavailable(_))));
}
