//! Between runs: two runs that would change the same stack go one after the other, in merge order (design §4.3).

use crate::state::{Progress, RepositoryState, Run, Stack};
use stackwave_domain::{RunId, event::StackSkipped, plan::SkipReason};
use std::collections::VecDeque;

/// Why a stack whose parents have succeeded does not go yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Another run has the stack in flight.
    InFlightIn(RunId),
    /// An earlier merge has the stack and its turn comes first.
    EarlierMerge(RunId),
    /// A newer merge had the stack already, and failed: an older commit must not go over it.
    NewerMerge(RunId),
}

impl Hold {
    /// The kind of reason in one word, for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InFlightIn(_) => "in_flight_elsewhere",
            Self::EarlierMerge(_) => "earlier_merge",
            Self::NewerMerge(_) => "newer_merge_failed",
        }
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InFlightIn(run) => write!(f, "the run {run} has this stack in flight"),
            Self::EarlierMerge(run) => write!(f, "the earlier run {run} deploys this stack first"),
            Self::NewerMerge(run) => {
                write!(f, "the newer run {run} has deployed this stack and failed; re-run it there")
            }
        }
    }
}

pub(super) enum Verdict {
    Go,
    Hold(Hold),
    Skip(StackSkipped),
}

/// The hold on a stack that is ready, for people.
#[must_use]
pub fn hold_on(state: &RepositoryState, run: &Run, index: usize) -> Option<Hold> {
    match decide(state, run, index) {
        Verdict::Hold(hold) => Some(hold),
        Verdict::Go | Verdict::Skip(_) => None,
    }
}

/// How a retry stands.
pub(crate) enum Retrying {
    /// It may go.
    Go,
    /// Something is in its way that will end.
    Wait,
    /// It must not go any more: a newer run has had the stack.
    Overtaken(String),
    /// It cannot or need not go any more.
    Moot(String),
}

/// Whether a stack that ended badly may be dispatched again.
pub(crate) fn retrying(state: &RepositoryState, run: &Run, index: usize) -> Retrying {
    let stack = &run.stacks[index];
    if stack.succeeded() {
        return Retrying::Moot("it has succeeded meanwhile".to_owned());
    }
    if state.has_attempt_in_flight(run, index) {
        return Retrying::Wait;
    }
    if stack.unmet_parents > 0 {
        return match failed_ancestor(run, index) {
            Some(above) => Retrying::Moot(format!("{} above it has not succeeded", run.key(above))),
            None => Retrying::Wait,
        };
    }
    match decide(state, run, index) {
        Verdict::Go => Retrying::Go,
        Verdict::Skip(skipped) => Retrying::Overtaken(skipped.reason.to_string()),
        Verdict::Hold(hold @ Hold::NewerMerge(_)) => Retrying::Overtaken(hold.to_string()),
        Verdict::Hold(Hold::InFlightIn(_) | Hold::EarlierMerge(_)) => Retrying::Wait,
    }
}

pub(super) fn decide(state: &RepositoryState, run: &Run, index: usize) -> Verdict {
    if !run.is_mutating() {
        return Verdict::Go;
    }
    let key = run.key(index);
    let mut newest: Option<(&Run, &Stack)> = None;
    // Once a stack has gone, no earlier merge that has not gone goes over it any more, so a retry does not wait for one.
    let has_gone = has_gone_in(run, &run.stacks[index]);
    // An older run that has stopped and has nothing in flight is of no account.
    let counts = |other: &&Run| {
        let goes_on = other.is_active() || other.is_in_flight();
        other.id != run.id && other.is_mutating() && (goes_on || other.order() > run.order())
    };
    for other in state.runs.values().filter(counts) {
        let Some(place) = other.find(key) else { continue };
        let stack = &other.stacks[place];
        if stack.in_flight() {
            return Verdict::Hold(Hold::InFlightIn(other.id.clone()));
        }
        if other.order() < run.order() {
            let given_up = has_gone && stack.progress == Progress::Waiting;
            if other.is_active() && may_still_go(other, place) && !given_up {
                return Verdict::Hold(Hold::EarlierMerge(other.id.clone()));
            }
        } else if has_gone_in(other, stack) && newest.is_none_or(|(newest, _)| newest.order() < other.order())
        {
            newest = Some((other, stack));
        }
    }
    match newest {
        None => Verdict::Go,
        Some((newer, stack)) if stack.succeeded() => Verdict::Skip(StackSkipped {
            run: run.id.clone(),
            key: key.clone(),
            reason: SkipReason::DeployedByNewerRun { run: newer.id.clone() },
        }),
        // A newer run that goes no further here has left the stack in a state that only it can mend.
        Some((newer, stack))
            if stack.failure().is_some() || !newer.is_active() || stack.withdrawn().is_some() =>
        {
            Verdict::Hold(Hold::NewerMerge(newer.id.clone()))
        }
        Some((newer, _)) => Verdict::Hold(Hold::InFlightIn(newer.id.clone())),
    }
}

/// Whether a stack was released, and not stopped before anything of it ran.
fn has_gone_in(run: &Run, stack: &Stack) -> bool {
    let ends = !run.is_active() || stack.withdrawn().is_some();
    matches!(stack.progress, Progress::Released { .. }) && !(ends && stack.never_ran())
}

/// Whether a stack of an active run waits for its turn, or was released and not sent yet.
fn may_still_go(run: &Run, index: usize) -> bool {
    let stack = &run.stacks[index];
    match &stack.progress {
        Progress::Released { .. } => {
            let goes = stack.failure().is_none() && stack.withdrawn().is_none();
            let again = stack.retry().is_some() && failed_ancestor(run, index).is_none();
            !stack.calls.is_empty() && !stack.succeeded() && (goes || again)
        }
        Progress::Waiting => stack.withdrawn().is_none() && failed_ancestor(run, index).is_none(),
        Progress::Skipped(_) | Progress::Refused(_) => false,
    }
}

/// The nearest ancestor that failed, was withdrawn or cannot run, so that a stack waits for a person and not for its turn.
pub(crate) fn failed_ancestor(run: &Run, index: usize) -> Option<usize> {
    let mut seen = vec![false; run.stacks.len()];
    let mut queue: VecDeque<usize> = run.parents(index).collect();
    while let Some(ancestor) = queue.pop_front() {
        if std::mem::replace(&mut seen[ancestor], true) {
            continue;
        }
        let stack = &run.stacks[ancestor];
        if stack.met {
            continue;
        }
        if stack.stands_still() {
            return Some(ancestor);
        }
        queue.extend(run.parents(ancestor));
    }
    None
}
