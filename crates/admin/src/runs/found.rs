//! Finds a run, as it is or as it was, and reads something out of it.

use crate::{
    context::{Context, Opening},
    errors, past,
    time::moment,
};
use jiff::SignedDuration;
use prost_types::Timestamp as ProtoTimestamp;
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

/// When a run is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// As it is.
    Now,
    /// When everything up to this position of its stream had happened.
    At(Position),
    /// When everything that was written by this moment had happened.
    By(Timestamp),
}

impl When {
    /// As requests say it: a position, a moment, or neither.
    pub(super) fn of(position: u64, at: Option<&ProtoTimestamp>) -> Result<Self, Status> {
        match (position, at) {
            (0, None) => Ok(Self::Now),
            (position, None) => Ok(Self::At(Position(position))),
            (0, Some(at)) => moment("at", at).map(Self::By),
            (_, Some(_)) => Err(errors::invalid("at", "give a position or a time, not both")),
        }
    }
}

/// Reads out of a run, as it is or as it was.
pub(super) async fn read_run<T>(
    context: &Context,
    id: &str,
    when: When,
    read: impl Fn(&Found<'_>) -> Result<T, Status>,
) -> Result<T, Status> {
    context.check_ready()?;
    if id.is_empty() {
        return Err(errors::invalid("run_id", "it is missing"));
    }
    let run = RunId::new(id);
    if when == When::Now
        && let Some(answer) = read_now(context, &run, &read)
    {
        return answer;
    }
    let opening = context.opening_of(&run).await?.ok_or_else(|| errors::not_found("run", id))?;
    let (stream, repository) = (opening.stream, opening.repository);
    let as_of = match when {
        // The state has forgotten it: it ended long ago.
        When::Now => end_of(context, &opening).await?,
        When::At(position) => position,
        When::By(time) => written_by(context, &opening, time).await?,
    };
    let asked = match when {
        When::By(time) => time.min(context.core.clock.now()),
        When::Now | When::At(_) => Timestamp::MIN,
    };
    let missing = || {
        let place = match when {
            When::By(time) => time.to_string(),
            When::Now | When::At(_) => as_of.to_string(),
        };
        errors::not_found("run", &format!("{id} at {place}"))
    };
    if as_of == Position::START {
        return Err(missing());
    }
    let state = past::repository_at(context, stream, repository, opening.position, as_of).await?;
    let folded = state.repository(repository);
    let found = folded.and_then(|repository| Some((repository, repository.runs.get(&run)?)));
    let (repository, run) = found.ok_or_else(missing)?;
    read(&Found { stream, repository, run, now: repository.last_at.max(asked), as_of })
}

/// The last position of a run's stream that was written by a moment; the start when none was.
async fn written_by(context: &Context, opening: &Opening, time: Timestamp) -> Result<Position, Status> {
    // What was written at the moment itself counts, too.
    let after = time.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
    let next = context.core.log.position_at(opening.stream, after).await;
    let next = next.map_err(|error| errors::log(&error))?;
    Ok(Position(next.0.saturating_sub(1)))
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
