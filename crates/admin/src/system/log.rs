//! The log and its partitions.

use crate::{context::Context, convert, errors, sources::Sources, time::timestamp};
use futures::future::try_join_all;
use stackwave_admin_proto::v1;
use stackwave_domain::{Position, StreamId};
use stackwave_engine::SNAPSHOT_VERSION;
use stackwave_event_log::EngineStats;
use stackwave_runtime::{LeaseView, PartitionView};
use tonic::Status;

pub(super) async fn log(context: &Context) -> Result<v1::GetLogResponse, Status> {
    let log = &context.core.log;
    let stats = log.upkeep().stats().await.map_err(|error| errors::log(&error))?;
    let (engine, engine_version, replicas) = match stats.engine {
        EngineStats::Sqlite { version, .. } => ("sqlite", version, 1),
        EngineStats::JetStream { version, replicas, .. } => ("nats", version, replicas),
    };
    let stream = |stream: stackwave_event_log::StreamStats| v1::LogStream {
        name: stream.stream,
        first_position: stream.first.map_or(0, |first| first.0),
        last_position: stream.last.0,
        records: stream.records,
        bytes: stream.bytes,
        subjects: stream.subjects,
    };
    Ok(v1::GetLogResponse {
        engine: engine.to_owned(),
        engine_version,
        partitions: u32::from(log.partitions()),
        replicas: u32::try_from(replicas).unwrap_or(u32::MAX),
        streams: stats.streams.into_iter().map(stream).collect(),
        blob_bytes: stats.blobs.bytes,
        snapshot_bytes: stats.snapshots.bytes,
    })
}

pub(super) async fn partitions(context: &Context, sources: &Sources) -> Result<Vec<v1::Partition>, Status> {
    let leases = sources.acting.leases();
    try_join_all(context.partitions.iter().map(|view| partition(context, &leases, view))).await
}

async fn partition(
    context: &Context,
    leases: &[LeaseView],
    view: &PartitionView,
) -> Result<v1::Partition, Status> {
    let (log, stream) = (&context.core.log, view.stream());
    let number = match stream {
        StreamId::Partition(number) => number,
        StreamId::Config => 0,
    };
    let (folded, repositories, active_runs) = view.read(|state| {
        let active = state.repositories().map(|repository| repository.active_runs().len());
        (state.position(), state.repositories().count(), active.sum::<usize>())
    });
    let last = log.last_position(stream).await.map_err(|error| errors::log(&error))?;
    let snapshot = newest_snapshot(context, stream).await?;
    let own = leases.iter().filter(|lease| lease.partition == number);
    Ok(v1::Partition {
        number: u32::from(number),
        stream: stream.name(),
        folded_position: folded.0,
        last_position: last.0,
        lag: last.0.saturating_sub(folded.0),
        repositories: convert::number(repositories),
        active_runs: convert::number(active_runs),
        leases: own.map(lease).collect(),
        snapshot: snapshot.map(|position| convert::record(stream, position)),
    })
}

async fn newest_snapshot(context: &Context, stream: StreamId) -> Result<Option<Position>, Status> {
    let stored = context.core.log.snapshots().list(stream).await.map_err(|error| errors::log(&error))?;
    let usable = stored.iter().filter(|snapshot| snapshot.engine == SNAPSHOT_VERSION);
    Ok(usable.map(|snapshot| snapshot.position).max())
}

pub(super) fn lease(view: &LeaseView) -> v1::Lease {
    v1::Lease {
        role: view.role.clone(),
        partition: u32::from(view.partition),
        holder: view.holder.to_string(),
        since: Some(timestamp(view.since)),
        mine: view.ours,
    }
}
