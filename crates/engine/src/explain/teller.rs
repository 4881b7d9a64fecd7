//! What is to be said of one stack, and the stacks that it is because of.

use super::{Cause, Kind};
use crate::{
    due::{Hold, hold_on},
    state::{Progress, RepositoryState, Run, Stage},
    view::{self, RunView, StackView, Status},
    words::{between, lasted},
};
use stackwave_domain::{Position, RunId, Timestamp};
use std::collections::VecDeque;

/// So many of the stacks that one waits for are named.
const MAX_NAMED: usize = 3;

pub(super) struct Teller<'a> {
    pub(super) state: &'a RepositoryState,
    pub(super) run: &'a Run,
    pub(super) view: &'a RunView<'a>,
    pub(super) now: Timestamp,
}

impl Teller<'_> {
    pub(super) fn tell(&self, index: usize) -> (Cause, Vec<usize>) {
        let stack = &self.run.stacks[index];
        let key = self.run.key(index);
        let opened = self.run.opened.1;
        match &stack.progress {
            Progress::Skipped(reason) => {
                let text = format!("{key} is skipped: {reason}");
                let proof = vec![stack.decided.unwrap_or(opened)];
                (self.cause(index, text, proof), self.above(index, false))
            }
            Progress::Refused(reason) => {
                (self.cause(index, format!("{key} cannot run: {reason}"), vec![opened]), Vec::new())
            }
            Progress::Waiting => self.tell_waiting(index),
            Progress::Released { .. } => (self.tell_released(index), Vec::new()),
        }
    }

    fn cause(&self, index: usize, text: String, proof: Vec<Position>) -> Cause {
        let view = &self.view.stacks[index];
        Cause {
            kind: Kind::Stack(view.status),
            stack: Some(view.key.clone()),
            since: view.since,
            text,
            position: proof.first().copied(),
            proof,
        }
    }

    fn tell_waiting(&self, index: usize) -> (Cause, Vec<usize>) {
        let key = self.run.key(index);
        let view = &self.view.stacks[index];
        let reason = view.reason.as_deref().unwrap_or_default();
        match view.status {
            Status::Stopped => {
                let proof = self.run.stopped.into_iter().collect();
                (self.cause(index, format!("{key} does not go: {reason}"), proof), Vec::new())
            }
            Status::Blocked => {
                let above = self.above(index, true);
                let text = format!("{key} is blocked: {reason}");
                let failed = view::blocker(self.run, index);
                let shown: Vec<usize> = failed.into_iter().chain(above.iter().copied()).collect();
                let mut proof = self.told(&shown);
                if let Some(failure) = failed.map(|failed| self.state.told(self.run, failed)) {
                    // What the sentence says comes first.
                    proof.retain(|position| *position != failure);
                    proof.insert(0, failure);
                }
                (self.cause(index, text, proof), above)
            }
            Status::Held => {
                let hold = hold_on(self.state, self.run, index);
                let because = hold.as_ref().map(|hold| format!(": {hold}")).unwrap_or_default();
                let proof = hold.and_then(|hold| self.told_of_holder(index, hold)).into_iter().collect();
                (self.cause(index, format!("{key} is held{because}"), proof), Vec::new())
            }
            Status::Waiting => {
                let above = self.above(index, false);
                (self.cause(index, self.waits(index), self.told(&above)), above)
            }
            Status::Cancelled => {
                (self.cause(index, format!("{key} was {reason}"), self.orders(index)), Vec::new())
            }
            // The view gives no other status to a stack that waits.
            Status::Released
            | Status::Failed
            | Status::DispatchRefused
            | Status::CannotRun
            | Status::Undecidable
            | Status::AwaitingApproval
            | Status::Running
            | Status::Queued
            | Status::Dispatching
            | Status::Succeeded
            | Status::Skipped => {
                let parents: Vec<usize> = self.run.parents(index).collect();
                let why =
                    if parents.is_empty() { "it depends on nothing" } else { "its parents have succeeded" };
                let text = format!("{key} may go: {why}");
                (self.cause(index, text, self.told(&parents)), Vec::new())
            }
        }
    }

    /// `eks/prod waits for vpc/prod, running 4 min`.
    fn waits(&self, index: usize) -> String {
        let key = self.run.key(index);
        let nearest = self.nearest_unmet(index);
        let named: Vec<String> = nearest.iter().take(MAX_NAMED).map(|parent| self.named(*parent)).collect();
        let more = nearest.len() - named.len();
        match (named.is_empty(), more) {
            (true, _) => format!("{key} waits"),
            (false, 0) => format!("{key} waits for {}", named.join(", and for ")),
            (false, more) => format!("{key} waits for {}, and for {more} more", named.join(", for ")),
        }
    }

    /// A stack with how it stands, and for how long.
    fn named(&self, index: usize) -> String {
        let StackView { key, status, since, .. } = &self.view.stacks[index];
        match (status, since) {
            (Status::Waiting | Status::Blocked | Status::CannotRun, _) => key.to_string(),
            (status, None) => format!("{key}, {}", status.as_str()),
            (status, Some(since)) => {
                format!("{key}, {} {}", status.as_str(), lasted(between(*since, self.now)))
            }
        }
    }

    /// The nearest ancestors that have not succeeded, through skipped ones.
    fn nearest_unmet(&self, index: usize) -> Vec<usize> {
        let mut nearest = Vec::new();
        let mut seen = vec![false; self.run.stacks.len()];
        let mut queue: VecDeque<usize> = self.run.parents(index).collect();
        while let Some(parent) = queue.pop_front() {
            let stack = &self.run.stacks[parent];
            if std::mem::replace(&mut seen[parent], true) || stack.met {
                continue;
            }
            if matches!(stack.progress, Progress::Skipped(_)) {
                queue.extend(self.run.parents(parent));
            } else {
                nearest.push(parent);
            }
        }
        nearest
    }

    /// The parents that keep a stack from going; of a blocked one, those on the way to a failure.
    fn above(&self, index: usize, blocked: bool) -> Vec<usize> {
        let unmet = self.run.parents(index).filter(|parent| !self.run.stacks[*parent].met);
        let leads_to_failure = |parent: &usize| {
            let status = self.view.stacks[*parent].status;
            let passes = status == Status::Skipped || status == Status::Blocked;
            passes || self.run.stacks[*parent].stands_still() || status == Status::Undecidable
        };
        unmet.filter(|parent| !blocked || leads_to_failure(parent)).collect()
    }

    /// The records that tell how the stacks stand for which another waits, the newest first; then the one with the
    /// dependencies.
    fn told(&self, stacks: &[usize]) -> Vec<Position> {
        let mut told: Vec<Position> =
            stacks.iter().map(|stack| self.state.told(self.run, *stack)).chain([self.run.opened.1]).collect();
        told.sort_unstable_by(|a, b| b.cmp(a));
        told.dedup();
        told
    }

    fn told_of_holder(&self, index: usize, hold: Hold) -> Option<Position> {
        let holder: RunId = match hold {
            Hold::InFlightIn(run) | Hold::EarlierMerge(run) | Hold::NewerMerge(run) => run,
        };
        let holder = self.state.runs.get(&holder)?;
        Some(self.state.told(holder, holder.find(self.run.key(index))?))
    }

    fn tell_released(&self, index: usize) -> Cause {
        let key = self.run.key(index);
        let view = &self.view.stacks[index];
        let in_runs = match view.workflow_runs.as_slice() {
            [] => String::new(),
            [one] if one.attempt > 1 => format!(" in attempt {} of workflow run {}", one.attempt, one.id),
            [one] => format!(" in workflow run {}", one.id),
            several => {
                let ids: Vec<String> = several.iter().map(|run| run.id.to_string()).collect();
                format!(" in workflow runs {}", ids.join(", "))
            }
        };
        let because = view.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let attempt = view::attempt_words(&self.run.stacks[index]).map(|words| format!(" ({words})"));
        let attempt = attempt.unwrap_or_default();
        let so_long = view.since.map(|since| format!(", {}", lasted(between(since, self.now))));
        let so_long = so_long.unwrap_or_default();
        let text = match view.status {
            // Somebody asked for the next attempt.
            Status::Released | Status::Held | Status::Waiting if self.run.stacks[index].retry().is_some() => {
                format!("{key} is to be dispatched again{because}")
            }
            Status::Failed => match self.run.stacks[index].failure() {
                Some(Stage::Concluded(conclusion)) => {
                    format!("{key} {}{in_runs}{attempt}", view::conclusion_words(conclusion))
                }
                _ => format!("{key} failed{in_runs}{attempt}"),
            },
            Status::Cancelled => {
                let by = self.cancelled_by(index).map(|by| format!(" by {by}")).unwrap_or_default();
                format!("{key} was cancelled{by}{in_runs}{attempt}")
            }
            Status::DispatchRefused => format!("{key} was refused{because}"),
            Status::Undecidable => format!("{key} is undecidable{because}"),
            Status::AwaitingApproval => format!("{key} waits for an approval at GitHub{in_runs}{so_long}"),
            Status::Running => format!("{key} runs{in_runs}{so_long}{because}"),
            Status::Queued => format!("{key} is queued{in_runs}{so_long}{because}"),
            Status::Dispatching => format!("{key} is being dispatched{so_long}{because}"),
            Status::Stopped => format!("{key} does not go{because}"),
            Status::Succeeded => format!("{key} succeeded{in_runs}{attempt}"),
            Status::Released
            | Status::Held
            | Status::Waiting
            | Status::Blocked
            | Status::CannotRun
            | Status::Skipped => format!("{key} is released and about to be dispatched{so_long}{attempt}"),
        };
        let mut proof = vec![self.state.told(self.run, index)];
        let more = self.run.stacks[index].decided.into_iter().chain(self.orders(index));
        for position in more {
            if !proof.contains(&position) {
                proof.push(position);
            }
        }
        self.cause(index, text, proof)
    }

    /// The commands behind how a stack stands.
    fn orders(&self, index: usize) -> Vec<Position> {
        let stack = &self.run.stacks[index];
        let asked = [stack.withdrawn(), stack.cancel(), stack.retry(), stack.retried()];
        asked.into_iter().flatten().map(|asked| asked.at).collect()
    }

    /// Who had its workflow cancelled.
    fn cancelled_by(&self, index: usize) -> Option<&str> {
        let stack = &self.run.stacks[index];
        if let Some(asked) = stack.withdrawn() {
            return Some(&asked.by);
        }
        stack.calls.iter().find_map(|call| {
            let cancel = self.state.dispatches.get(&call.dispatch)?.cancel.as_ref()?;
            Some(self.state.command(cancel.command.as_ref()?)?.by.as_str())
        })
    }
}
