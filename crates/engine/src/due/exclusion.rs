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
pub(crate) fn hold_on(state: &RepositoryState, run: &Run, index: usize) -> Option<Hold> {
    match decide(state, run, index) {
        Verdict::Hold(hold) => Some(hold),
        Verdict::Go | Verdict::Skip(_) => None,
    }
}

pub(super) fn decide(state: &RepositoryState, run: &Run, index: usize) -> Verdict {
    if !run.is_mutating() {
        return Verdict::Go;
    }
    let key = run.key(index);
    let mut newest: Option<(&Run, &Stack)> = None;
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
            if other.is_active() && may_still_go(other, place) {
                return Verdict::Hold(Hold::EarlierMerge(other.id.clone()));
            }
        } else if matches!(stack.progress, Progress::Released { .. })
            && newest.is_none_or(|(newest, _)| newest.order() < other.order())
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
        Some((newer, stack)) if stack.failure().is_some() => {
            Verdict::Hold(Hold::NewerMerge(newer.id.clone()))
        }
        Some((newer, _)) => Verdict::Hold(Hold::InFlightIn(newer.id.clone())),
    }
}

/// Whether a stack of an active run waits for its turn, or was released and not sent yet.
fn may_still_go(run: &Run, index: usize) -> bool {
    let stack = &run.stacks[index];
    match &stack.progress {
        Progress::Released { .. } => {
            !stack.calls.is_empty() && stack.failure().is_none() && !stack.succeeded()
        }
        Progress::Waiting => !is_below_failure(run, index),
        Progress::Skipped(_) | Progress::Refused(_) => false,
    }
}

/// Whether an ancestor of a stack failed or cannot run, so that the stack waits for a re-run and not for its turn.
pub(crate) fn is_below_failure(run: &Run, index: usize) -> bool {
    failed_ancestor(run, index).is_some()
}

/// The nearest ancestor that failed or cannot run.
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
        if stack.failure().is_some() || matches!(stack.progress, Progress::Refused(_)) {
            return Some(ancestor);
        }
        queue.extend(run.parents(ancestor));
    }
    None
}
