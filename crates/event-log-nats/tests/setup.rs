//! Connecting: the topology, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use async_nats::jetstream::{
    self,
    stream::{Config, DiscardPolicy, StorageType},
};
use futures::future::join_all;
use stackwave_domain::{Position, StreamId};
use stackwave_event_log::{
    Append, AppendError, EventLog as _, LogError,
    conformance::{ledger, partition, record},
};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::{NatsCluster, NatsServer, Settings};
use std::time::Duration;

fn options(server: &NatsServer) -> NatsOptions {
    NatsOptions { partition_bytes: 64 * 1024 * 1024, ..NatsOptions::new(server.url()) }
}

async fn jetstream(server: &NatsServer) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

async fn refusal(options: NatsOptions) -> String {
    match NatsLog::connect(options).await {
        Err(LogError::Setup(message)) => message,
        Err(error) => panic!("expected a refusal, got: {error}"),
        Ok(_) => panic!("expected a refusal"),
    }
}

#[tokio::test]
async fn the_streams_are_set_up_so_that_no_history_is_lost() {
    let Some(server) = NatsServer::start().await else { return };
    NatsLog::connect(NatsOptions { partitions: 3, ..options(&server) }).await.unwrap();
    let jetstream = jetstream(&server).await;
    for name in ["SW_CONFIG", "SW_00", "SW_01", "SW_02"] {
        let stream = jetstream.get_stream(name).await.unwrap();
        let config = &stream.cached_info().config;
        assert_eq!(config.storage, StorageType::File, "{name}");
        assert_eq!(config.discard, DiscardPolicy::New, "{name}");
        assert!(config.deny_delete && config.allow_direct && config.max_age.is_zero(), "{name}");
        assert!(config.max_bytes > 0, "{name}");
        assert_eq!(config.duplicate_window.as_secs(), 600, "{name}");
    }
    let blobs = jetstream.get_stream("OBJ_SW_BLOBS").await.unwrap();
    assert!(!blobs.cached_info().config.allow_direct, "a replica may not have heard of a blob yet");
    assert!(jetstream.get_stream("SW_03").await.is_err());
}

