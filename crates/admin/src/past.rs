//! A repository as it was: folded anew from the log.

use crate::{context::Context, errors};
use stackwave_domain::{Position, RepositoryId, StreamId};
use stackwave_engine::State;
use stackwave_event_log::{EventLog, Filter, LogError, MAX_BATCH};
use stackwave_runtime::{start, stow};
use std::sync::Arc;
use tonic::Status;

/// So many positions of a stream are folded without a thought.
const WHOLE: u64 = 100_000;
/// In a longer log the fold begins so many positions before the run: what its pull request, its upload and the runs
/// around it were told.
const BEFORE: u64 = 10_000;

/// The state of one repository when everything up to a position of its stream, and nothing later, had happened. Records
/// of other repositories are not in it, and of a long log only what lies around the run that was opened at `opened`.
pub(crate) async fn repository_at(
    context: &Context,
    stream: StreamId,
    repository: RepositoryId,
    opened: Position,
    position: Position,
) -> Result<State, Status> {
    let log = &context.core.log;
    let last = log.last_position(stream).await.map_err(|error| errors::log(&error))?;
    if position > last {
        let what = format!("{stream} ends at {last}");
        return Err(errors::out_of_range("POSITION_AFTER_END", &what));
    }
    match fold(log, stream, repository, opened, position).await {
        Ok(state) => Ok(state),
        // A purged stream says what is to be done.
        Err(LogError::Setup(what)) => Err(errors::out_of_range("POSITION_PURGED", &what)),
        Err(error) => Err(errors::log(&error)),
    }
}

async fn fold(
    log: &Arc<dyn EventLog>,
    stream: StreamId,
    repository: RepositoryId,
    opened: Position,
    position: Position,
) -> Result<State, LogError> {
    let start = start::replay(log.as_ref(), stream, Some(position)).await?;
    let (mut state, mut from) = (start.state, start.origin.position().next());
    let near = Position(opened.0.saturating_sub(BEFORE));
    if position.0.saturating_sub(from.0) > WHOLE && near > from {
        (state, from) = (State::default(), near);
    }
    let filter = Filter::Repository(repository);
    while from <= position {
        let mut page = log.read_of(stream, &filter, from, MAX_BATCH).await?;
        let Some(last) = page.last() else { break };
        from = last.position.next();
        page.retain(|entry| entry.position <= position);
        stow::hydrate(log, &mut page).await?;
        page.iter().for_each(|entry| drop(state.apply(entry)));
    }
    Ok(state)
}
