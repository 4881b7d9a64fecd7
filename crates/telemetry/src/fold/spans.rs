//! What happened at GitHub, as spans of the run's trace.

use stackwave_domain::{
    DispatchId, Entry, Timestamp, TraceContext,
    event::{Source, WorkflowRunObserved},
    workflow::RunStatus,
};
use stackwave_engine::state::{Dispatch, RepositoryState, WorkflowRun};
use std::collections::HashSet;

/// So many workflow runs are remembered as told.
const REMEMBERED: usize = 20_000;

/// The workflow runs whose whole span was made, by dispatch and GitHub's attempt.
#[derive(Debug, Default)]
pub(super) struct Told(HashSet<(DispatchId, u32)>);

impl Told {
    /// News of a workflow run came. A webhook is a span of the run's trace, which knows the webhook's own.
    pub(super) fn workflow_run(
        &mut self,
        state: &RepositoryState,
        entry: &Entry,
        observed: &WorkflowRunObserved,
        now: Timestamp,
    ) {
        let Some(dispatch) = state.owner_of(observed.run) else { return };
        let Some(trace) = trace_of(state, dispatch) else { return };
        if let Source::Webhook { delivery } = &observed.source {
            let status = observed.status.as_str();
            let context = trace.named(&format!("{delivery} {}", dispatch.claimed.dispatch));
            drop(tracing::info_span!(
                "webhook workflow_run",
                otel.name = format!("webhook workflow_run {status}"),
                otel.kind = "consumer",
                trace.context = %context,
                trace.parent = %trace.named(dispatch.claimed.dispatch.as_str()),
                trace.link = entry.record.trace.as_deref(),
                time.start_ms = entry.record.at.as_millisecond(),
                time.end_ms = now.as_millisecond(),
                run.id = %dispatch.run(),
                stack = %dispatch.claimed.key,
                dispatch.id = %dispatch.claimed.dispatch,
                delivery.id = %delivery,
                workflow_run.id = observed.run.0,
                workflow_run.status = status,
                repository.id = state.id.0,
                position = entry.position.0,
            ));
        }
        self.conclude(state, dispatch, trace, entry.record.trace.as_deref());
    }

    /// A dispatch's workflow run became known, which may have been told of before.
    pub(super) fn joined(&mut self, state: &RepositoryState, dispatch: &DispatchId) {
        let Some(dispatch) = state.dispatches.get(dispatch) else { return };
        if let Some(trace) = trace_of(state, dispatch) {
            self.conclude(state, dispatch, trace, None);
        }
    }

    /// Once it has concluded: the workflow run from its beginning to its end, by GitHub's clock.
    fn conclude(
        &mut self,
        state: &RepositoryState,
        dispatch: &Dispatch,
        trace: TraceContext,
        link: Option<&str>,
    ) {
        let run = dispatch.workflow_run.and_then(|run| state.workflow_runs.get(&run));
        let Some(run) = run.filter(|run| run.status == RunStatus::Completed) else { return };
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        if !self.0.insert((dispatch.claimed.dispatch.clone(), run.attempt)) {
            return;
        }
        let ended_well = run.conclusion.as_ref().is_some_and(|conclusion| conclusion.lets_children_go());
        drop(tracing::info_span!(
            "workflow run",
            otel.name = format!("workflow run {}", run.workflow),
            otel.status = (!ended_well).then_some("error"),
            trace.context = %own(trace, dispatch, run),
            trace.parent = %trace,
            trace.link = link,
            time.start_ms = began(run).as_millisecond(),
            time.end_ms = run.updated_at.as_millisecond(),
            run.id = %dispatch.run(),
            stack = %dispatch.claimed.key,
            dispatch.id = %dispatch.claimed.dispatch,
            workflow_run.id = run.id.0,
            workflow_run.attempt = run.attempt,
            workflow_run.conclusion = run.conclusion.as_ref().map(|conclusion| conclusion.as_str()),
            workflow_run.url = run.html_url,
            repository.id = state.id.0,
            position = run.told.0,
        ));
    }
}

fn trace_of(state: &RepositoryState, dispatch: &Dispatch) -> Option<TraceContext> {
    TraceContext::parse(state.runs.get(dispatch.run())?.trace.as_deref()?)
}

/// The span that the workflow itself was handed as its `traceparent`; a re-run at GitHub has one of its own.
fn own(trace: TraceContext, dispatch: &Dispatch, run: &WorkflowRun) -> TraceContext {
    let dispatch = dispatch.claimed.dispatch.as_str();
    match run.attempt {
        0 | 1 => trace.named(dispatch),
        attempt => trace.named(&format!("{dispatch} {attempt}")),
    }
}

/// A re-run keeps the time at which the first attempt was created.
fn began(run: &WorkflowRun) -> Timestamp {
    match run.attempt {
        0 | 1 => run.created_at,
        _ => run.started_at.unwrap_or(run.since),
    }
}
