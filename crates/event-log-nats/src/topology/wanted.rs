//! The streams as they should be.

use super::{ASIDES, BLOBS, LEASES, MESSAGE_ID_WINDOW, PARTITIONS_KEY, SNAPSHOTS};
use crate::NatsOptions;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use stackwave_domain::StreamId;
use std::{collections::HashMap, time::Duration};

/// All partitions together set aside no more than this, or a new log with many of them would find no room on an ordinary
/// machine: without a limit of its own a server takes three quarters of the free disk.
const ALL_PARTITIONS_BYTES: u64 = 8 * 1024 * 1024 * 1024;

pub(super) fn records(stream: StreamId, options: &NatsOptions, replicas: usize) -> Config {
    let bytes = match stream {
        StreamId::Config => options.config_bytes,
        StreamId::Partition(_) => {
            options.partition_bytes.min(ALL_PARTITIONS_BYTES / u64::from(options.partitions.max(1)))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: i64 = 1024 * 1024 * 1024;

    fn limit(stream: StreamId, partitions: u16, partition_bytes: Option<u64>) -> i64 {
        let usual = NatsOptions::new("nats://unused");
        let partition_bytes = partition_bytes.unwrap_or(usual.partition_bytes);
        records(stream, &NatsOptions { partitions, partition_bytes, ..usual }, 1).max_bytes
    }

    #[test]
    fn many_partitions_take_no_more_room_together_than_an_ordinary_machine_has() {
        let of_each = |partitions| limit(StreamId::Partition(0), partitions, None);
        assert_eq!([1, 4, 16, 64].map(of_each), [2 * GIB, 2 * GIB, GIB / 2, GIB / 8]);
    }

    #[test]
    fn a_smaller_limit_and_that_of_the_configuration_stay_as_they_are() {
        assert_eq!(limit(StreamId::Partition(0), 16, Some(1 << 20)), 1 << 20);
        assert_eq!(limit(StreamId::Config, 64, None), GIB / 4);
    }
}