#[tokio::test]
async fn how_long_a_lease_lasts_is_fixed_by_who_makes_the_log() {
    let Some(server) = NatsServer::start().await else { return };
    let lasting = |seconds| NatsOptions { lease_ttl: Duration::from_secs(seconds), ..options(&server) };
    for seconds in [2, 5] {
        let log = NatsLog::connect(lasting(seconds)).await.unwrap();
        assert_eq!(log.leases().ttl(), Duration::from_secs(2));
    }
    let leases = jetstream(&server).await.get_stream("KV_SW_LEASES").await.unwrap();
    let config = &leases.cached_info().config;
    assert_eq!((config.max_age, config.allow_direct), (Duration::from_secs(2), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_set_it_up_at_once_and_again() {
    let Some(server) = NatsServer::start().await else { return };
    for _ in 0..3 {
        let connecting = (0..8).map(|_| NatsLog::connect(NatsOptions { partitions: 4, ..options(&server) }));
        for log in join_all(connecting).await {
            assert_eq!(log.unwrap().partitions(), 4);
        }
    }
}

#[tokio::test]
async fn another_number_of_partitions_is_refused_and_both_are_named() {
    let Some(server) = NatsServer::start().await else { return };
    NatsLog::connect(NatsOptions { partitions: 4, ..options(&server) }).await.unwrap();
    for partitions in [1, 3, 16] {
        let message = refusal(NatsOptions { partitions, ..options(&server) }).await;
        assert!(message.contains("with 4 partitions"), "{message}");
        assert!(message.contains(&format!("{partitions} are configured")), "{message}");
    }
}

#[tokio::test]
async fn partitions_beyond_the_configured_ones_are_found_also_when_no_stream_tells() {
    let Some(server) = NatsServer::start().await else { return };
    let jetstream = jetstream(&server).await;
    for partition in 0..2 {
        let stream = StreamId::Partition(partition);
        let config = Config { name: stream.name(), subjects: vec![stream.filter()], ..Config::default() };
        jetstream.create_stream(config).await.unwrap();
    }
    let message = refusal(options(&server)).await;
    assert!(message.contains("SW_01"), "{message}");
}

#[tokio::test]
async fn a_stream_made_by_hand_is_upgraded() {
    let Some(server) = NatsServer::start().await else { return };
    let jetstream = jetstream(&server).await;
    let stream = StreamId::Partition(0);
    let config = Config {
        name: stream.name(),
        subjects: vec![stream.filter()],
        max_age: std::time::Duration::from_secs(3600),
        ..Config::default()
    };
    jetstream.create_stream(config).await.unwrap();
    NatsLog::connect(options(&server)).await.unwrap();
    let upgraded = jetstream.get_stream(stream.name()).await.unwrap();
    let config = &upgraded.cached_info().config;
    assert_eq!((config.discard, config.max_age.as_secs()), (DiscardPolicy::New, 0));
    assert!(config.deny_delete);
}

#[tokio::test]
async fn a_stream_that_cannot_be_upgraded_is_named_with_the_setting() {
    let Some(server) = NatsServer::start().await else { return };
    let config = Config {
        name: "SW_00".to_owned(),
        subjects: vec!["sw.00.>".to_owned()],
        storage: StorageType::Memory,
        ..Config::default()
    };
    jetstream(&server).await.create_stream(config).await.unwrap();
    let message = refusal(options(&server)).await;
    assert!(message.contains("SW_00") && message.contains("storage"), "{message}");
}

#[tokio::test]
async fn a_stream_of_somebody_else_over_our_subjects_is_refused() {
    let Some(server) = NatsServer::start().await else { return };
    let config = Config { name: "AUDIT".to_owned(), subjects: vec!["sw.>".to_owned()], ..Config::default() };
    jetstream(&server).await.create_stream(config).await.unwrap();
    let message = refusal(options(&server)).await;
    assert!(message.contains("overlap"), "{message}");
}

#[tokio::test]
async fn more_than_the_server_has_room_for_is_refused_by_the_streams_name() {
    let settings = Settings::default();
    let Some(server) = NatsServer::start_with(&settings).await else { return };
    let message = refusal(NatsOptions { config_bytes: 1 << 60, ..options(&server) }).await;
    for part in ["SW_CONFIG", "storage", "max_file_store"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[tokio::test]
async fn more_replicas_than_there_are_servers_are_refused() {
    let Some(server) = NatsServer::start().await else { return };
    let message = refusal(NatsOptions { replicas: Some(3), ..options(&server) }).await;
    assert!(message.contains("SW_CONFIG") && message.contains("replicas"), "{message}");
}

#[tokio::test]
async fn replicas_are_raised_when_it_is_wished_and_who_wishes_none_takes_what_is_there() {
    let Some(cluster) = NatsCluster::start(3, &Settings::default()).await else { return };
    let with = |replicas| NatsOptions {
        replicas,
        partition_bytes: 64 * 1024 * 1024,
        config_bytes: 64 * 1024 * 1024,
        ..NatsOptions::new(cluster.url())
    };
    let jetstream = jetstream::new(async_nats::connect(cluster.servers()[0].url()).await.unwrap());
    for (wished, found) in [(None, 1), (Some(3), 3), (None, 3)] {
        NatsLog::connect(with(wished)).await.unwrap();
        for name in ["SW_CONFIG", "SW_00", "OBJ_SW_BLOBS"] {
            let stream = jetstream.get_stream(name).await.unwrap();
            assert_eq!(stream.cached_info().config.num_replicas, found, "{name}");
        }
    }
    // What is missing in a log with three replicas is made with as many.
    jetstream.delete_stream("OBJ_SW_BLOBS").await.unwrap();
    NatsLog::connect(with(None)).await.unwrap();
    let blobs = jetstream.get_stream("OBJ_SW_BLOBS").await.unwrap();
    assert_eq!(blobs.cached_info().config.num_replicas, 3);
    let message = refusal(with(Some(1))).await;
    assert!(message.contains("has 3 replicas, but 1 are configured"), "{message}");
}

#[tokio::test]
async fn where_no_server_is_the_log_is_unavailable() {
    let Some(server) = NatsServer::start().await else { return };
    let options = options(&server);
    server.kill();
    assert!(matches!(NatsLog::connect(options).await, Err(LogError::Unavailable(_))));
}

#[tokio::test]
async fn a_full_stream_refuses_records_and_keeps_those_that_it_has() {
    let Some(server) = NatsServer::start().await else { return };
    let log = NatsLog::connect(NatsOptions { partition_bytes: 64 * 1024, ..options(&server) }).await.unwrap();
    let mut landed = 0;
    let error = loop {
        let append = Append::any(ledger(1), record(landed.to_string()).about("x".repeat(8 * 1024)));
        match log.append(append).await {
            Ok(_) => landed += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, AppendError::Unavailable(why) if why.contains("maximum bytes")), "{error}");
    let entries = log.read(partition(), Position(1), usize::MAX).await.unwrap();
    assert_eq!(entries.len(), landed);
    assert_eq!(entries[0].record.id.as_str(), "0");
}
