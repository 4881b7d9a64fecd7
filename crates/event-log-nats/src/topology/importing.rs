//! A log that is being filled with the records of another one.

use super::{PATIENCE, Topology, apply_streams, find, patiently, state, streams};
use crate::{NatsOptions, connection::Connection};
use async_nats::jetstream::stream::Config;
use stackwave_domain::{Position, StreamId};
use stackwave_event_log::LogError;
use std::collections::HashMap;

/// Where the configuration's stream says that the log is being filled.
const IMPORT_KEY: &str = "stackwave_import";

/// Whether the configuration's stream says so.
pub(super) fn is_going_on(config: &Config) -> bool {
    config.metadata.contains_key(IMPORT_KEY)
}

/// As [`super::apply`], for a log that is to be filled: it says so, and streams that are made begin at `first`.
pub(crate) async fn apply_for_import(
    connection: &Connection,
    options: &NatsOptions,
    first: &HashMap<StreamId, Position>,
) -> Result<Topology, LogError> {
    let first: HashMap<String, Position> =
        first.iter().map(|(stream, position)| (stream.name(), *position)).collect();
    patiently(PATIENCE, || apply_once(connection, options, &first)).await
}

async fn apply_once(
    connection: &Connection,
    options: &NatsOptions,
    first: &HashMap<String, Position>,
) -> Result<Topology, LogError> {
    let config = find(connection, &StreamId::Config.name()).await?;
    if config.as_ref().is_none_or(|config| !is_going_on(config)) {
        check_empty(connection, options.partitions).await?;
    }
    let adapt = |mut wanted: Config| {
        wanted.first_sequence = first.get(&wanted.name).map(|first| first.0).filter(|first| *first > 1);
        if wanted.name == StreamId::Config.name() {
            wanted.metadata.insert(IMPORT_KEY.to_owned(), "running".to_owned());
        }
        wanted
    };
    apply_streams(connection, options, config, adapt).await
}

/// Whether the log says so.
pub(crate) async fn is_importing(connection: &Connection) -> Result<bool, LogError> {
    Ok(find(connection, &StreamId::Config.name()).await?.as_ref().is_some_and(is_going_on))
}

/// A log that was used is never written into.
async fn check_empty(connection: &Connection, partitions: u16) -> Result<(), LogError> {
    for stream in streams(partitions) {
        if state(connection, &stream.name()).await?.is_some_and(|state| state.last_sequence > 0) {
            return Err(LogError::Setup(format!(
                "the event log in this NATS account has records already ({stream}); use an empty account"
            )));
        }
    }
    Ok(())
}

/// The log is complete.
pub(crate) async fn end_import(connection: &Connection) -> Result<(), LogError> {
    let name = StreamId::Config.name();
    let Some(mut config) = find(connection, &name).await? else {
        return Err(LogError::Setup(format!("the stream {name} is missing")));
    };
    if config.metadata.remove(IMPORT_KEY).is_none() {
        return Ok(());
    }
    let updated = connection.requests.update_stream(config).await;
    updated.map(drop).map_err(|error| LogError::Unavailable(format!("the stream {name}: {error}")))
}
