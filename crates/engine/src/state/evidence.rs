//! Where the log tells what is known of a stack.

use super::{Progress, RepositoryState, Run};
use stackwave_domain::{Position, RunId};

impl RepositoryState {
    /// The newest record that told how far a stack is, or, where order passes through it, those above it.
    pub(crate) fn told(&self, run: &Run, stack: usize) -> Position {
        let mut newest = run.opened.1;
        let mut seen = vec![false; run.stacks.len()];
        let mut open = vec![stack];
        while let Some(stack) = open.pop() {
            if std::mem::replace(&mut seen[stack], true) {
                continue;
            }
            newest = newest.max(self.told_of(run, stack));
            if matches!(run.stacks[stack].progress, Progress::Skipped(_)) {
                open.extend(run.parents(stack));
            }
        }
        newest
    }

    fn told_of(&self, run: &Run, stack: usize) -> Position {
        let stack = &run.stacks[stack];
        let dispatches = stack.calls.iter().filter_map(|call| self.dispatches.get(&call.dispatch));
        let told = dispatches.flat_map(|dispatch| {
            let workflow_run = dispatch.workflow_run.and_then(|id| self.workflow_runs.get(&id));
            [Some(dispatch.at.1), dispatch.answered, workflow_run.map(|run| run.told)]
        });
        told.chain([stack.decided]).flatten().max().unwrap_or(run.opened.1)
    }

    /// Another mutating run that has a stack of this one in flight, by our own dispatch: a re-run at GitHub is not ours
    /// to order.
    pub(crate) fn elsewhere_in_flight(&self, run: &Run, stack: usize) -> Option<RunId> {
        let key = run.key(stack);
        let mut others = self.runs.values().filter(|other| other.id != run.id && other.is_mutating());
        let other = others.find(|other| {
            other.is_in_flight()
                && other.find(key).is_some_and(|place| self.first_attempt_in_flight(other, place))
        })?;
        Some(other.id.clone())
    }

    pub(crate) fn first_attempt_in_flight(&self, run: &Run, stack: usize) -> bool {
        let rerun = |call: &super::Call| {
            let dispatch = self.dispatches.get(&call.dispatch);
            let workflow_run =
                dispatch.and_then(|it| it.workflow_run).and_then(|id| self.workflow_runs.get(&id));
            workflow_run.is_some_and(|run| run.attempt > 1)
        };
        run.stacks[stack].in_flight() && !run.stacks[stack].calls.iter().any(rerun)
    }
}
