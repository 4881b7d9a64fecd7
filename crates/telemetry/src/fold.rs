//! What is learnt from records as they are folded: how long hops took, and the spans of what happened at GitHub.
//!
//! Hops are counted by the process that wrote the record with which they end ([`OwnRecords`]), so that several replicas
//! count each once. What happened at GitHub is told by whoever works on the partition; its spans have ids that follow
//! from what they are about, so that a second telling is the same span.

mod recent;
mod spans;

use crate::{
    log::OwnRecords,
    metrics::{Hop, Metrics, clamped},
};
use recent::Recent;
use spans::Told;
use stackwave_domain::{
    DispatchId, Entry, Event, StreamId, Timestamp,
    event::{RunOpened, Source, WorkflowRunObserved},
    plan::Verdict,
    workflow::RunStatus,
};
use stackwave_engine::{
    State,
    state::{Progress, RepositoryState},
};
use stackwave_runtime::{Clock, Observer};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// So many conclusions are remembered until their children have gone.
const CONCLUSIONS: usize = 20_000;

/// Observes one partition.
pub struct FoldObserver {
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    own: OwnRecords,
    /// Whether this process works on the partition.
    acts: Box<dyn Fn() -> bool + Send>,
    /// What is folded now is new.
    live: bool,
    recent: Recent,
    /// When the webhook that told of a dispatch's conclusion was recorded.
    concluded: HashMap<DispatchId, Timestamp>,
    told: Told,
}

impl FoldObserver {
    /// An observer for one partition. `acts` tells whether this process works on it now.
    #[must_use]
    pub fn new(
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
        own: OwnRecords,
        acts: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        Self {
            metrics,
            clock,
            own,
            acts: Box::new(acts),
            live: false,
            recent: Recent::default(),
            concluded: HashMap::new(),
            told: Told::default(),
        }
    }

    fn observe(&mut self, repository: &RepositoryState, entry: &Entry, now: Timestamp, acts: bool) {
        if self.own.has(entry.record.id.as_str()) {
            self.count_hops(repository, entry, now);
        }
        for event in &entry.record.events {
            match event {
                Event::RunOpened(opened) => self.count_stacks(opened),
                Event::WorkflowRunObserved(observed) => {
                    self.note_conclusion(repository, entry, observed);
                    if acts {
                        self.told.workflow_run(repository, entry, observed, now);
                    }
                }
                Event::DispatchAccepted(accepted) if acts => {
                    self.told.joined(repository, &accepted.dispatch);
                }
                Event::DispatchFound(found) if acts => self.told.joined(repository, &found.dispatch),
                _ => {}
            }
        }
    }

    fn count_stacks(&self, opened: &RunOpened) {
        let Some(plan) = opened.plan.get() else { return };
        let planned = plan.stacks.iter().filter(|stack| matches!(stack.verdict, Verdict::Dispatch(_)));
        self.metrics.stacks_planned.get_or_create(&Vec::new()).inc_by(planned.count() as u64);
    }

    fn count_hops(&self, repository: &RepositoryState, entry: &Entry, now: Timestamp) {
        let since = |at: Option<Timestamp>| at.map(|at| elapsed(at, now));
        let caused = || since(self.recent.at(entry.record.cause?));
        if entry.record.basis.is_some() {
            self.count(Hop::Decision, caused());
        }
        for event in &entry.record.events {
            match event {
                Event::DispatchClaimed(claimed) => {
                    let run = repository.runs.get(&claimed.run);
                    let released = run.and_then(|run| match &run.stacks[run.find(&claimed.key)?].progress {
                        Progress::Released { at, .. } => Some(*at),
                        Progress::Waiting | Progress::Skipped(_) | Progress::Refused(_) => None,
                    });
                    self.count(Hop::Claim, since(released));
                }
                Event::DispatchAccepted(accepted) => {
                    let concluded = self.parents_concluded(repository, &accepted.dispatch);
                    self.count(Hop::WebhookToChildDispatch, since(concluded));
                }
                Event::CommentPosted(_) => self.count(Hop::Comment, caused()),
                _ => {}
            }
        }
    }

    fn count(&self, hop: Hop, took: Option<Duration>) {
        if let Some(took) = took {
            self.metrics.hop(hop, took);
        }
    }

    fn note_conclusion(
        &mut self,
        repository: &RepositoryState,
        entry: &Entry,
        observed: &WorkflowRunObserved,
    ) {
        if observed.status != RunStatus::Completed || !matches!(observed.source, Source::Webhook { .. }) {
            return;
        }
        let Some(dispatch) = repository.owner_of(observed.run) else { return };
        if self.concluded.len() >= CONCLUSIONS {
            self.concluded.clear();
        }
        self.concluded.insert(dispatch.claimed.dispatch.clone(), entry.record.at);
    }

    /// When the last of a dispatch's parents was told to have concluded; none unless a webhook told so of each.
    fn parents_concluded(&self, repository: &RepositoryState, dispatch: &DispatchId) -> Option<Timestamp> {
        let dispatch = repository.dispatches.get(dispatch)?;
        let run = repository.runs.get(dispatch.run())?;
        let mut last = None;
        for parent in run.parents(dispatch.stack) {
            for call in &run.stacks.get(parent)?.calls {
                last = last.max(Some(*self.concluded.get(&call.dispatch)?));
            }
        }
        last
    }
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    // Another machine's clock may be ahead of ours.
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

impl Observer for FoldObserver {
    fn name(&self) -> &'static str {
        "telemetry"
    }

    fn folded(&mut self, stream: StreamId, state: &State, entries: &[Entry]) {
        let partition = vec![("partition", stream.to_string())];
        self.metrics.folded.get_or_create(&partition).inc_by(entries.len() as u64);
        self.metrics.fold_position.get_or_create(&partition).set(clamped(state.position().0));
        self.recent.add(entries);
        if !self.live {
            return;
        }
        let (now, acts) = (self.clock.now(), (self.acts)());
        for entry in entries {
            if let Some(repository) = entry.subject.repository().and_then(|id| state.repository(id)) {
                self.observe(repository, entry, now, acts);
            }
        }
    }

    fn caught_up(&mut self, _stream: StreamId, _state: &State) {
        self.live = true;
    }
}
