//! Finds a run, as it is or as it was, and reads something out of it.

use crate::{
    context::{Context, Opening},
    errors, past,
};
use jiff::SignedDuration;
use stackwave_domain::{Position, RepositoryId, RunId, StreamId, Timestamp};
use stackwave_engine::state::{RepositoryState, Run};
use tonic::Status;

/// Of a run that the state has forgotten, so much after its end is looked at.
const AFTER_END: SignedDuration = SignedDuration::from_hours(3 * 24);

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
    let opening = context.opening_of(&run).await?.ok_or_else(|| errors::not_found("run", id))?;
    let (stream, repository) = (opening.stream, opening.repository);
    let as_of = match position {
        // The state has forgotten it: it ended long ago.
        0 => end_of(context, &opening).await?,
        position => Position(position),
    };
    let state = past::repository_at(context, stream, repository, opening.position, as_of).await?;
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

/// Where nothing more is told of a run that has ended: a re-run by hand at GitHub comes within days, if at all.
async fn end_of(context: &Context, opening: &Opening) -> Result<Position, Status> {
    let log = &context.core.log;
    let last = log.last_position(opening.stream).await.map_err(|error| errors::log(&error))?;
    let Some(end) = opening.stopped_at.and_then(|at| at.checked_add(AFTER_END).ok()) else { return Ok(last) };
    let end = log.position_at(opening.stream, end).await.map_err(|error| errors::log(&error))?;
    Ok(end.min(last))
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
