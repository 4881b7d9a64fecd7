//! What is there, for who only reads: nothing is created and nothing changed.

use super::{BLOBS, LEASES, PARTITIONS_KEY, SNAPSHOTS, Topology, find, patiently, streams};
use crate::connection::Connection;
use async_nats::jetstream::stream::Config;
use stackwave_domain::StreamId;
use stackwave_event_log::LogError;
use std::time::Duration;

/// Somebody waits at a terminal; a cluster without a leader for longer than this is in trouble.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is on the server. What a log of an older version has not is no error.
///
/// # Errors
/// [`LogError::Setup`] when there is no event log, or only parts of one.
pub(crate) async fn look(connection: &Connection) -> Result<Topology, LogError> {
    patiently(PATIENCE, || look_once(connection)).await
}

async fn look_once(connection: &Connection) -> Result<Topology, LogError> {
    let name = StreamId::Config.name();
    let Some(config) = find(connection, &name).await? else {
        return Err(LogError::Setup(format!(
            "Stackwave has no event log in this NATS account: there is no stream {name}; `stackwave serve` creates it"
        )));
    };
    let partitions = partitions(connection, &config).await?;
    let blobs = format!("OBJ_{BLOBS}");
    for name in streams(partitions).map(StreamId::name).chain([blobs]) {
        if find(connection, &name).await?.is_none() {
            return Err(LogError::Setup(format!(
                "the stream {name} is missing, although the event log has {partitions} partitions; restore it, or \
                 let `stackwave serve` create it anew"
            )));
        }
    }
    let has_snapshots = find(connection, &format!("OBJ_{SNAPSHOTS}")).await?.is_some();
    let leases = find(connection, &format!("KV_{LEASES}")).await?;
    let lease_ttl = leases.map_or(Duration::ZERO, |leases| leases.max_age);
    Ok(Topology { partitions, has_snapshots, lease_ttl })
}

/// As the configuration's stream says; streams that were made by hand do not say it, and are counted.
async fn partitions(connection: &Connection, config: &Config) -> Result<u16, LogError> {
    if let Some(told) = config.metadata.get(PARTITIONS_KEY) {
        return told.parse().map_err(|_| {
            LogError::Setup(format!(
                "the stream {} has `{told}` as {PARTITIONS_KEY} in its metadata, which is no number of partitions",
                config.name
            ))
        });
    }
    let mut count = 0;
    while find(connection, &StreamId::Partition(count).name()).await?.is_some() {
        count += 1;
    }
    Ok(count)
}
