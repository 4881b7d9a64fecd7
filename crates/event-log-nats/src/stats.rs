//! The servers' figures, as far as they are told to a client.

use crate::{NatsLog, connection::Connection, topology};
use async_nats::jetstream::{
    account::Account,
    stream::{Info, PersistenceMode, StorageType},
};
use serde::Deserialize;
use stackwave_domain::{Position, StreamId, Timestamp};
use stackwave_event_log::{
    AccountStats, ClusterStats, EngineStats, LogError, LogStats, StoreStats, StreamStats,
};
use std::time::Instant;

/// What every answer about a stream says besides.
#[derive(Deserialize)]
struct Told {
    /// The server's clock.
    ts: Option<Timestamp>,
}

/// Gathers them.
pub(crate) async fn of(log: &NatsLog) -> Result<LogStats, LogError> {
    let mut infos = Vec::new();
    for stream in topology::streams(log.partitions) {
        let source = log.stream(stream).map_err(LogError::Setup)?;
        let info = source.get_info().await;
        infos.push(info.map_err(|error| LogError::Unavailable(format!("the state of {stream}: {error}")))?);
    }
    let streams: Vec<StreamStats> = infos.iter().map(of_stream).collect();
    let blobs = of_store(&log.connection, &format!("OBJ_{}", topology::BLOBS)).await?;
    let snapshots = of_store(&log.connection, &format!("OBJ_{}", topology::SNAPSHOTS)).await?;
    let asides = of_store(&log.connection, topology::ASIDES).await?;
    let (clock, round_trip_micros) = clock(&log.connection).await;
    let disk_bytes =
        streams.iter().map(|stream| stream.bytes).sum::<u64>() + blobs.bytes + snapshots.bytes + asides.bytes;
    let account = log.connection.requests.query_account().await.ok().map(of_account);
    Ok(LogStats {
        engine: engine(&log.connection, &infos, account),
        streams,
        // An object is described by one subject, and its pieces have another.
        blobs: halved(blobs),
        snapshots: halved(snapshots),
        asides,
        disk_bytes,
        clock,
        round_trip_micros,
    })
}

fn of_stream(info: &Info) -> StreamStats {
    let state = &info.state;
    StreamStats {
        stream: info.config.name.clone(),
        first: (state.messages > 0).then_some(Position(state.first_sequence)),
        last: Position(state.last_sequence),
        records: state.messages,
        bytes: state.bytes,
        max_bytes: u64::try_from(info.config.max_bytes).ok().filter(|max| *max > 0),
        subjects: state.subjects_count,
    }
}

/// Subjects and bytes of a stream that need not be there; messages of the bodies kept aside.
async fn of_store(connection: &Connection, name: &str) -> Result<StoreStats, LogError> {
    let state = topology::state(connection, name).await?;
    Ok(state.map_or_else(StoreStats::default, |state| StoreStats {
        count: if name == topology::ASIDES { state.messages } else { state.subjects_count },
        bytes: state.bytes,
    }))
}

fn halved(store: StoreStats) -> StoreStats {
    StoreStats { count: store.count.div_ceil(2), ..store }
}

/// The server's clock, and how long it took to tell it. It is no error that a server does not.
async fn clock(connection: &Connection) -> (Option<Timestamp>, Option<u64>) {
    let asked = Instant::now();
    let subject = format!("STREAM.INFO.{}", StreamId::Config.name());
    match connection.requests.request::<_, _, Told>(subject, &()).await {
        Ok(Told { ts: Some(ts) }) => (Some(ts), u64::try_from(asked.elapsed().as_micros()).ok()),
        Ok(Told { ts: None }) | Err(_) => (None, None),
    }
}

fn engine(connection: &Connection, infos: &[Info], account: Option<AccountStats>) -> EngineStats {
    let server = connection.client.server_info();
    let config = infos.first().map(|info| &info.config);
    let cluster = infos.first().and_then(|info| info.cluster.as_ref()).and_then(|cluster| {
        let others = cluster.replicas.iter();
        Some(ClusterStats {
            name: cluster.name.clone()?,
            leader: cluster.leader.clone().filter(|leader| !leader.is_empty()),
            peers: count(cluster.replicas.len() + 1),
            current: count(others.filter(|peer| peer.current && !peer.offline).count() + 1),
        })
    });
    let persistence = match config.and_then(|config| config.persist_mode) {
        Some(PersistenceMode::Async) => "async",
        Some(PersistenceMode::Default) | None => "default",
    };
    let storage = match config.map(|config| config.storage) {
        Some(StorageType::Memory) => "memory",
        Some(StorageType::File) | None => "file",
    };
    EngineStats::JetStream {
        version: server.version,
        server: server.server_name,
        cluster,
        replicas: count(infos.iter().map(|info| info.config.num_replicas.max(1)).min().unwrap_or(1)),
        storage: storage.to_owned(),
        persistence: persistence.to_owned(),
        account,
    }
}

fn of_account(account: Account) -> AccountStats {
    let limit = |limit: Option<i64>| limit.and_then(|limit| u64::try_from(limit).ok());
    AccountStats {
        storage_bytes: account.storage,
        max_storage_bytes: limit(account.limits.max_storage),
        memory_bytes: account.memory,
        max_memory_bytes: limit(account.limits.max_memory),
        streams: count(account.streams),
        max_streams: limit(account.limits.max_streams),
        consumers: count(account.consumers),
        max_consumers: limit(account.limits.max_consumers),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
