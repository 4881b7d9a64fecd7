//! Which records a request wants, checked.

use crate::{
    context::Context,
    errors::{self, invalid},
    time::moment,
};
use jiff::SignedDuration;
use stackwave_admin_proto::v1::{StreamEventsRequest, stream_events_request::Scope as Asked};
use stackwave_domain::{Event, Position, RepositoryId, RunId, StreamId};
use std::collections::BTreeSet;
use tonic::Status;

/// What comes before a run's own records, such as its pull request and its upload, is looked for so far back.
const BEFORE_RUN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whose records.
pub(super) enum Scope {
    /// One run's.
    Run {
        run: RunId,
        repository: RepositoryId,
        /// From here on records may belong to it.
        begins: Position,
        /// It was opened here: what belongs to it is known from here on.
        opened: Position,
    },
    /// One repository's.
    Repository(RepositoryId),
    /// All of the stream.
    Stream,
}

/// Which records.
pub(super) struct Wanted {
    pub(super) stream: StreamId,
    pub(super) scope: Scope,
    pub(super) from: Position,
    /// Without following, the last one.
    pub(super) end: Option<Position>,
    /// Only these; empty means all.
    pub(super) names: BTreeSet<String>,
    pub(super) limit: Option<u32>,
}

pub(super) async fn read(context: &Context, request: StreamEventsRequest) -> Result<Wanted, Status> {
    let names: BTreeSet<String> = request.event_names.into_iter().collect();
    if let Some(unknown) = names.iter().find(|name| !Event::NAMES.contains(&name.as_str())) {
        return Err(invalid("event_names", &format!("`{unknown}` is no event; docs/events.md lists them")));
    }
    let (stream, scope) = scope(context, request.scope).await?;
    let log = &context.core.log;
    let last = log.last_position(stream).await.map_err(|error| errors::log(&error))?;
    let from = match (request.from_position, &request.from_time, &scope) {
        (0, None, Scope::Run { begins, .. }) => *begins,
        (0, None, Scope::Repository(_) | Scope::Stream) => last.next(),
        (0, Some(at), _) => {
            let at = moment("from_time", at)?;
            log.position_at(stream, at).await.map_err(|error| errors::log(&error))?
        }
        (position, None, _) => Position(position),
        (_, Some(_), _) => return Err(invalid("from_time", "give a position or a time, not both")),
    };
    let first = log.first_position(stream).await.map_err(|error| errors::log(&error))?;
    if request.from_position > 0 && first.is_some_and(|first| from < first && first > Position(1)) {
        let what = format!("{stream} was purged; its first record is at {}", first.unwrap_or_default());
        return Err(errors::out_of_range("POSITION_PURGED", &what));
    }
    Ok(Wanted {
        stream,
        scope,
        from,
        end: (!request.follow).then_some(last),
        names,
        limit: Some(request.limit).filter(|limit| *limit > 0),
    })
}

async fn scope(context: &Context, asked: Option<Asked>) -> Result<(StreamId, Scope), Status> {
    match asked {
        None => Err(invalid("scope", "name a run, a repository or a stream")),
        Some(Asked::Stream(name)) => Ok((stream(context, "stream", &name)?, Scope::Stream)),
        Some(Asked::Repository(name)) => {
            let repository = context.repository("repository", &name)?.id;
            let stream = StreamId::of_repository(repository, context.core.log.partitions());
            Ok((stream, Scope::Repository(repository)))
        }
        Some(Asked::RunId(id)) => run(context, &id).await,
    }
}

async fn run(context: &Context, id: &str) -> Result<(StreamId, Scope), Status> {
    context.check_ready()?;
    if id.is_empty() {
        return Err(invalid("run_id", "it is missing"));
    }
    let run = RunId::new(id);
    let place = context.opening_of(&run).await?.ok_or_else(|| errors::not_found("run", id))?;
    let log = &context.core.log;
    let earliest = place.at.checked_sub(BEFORE_RUN).unwrap_or(place.at);
    let begins = log.position_at(place.stream, earliest).await.map_err(|error| errors::log(&error))?;
    let (repository, opened) = (place.repository, place.position);
    Ok((place.stream, Scope::Run { run, repository, begins: begins.min(opened), opened }))
}

/// A stream by its name.
pub(super) fn stream(context: &Context, field: &str, name: &str) -> Result<StreamId, Status> {
    let partitions = (0..context.core.log.partitions()).map(StreamId::Partition);
    let mut streams = partitions.chain([StreamId::Config]);
    streams.find(|stream| stream.name() == name).ok_or_else(|| {
        invalid(field, &format!("`{name}` is no stream of this log; there are SW_CONFIG and SW_00, SW_01, …"))
    })
}
