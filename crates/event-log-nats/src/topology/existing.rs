//! What is there, for who only reads: nothing is created and nothing changed.

use super::{BLOBS, PARTITIONS_KEY, find, patiently, streams};
use crate::connection::Connection;
use async_nats::jetstream::{object_store::ObjectStore, stream::Config};
use stackwave_domain::StreamId;
use stackwave_event_log::LogError;
use std::time::Duration;

/// Somebody waits at a terminal; a cluster without a leader for longer than this is in trouble.
const PATIENCE: Duration = Duration::from_secs(5);

/// The number of partitions, and the object store.
///
/// # Errors
/// [`LogError::Setup`] when there is no event log, or only parts of one.
pub(crate) async fn look(connection: &Connection) -> Result<(u16, ObjectStore), LogError> {
    patiently(PATIENCE, || look_once(connection)).await
}

async fn look_once(connection: &Connection) -> Result<(u16, ObjectStore), LogError> {
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
    let bucket = connection
        .requests
        .get_object_store(BLOBS)
        .await
        .map_err(|error| LogError::Unavailable(format!("the object store {BLOBS}: {error}")))?;
    Ok((partitions, bucket))
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
