//! Why a stack did or did not go, down to the root, each sentence with the records that prove it; and the evidence that
//! a dispatch happened once.

mod dispatch;
mod teller;

pub use dispatch::{Evidence, Step, StepKind, Verdict, explain_dispatch};

use crate::{
    state::{RepositoryState, Run},
    view::{self, RunView, Status},
};
use stackwave_domain::{Position, StackKey, Timestamp};
use std::{collections::BTreeSet, fmt};
use teller::Teller;

/// One sentence of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it is about.
    pub kind: Kind,
    /// The stack that it tells of; none when it is about the run.
    pub stack: Option<StackKey>,
    /// Since when that is so, as far as the log tells.
    pub since: Option<Timestamp>,
    /// The sentence, without a full stop.
    pub text: String,
    /// The record that proves it; none when it follows from what is not in the log (a rule, a missing record).
    pub position: Option<Position>,
    /// Every record that proves it, the one above first.
    pub proof: Vec<Position>,
}

/// What a cause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// How the run came to be.
    RunOpened,
    /// Why the run stopped.
    RunStopped,
    /// What a person asked of the run, and what came of it.
    Command,
    /// How a stack stands.
    Stack(Status),
}

impl Kind {
    /// The word for APIs: `run_opened`, `run_stopped`, `command`, or the stack's status with underscores (`waiting_for_approval`).
    #[must_use]
    pub fn as_str(self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::RunOpened => "run_opened".into(),
            Self::RunStopped => "run_stopped".into(),
            Self::Command => "command".into(),
            Self::Stack(status) => status.as_str().replace(' ', "_").into(),
        }
    }
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
/// such stack. `now` is for "running 4 min" only.
#[must_use]
pub fn explain(state: &RepositoryState, run: &Run, stack: usize, now: Timestamp) -> Vec<Cause> {
    explain_in(state, &view::run_view(state, run), stack, MAX_CHAIN, now)
}

/// As [`explain`], in a view that is there already and with at most so many sentences: for who asks about many stacks.
#[must_use]
pub fn explain_in(
    state: &RepositoryState,
    view: &RunView<'_>,
    stack: usize,
    limit: usize,
    now: Timestamp,
) -> Vec<Cause> {
    if stack >= view.run.stacks.len() {
        return Vec::new();
    }
    let teller = Teller { state, run: view.run, view, now };
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
pub fn explain_run(state: &RepositoryState, run: &Run, now: Timestamp) -> Vec<Cause> {
    let view = view::run_view(state, run);
    let mut trigger =
        format!("the run {} was opened for {} at {}", run.id, run.trigger, run.head_sha.short());
    if run.inferred {
        trigger.push_str(", as a look at the pull request showed");
    }
    let mut causes = vec![of_run(Kind::RunOpened, Some(run.opened.0), trigger, Some(run.opened.1))];
    let stopped = |text: String| of_run(Kind::RunStopped, run.stopped_at(), text, run.stopped);
    if let Some(reason) = &view.reason {
        causes.push(stopped(format!("it stopped: {reason}")));
    } else if run.stopped.is_some() {
        causes.push(stopped("every stack succeeded or was skipped".to_owned()));
    }
    for command in state.commands_of(&run.id) {
        causes.push(of_run(Kind::Command, Some(command.at.0), command.sentence(), Some(command.at.1)));
    }
    let teller = Teller { state, run, view: &view, now };
    let speaking = view.stacks.iter().enumerate().filter(|(_, stack)| keeps_from_end(stack.status));
    let room = MAX_CHAIN.saturating_sub(causes.len());
    causes.extend(speaking.take(room).map(|(index, _)| teller.tell(index).0));
    causes
}

/// Whether a stack with this status is itself a reason why its run has not ended.
const fn keeps_from_end(status: Status) -> bool {
    match status {
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
        Status::Blocked | Status::Waiting | Status::Stopped | Status::Succeeded | Status::Skipped => false,
    }
}

fn of_run(kind: Kind, since: Option<Timestamp>, text: String, position: Option<Position>) -> Cause {
    Cause { kind, stack: None, since, text, position, proof: position.into_iter().collect() }
}
