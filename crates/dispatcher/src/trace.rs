//! Which trace something of the dispatcher belongs to: its run's, as the state has it.

use crate::Shared;
use stackwave_domain::{
    DispatchClaim, DispatchId, Event, Position, RepositoryId, RunId, TraceContext, event::DispatchClaimed,
};
use stackwave_engine::state::RepositoryState;
use stackwave_runtime::batcher::Item;
use std::sync::Arc;
use tracing::{Span, field::Empty};

/// The trace of a run.
pub(crate) fn of_run(state: &RepositoryState, run: &RunId) -> Option<Arc<str>> {
    state.runs.get(run)?.trace.clone()
}

/// A span for each claim that is about to be appended, with its run's trace.
pub(crate) fn claims(state: &RepositoryState, claims: &[DispatchClaimed]) -> Vec<(Span, Option<Arc<str>>)> {
    let span = |claim: &DispatchClaimed| {
        let trace = of_run(state, &claim.run);
        let span = tracing::info_span!(
            "claim",
            trace.parent = trace.as_deref(),
            run.id = %claim.run,
            stack = %claim.key,
            dispatch.id = %claim.dispatch,
            repository.id = state.id.0,
            attempt = claim.attempt,
            position = Empty,
        );
        (span, trace)
    };
    claims.iter().map(span).collect()
}

/// The dispatch that a result is about.
fn dispatch_of(event: &Event) -> Option<&DispatchId> {
    match event {
        Event::DispatchAccepted(accepted) => Some(&accepted.dispatch),
        Event::DispatchRefused(refused) => Some(&refused.dispatch),
        Event::DispatchDelayed(delayed) => Some(&delayed.dispatch),
        Event::DispatchOutcomeUnknown(unknown) => Some(&unknown.dispatch),
        Event::DispatchFound(found) => Some(&found.dispatch),
        Event::DispatchUndecidable(undecidable) => Some(&undecidable.dispatch),
        _ => None,
    }
}

impl Shared {
    /// The span in which a dispatch is sent and its result recorded.
    pub(crate) fn send_span(&self, repository: RepositoryId, claim: &DispatchClaim) -> Span {
        let claimed = claim.claimed();
        let trace = self.read(repository, |state| of_run(state, &claimed.run));
        tracing::info_span!(
            "dispatch",
            trace.parent = trace.as_deref(),
            run.id = %claimed.run,
            stack = %claimed.key,
            dispatch.id = %claim.dispatch(),
            repository.id = repository.0,
            workflow = %claim.workflow(),
            epoch = claim.epoch(),
            outcome = Empty,
            workflow_run.id = Empty,
        )
    }

    /// Results for the log, in the trace of the first one's run.
    pub(crate) fn results(
        &self,
        repository: RepositoryId,
        events: Vec<Event>,
        cause: Option<Position>,
    ) -> Item {
        let trace = self.read(repository, |state| {
            let dispatch = state.dispatches.get(events.iter().find_map(dispatch_of)?)?;
            of_run(state, dispatch.run())
        });
        let trace = trace.as_deref().and_then(TraceContext::parse);
        Item { events, cause, trace, correlation: None }
    }

    fn read<T>(
        &self,
        repository: RepositoryId,
        read: impl FnOnce(&RepositoryState) -> Option<T>,
    ) -> Option<T> {
        self.view.0.get()?.read(|state| read(state.repository(repository)?))
    }
}
