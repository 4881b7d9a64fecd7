//! Which things a record may have changed.

use stackwave_domain::{DispatchId, Entry, Event, Position, PrNumber, RunId, WorkflowRunId};
use stackwave_engine::state::RepositoryState;
use std::collections::BTreeMap;

/// Things of one repository, each with the last record that touched it.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) runs: BTreeMap<RunId, Position>,
    pub(super) pulls: BTreeMap<PrNumber, Position>,
    pub(super) dispatches: BTreeMap<DispatchId, Position>,
}

impl Touched {
    /// Everything of a repository.
    pub(super) fn all(repository: &RepositoryState, at: Position) -> Self {
        Self {
            runs: repository.runs.keys().map(|id| (id.clone(), at)).collect(),
            pulls: repository.pulls.keys().map(|number| (*number, at)).collect(),
            dispatches: repository.dispatches.keys().map(|id| (id.clone(), at)).collect(),
        }
    }

    /// `repository` is the state after the record, or after some records more.
    pub(super) fn collect(&mut self, repository: &RepositoryState, entry: &Entry) {
        for event in &entry.record.events {
            self.collect_event(repository, entry.position, event);
        }
    }

    fn collect_event(&mut self, repository: &RepositoryState, at: Position, event: &Event) {
        match event {
            Event::PullRequestObserved(observed) => {
                self.pulls.insert(observed.number, at);
            }
            Event::WorkflowRunObserved(observed) => self.workflow_run(repository, at, observed.run),
            Event::WorkflowJobWaiting(waiting) => self.workflow_run(repository, at, waiting.run),
            Event::RunOpened(event) => self.run(at, &event.run),
            Event::StackReleased(event) => self.run(at, &event.run),
            Event::StackSkipped(event) => self.run(at, &event.run),
            Event::RunSuperseded(event) => self.run(at, &event.run),
            Event::RunClosed(event) => self.run(at, &event.run),
            Event::RunEnded(event) => self.run(at, &event.run),
            Event::RunCancelled(event) => self.run(at, &event.run),
            Event::StackWithdrawn(event) => self.run(at, &event.run),
            Event::RetryDropped(event) => self.run(at, &event.run),
            Event::RetryRequested(event) => self.run(at, &event.run),
            Event::CancelRequested(event) => self.run(at, &event.run),
            Event::DispatchClaimed(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchTakenOver(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchResending(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchAccepted(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchRefused(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchDelayed(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchOutcomeUnknown(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchFound(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchUndecidable(event) => self.dispatch(repository, at, &event.dispatch),
            Event::DispatchResolved(event) => self.dispatch(repository, at, &event.dispatch),
            Event::WorkflowCancelRequested(event) => self.dispatch(repository, at, &event.dispatch),
            Event::WorkflowCancelAnswered(event) => self.dispatch(repository, at, &event.dispatch),
            // What is listed says nothing of the others.
            _ => {}
        }
    }

    pub(super) fn run(&mut self, at: Position, run: &RunId) {
        self.runs.insert(run.clone(), at);
    }

    fn dispatch(&mut self, repository: &RepositoryState, at: Position, id: &DispatchId) {
        let Some(dispatch) = repository.dispatches.get(id) else { return };
        self.dispatches.insert(id.clone(), at);
        self.run(at, dispatch.run());
    }

    fn workflow_run(&mut self, repository: &RepositoryState, at: Position, run: WorkflowRunId) {
        if let Some(dispatch) = repository.owner_of(run) {
            let id = dispatch.claimed.dispatch.clone();
            self.dispatch(repository, at, &id);
        }
    }
}
