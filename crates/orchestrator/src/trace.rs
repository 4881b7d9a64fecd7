//! Which traces a record of decisions belongs to: each run has its own.

use stackwave_domain::{Event, RunId};
use stackwave_engine::state::RepositoryState;
use std::{collections::BTreeMap, sync::Arc};
use tracing::Span;

/// The decisions of one record, as spans of their runs' traces, from the moment of deciding on.
pub(crate) struct Decisions {
    spans: Vec<Span>,
    /// The trace of the first run: a record names one.
    pub(crate) first: Option<Arc<str>>,
}

impl Decisions {
    /// Begins a span for each run and kind of decision.
    pub(crate) fn begin(state: &RepositoryState, due: &[Event]) -> Self {
        let mut counts: BTreeMap<(&RunId, &str), (u64, Arc<str>)> = BTreeMap::new();
        let mut triggers: BTreeMap<&RunId, Arc<str>> = BTreeMap::new();
        let mut first = None;
        for event in due {
            let Some(run) = run_of(event) else { continue };
            let Some(trace) = trace_of(state, event, run) else { continue };
            first.get_or_insert_with(|| Arc::clone(&trace));
            if let Some(trigger) = trigger_of(state, event) {
                triggers.insert(run, trigger);
            }
            counts.entry((run, event.name())).or_insert((0, trace)).0 += 1;
        }
        let spans = counts.into_iter().map(|((run, name), (count, trace))| {
            tracing::info_span!(
                "decide",
                otel.name = format!("decide {name}"),
                trace.parent = &*trace,
                trace.link = triggers.get(run).filter(|_| name == "run_opened").map(|link| &**link),
                run.id = %run,
                repository.id = state.id.0,
                decision = name,
                count,
                position = tracing::field::Empty,
            )
        });
        Self { spans: spans.collect(), first }
    }

    /// They are in the log.
    pub(crate) fn end(self, position: u64) {
        for span in self.spans {
            span.record("position", position);
        }
    }
}

fn run_of(event: &Event) -> Option<&RunId> {
    match event {
        Event::RunOpened(opened) => Some(&opened.run),
        Event::StackReleased(released) => Some(&released.run),
        Event::StackSkipped(skipped) => Some(&skipped.run),
        Event::RunSuperseded(superseded) => Some(&superseded.run),
        Event::RunClosed(closed) => Some(&closed.run),
        Event::RunEnded(ended) => Some(&ended.run),
        Event::RunCancelled(cancelled) => Some(&cancelled.run),
        Event::StackWithdrawn(withdrawn) => Some(&withdrawn.run),
        Event::RetryDropped(dropped) => Some(&dropped.run),
        _ => None,
    }
}

/// The trace of the webhook that a run is opened for.
fn trigger_of(state: &RepositoryState, event: &Event) -> Option<Arc<str>> {
    match event {
        Event::RunOpened(opened) => state.pulls.get(&opened.pull_request?)?.trace.clone(),
        _ => None,
    }
}

/// A run that is being opened is in the trace of its upload, as the fold will say.
fn trace_of(state: &RepositoryState, event: &Event, run: &RunId) -> Option<Arc<str>> {
    match event {
        Event::RunOpened(opened) => state.uploads.get(&opened.upload)?.trace.clone(),
        _ => state.runs.get(run)?.trace.clone(),
    }
}
