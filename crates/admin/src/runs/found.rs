//! Finds a run, as it is or as it was, and reads something out of it.

use crate::{context::Context, errors, past};
use stackwave_domain::{Position, RepositoryId, RunId, StreamId, Timestamp};
use stackwave_engine::state::{RepositoryState, Run};
use tonic::Status;

/// A run with what is around it.
pub(super) struct Found<'a> {
    pub(super) stream: StreamId,
    pub(super) repository: &'a RepositoryState,
    pub(super) run: &'a Run,
    /// The moment for which is answered.
    pub(super) now: Timestamp,
    /// Up to where the stream was folded.
    pub(super) as_of: Position,
}

/// Reads out of a run: as it is at position 0, else as it was when everything up to the position had happened.
pub(super) async fn read_run<T>(
    context: &Context,
    id: &str,
    position: u64,
    read: impl Fn(&Found<'_>) -> Result<T, Status>,
) -> Result<T, Status> {
    context.check_ready()?;
    if id.is_empty() {
        return Err(errors::invalid("run_id", "it is missing"));
    }
    let run = RunId::new(id);
    if position == 0
        && let Some(answer) = read_now(context, &run, &read)
    {
        return answer;
    }
    let (stream, repository) =
        context.locate_run(&run).await?.ok_or_else(|| errors::not_found("run", id))?;
    let log = &context.core.log;
    let as_of = match position {
        // The state has forgotten it: it ended long ago.
        0 => log.last_position(stream).await.map_err(|error| errors::log(&error))?,
        position => Position(position),
    };
    let state = past::repository_at(context, stream, repository, as_of).await?;
    let folded = state.repository(repository);
    let found = folded.and_then(|repository| Some((repository, repository.runs.get(&run)?)));
    let Some((repository, run)) = found else {
        return Err(errors::not_found("run", &format!("{id} at {as_of}")));
    };
    read(&Found { stream, repository, run, now: repository.last_at, as_of })
}

fn read_now<T>(
    context: &Context,
    id: &RunId,
    read: impl Fn(&Found<'_>) -> Result<T, Status>,
) -> Option<Result<T, Status>> {
    context.partitions.iter().find_map(|partition| {
        partition.read(|state| {
            let found = |repository: &RepositoryState| repository.runs.contains_key(id);
            let repository = state.repositories().find(|repository| found(repository))?;
            let run = repository.runs.get(id)?;
            let now = context.core.clock.now().max(repository.last_at);
            Some(read(&Found { stream: partition.stream(), repository, run, now, as_of: state.position() }))
        })
    })
}

/// The repository of a run that this process has folded.
pub(crate) fn repository_of(context: &Context, id: &RunId) -> Option<(StreamId, RepositoryId)> {
    context.partitions.iter().find_map(|partition| {
        partition.read(|state| {
            let found = state.repositories().find(|repository| repository.runs.contains_key(id))?;
            Some((partition.stream(), found.id))
        })
    })
}
