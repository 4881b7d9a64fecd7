//! Why a stack did or did not go, down to the root, each sentence with the record that proves it.

use crate::{
    due::hold_on,
    state::{Progress, RepositoryState, Run, Stage},
    view::{self, RunView, Status},
};
use stackwave_domain::Position;
use std::{collections::BTreeSet, fmt};

/// One sentence of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The sentence, without a full stop.
    pub text: String,
    /// The record that proves it; none when it follows from what is not in the log (a rule, a missing record).
    pub position: Option<Position>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "{} (at {position})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// A chain is cut after so many stacks; a graph may have thousands.
const MAX_CHAIN: usize = 100;

/// Why a stack stands as it does: first itself, then what it waits for, down to the root. Empty when the run has no
/// such stack.
#[must_use]
pub fn explain(state: &RepositoryState, run: &Run, stack: usize) -> Vec<Cause> {
    explain_in(state, &view::run_view(state, run), stack, MAX_CHAIN)
}

/// As [`explain`], in a view that is there already and with at most so many sentences: for who asks about many stacks.
#[must_use]
pub fn explain_in(state: &RepositoryState, view: &RunView<'_>, stack: usize, limit: usize) -> Vec<Cause> {
    let run = view.run;
    if stack >= run.stacks.len() {
        return Vec::new();
    }
    let teller = Teller { state, run, view };
    let mut causes = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![stack];
    while let Some(stack) = open.pop() {
        if causes.len() >= limit {
            break;
        }
        if !seen.insert(stack) {
            continue;
        }
        let (cause, next) = teller.tell(stack);
        causes.push(cause);
        open.extend(next.into_iter().rev());
    }
    causes
}

/// Why a run stands as it does: how it came to be, why it stopped, and each stack that keeps it from its end.
#[must_use]
pub fn explain_run(state: &RepositoryState, run: &Run) -> Vec<Cause> {
    let view = view::run_view(state, run);
    let mut trigger =
        format!("the run {} was opened for {} at {}", run.id, run.trigger, run.head_sha.short());
    if run.inferred {
        trigger.push_str(", as a look at the pull request showed");
    }
    let mut causes = vec![Cause { text: trigger, position: Some(run.opened.1) }];
    if let Some(reason) = &view.reason {
        causes.push(Cause { text: format!("it stopped: {reason}"), position: run.stopped });
    } else if let Some(stopped) = run.stopped {
        causes
            .push(Cause { text: "every stack succeeded or was skipped".to_owned(), position: Some(stopped) });
    }
    let teller = Teller { state, run, view: &view };
    for (index, stack) in view.stacks.iter().enumerate() {
        let speaks = match stack.status {
            Status::Failed
            | Status::Cancelled
            | Status::DispatchRefused
            | Status::CannotRun
            | Status::Undecidable
            | Status::AwaitingApproval
            | Status::Running
            | Status::Queued
            | Status::Dispatching
            | Status::Released
            | Status::Held => true,
            Status::Blocked | Status::Waiting | Status::Stopped | Status::Succeeded | Status::Skipped => {
                false
            }
        };
        if speaks && causes.len() < MAX_CHAIN {
            causes.push(teller.tell(index).0);
        }
    }
    causes
}

struct Teller<'a> {
    state: &'a RepositoryState,
    run: &'a Run,
    view: &'a RunView<'a>,
}

impl Teller<'_> {
    /// What is to be said of one stack, and the stacks that it is because of.
    fn tell(&self, index: usize) -> (Cause, Vec<usize>) {
        let stack = &self.run.stacks[index];
        let key = self.run.key(index);
        match &stack.progress {
            Progress::Skipped(reason) => {
                let position = stack.decided.or(Some(self.run.opened.1));
                (Cause { text: format!("{key} is skipped: {reason}"), position }, self.above(index, false))
            }
            Progress::Refused(reason) => (
                Cause { text: format!("{key} cannot run: {reason}"), position: Some(self.run.opened.1) },
                Vec::new(),
            ),
            Progress::Waiting => self.tell_waiting(index),
            Progress::Released { .. } => (self.tell_released(index), Vec::new()),
        }
    }

    fn tell_waiting(&self, index: usize) -> (Cause, Vec<usize>) {
        let key = self.run.key(index);
        let view = &self.view.stacks[index];
        let reason = view.reason.clone().unwrap_or_default();
        match view.status {
            Status::Stopped => (
                Cause { text: format!("{key} does not go: {reason}"), position: self.run.stopped },
                Vec::new(),
            ),
            Status::Blocked => (
                Cause { text: format!("{key} is blocked: {reason}"), position: None },
                self.above(index, true),
            ),
            Status::Held => {
                let text = match hold_on(self.state, self.run, index) {
                    Some(hold) => format!("{key} is held: {hold}"),
                    None => format!("{key} is held"),
                };
                (Cause { text, position: None }, Vec::new())
            }
            Status::Waiting => {
                (Cause { text: format!("{key} {reason}"), position: None }, self.above(index, false))
            }
            // The view gives no other status to a stack that waits.
            Status::Released
            | Status::Failed
            | Status::Cancelled
            | Status::DispatchRefused
            | Status::CannotRun
            | Status::Undecidable
            | Status::AwaitingApproval
            | Status::Running
            | Status::Queued
            | Status::Dispatching
            | Status::Succeeded
            | Status::Skipped => (
                Cause { text: format!("{key} may go: its parents have succeeded"), position: None },
                Vec::new(),
            ),
        }
    }

    /// The parents that keep a stack from going; of a blocked one, those on the way to a failure.
    fn above(&self, index: usize, blocked: bool) -> Vec<usize> {
        let unmet = self.run.parents(index).filter(|parent| !self.run.stacks[*parent].met);
        let leads_to_failure = |parent: &usize| {
            let status = self.view.stacks[*parent].status;
            let passes = status == Status::Skipped || status == Status::Blocked;
            passes || self.run.stacks[*parent].failure().is_some() || status == Status::CannotRun
        };
        unmet.filter(|parent| !blocked || leads_to_failure(parent)).collect()
    }

    fn tell_released(&self, index: usize) -> Cause {
        let key = self.run.key(index);
        let view = &self.view.stacks[index];
        let position = Some(self.state.told(self.run, index));
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
        let text = match view.status {
            Status::Failed => match self.run.stacks[index].failure() {
                Some(Stage::Concluded(conclusion)) => {
                    format!("{key} {}{in_runs}", view::conclusion_words(conclusion))
                }
                _ => format!("{key} failed{in_runs}"),
            },
            Status::Cancelled => format!("{key} was cancelled{in_runs}"),
            Status::DispatchRefused => format!("{key} was refused{because}"),
            Status::Undecidable => format!("{key} is undecidable{because}"),
            Status::AwaitingApproval => format!("{key} waits for an approval at GitHub{in_runs}"),
            Status::Running => format!("{key} runs{in_runs}"),
            Status::Queued => format!("{key} is queued{in_runs}{because}"),
            Status::Dispatching => format!("{key} is being dispatched{because}"),
            Status::Stopped => format!("{key} does not go{because}"),
            Status::Succeeded => format!("{key} succeeded{in_runs}"),
            Status::Released
            | Status::Held
            | Status::Waiting
            | Status::Blocked
            | Status::CannotRun
            | Status::Skipped => format!("{key} is released and about to be dispatched"),
        };
        Cause { text, position }
    }
}
