//! The streams as they should be.

use super::{ASIDES, BLOBS, LEASES, MESSAGE_ID_WINDOW, PARTITIONS_KEY, SNAPSHOTS};
use crate::NatsOptions;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use stackwave_domain::StreamId;
use std::{collections::HashMap, time::Duration};

pub(super) fn records(stream: StreamId, options: &NatsOptions, replicas: usize) -> Config {
    let bytes = match stream {
        StreamId::Config => options.config_bytes,
        StreamId::Partition(_) => options.partition_bytes,
    };
    Config {
        name: stream.name(),
        description: Some("Stackwave's event log".to_owned()),
        subjects: vec![stream.filter()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // A full stream is an error for who writes, never a piece of history that is gone.
        discard: DiscardPolicy::New,
        max_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: MESSAGE_ID_WINDOW,
        deny_delete: true,
        allow_direct: true,
        metadata: HashMap::from([(PARTITIONS_KEY.to_owned(), options.partitions.to_string())]),
        ..Config::default()
    }
}

/// As the client library creates an object store, but without direct reads: those may come from a replica that has not
/// heard of a blob yet, and a blob that seems to be missing stops a fold.
fn object_store(bucket: &str, description: &str, replicas: usize) -> Config {
    Config {
        name: format!("OBJ_{bucket}"),
        description: Some(description.to_owned()),
        subjects: vec![format!("$O.{bucket}.C.>"), format!("$O.{bucket}.M.>")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: Duration::from_secs(120),
        allow_rollup: true,
        allow_direct: false,
        ..Config::default()
    }
}

/// Blobs.
pub(super) fn blobs(replicas: usize) -> Config {
    object_store(BLOBS, "Stackwave's blobs, by SHA-256", replicas)
}

/// Snapshots.
pub(super) fn snapshots(replicas: usize) -> Config {
    object_store(SNAPSHOTS, "Stackwave's snapshots: caches", replicas)
}

/// As the client library creates a key-value bucket, without direct reads again. What is not written again in time goes.
pub(super) fn leases(ttl: Duration, replicas: usize) -> Config {
    Config {
        name: format!("KV_{LEASES}"),
        description: Some("Who works on which of Stackwave's partitions".to_owned()),
        subjects: vec![format!("$KV.{LEASES}.>")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_age: ttl,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        num_replicas: replicas,
        // The server takes no longer one than the entries last.
        duplicate_window: ttl.min(Duration::from_secs(120)),
        allow_rollup: true,
        deny_delete: true,
        allow_direct: false,
        ..Config::default()
    }
}

/// Bodies kept aside: the only stream that drops the oldest when it is full.
pub(super) fn asides(bytes: u64, replicas: usize) -> Config {
    Config {
        name: ASIDES.to_owned(),
        description: Some("Raw bodies, for people; best effort".to_owned()),
        subjects: vec!["sw.aside.>".to_owned()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: Duration::from_secs(120),
        allow_message_ttl: true,
        ..Config::default()
    }
}
