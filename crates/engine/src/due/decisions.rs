//! Which decisions are due in one repository.

use super::{
    Due, earlier, exclusion,
    exclusion::{Hold, Retrying},
    openings,
};
use crate::{
    config::Config,
    state::{Pull, RepositoryState, Run},
};
use jiff::SignedDuration;
use stackwave_domain::{
    Event, Timestamp,
    event::{
        RetryDropped, RunCancelled, RunClosed, RunEnded, RunOutcome, RunSuperseded, StackReleased,
        StackWithdrawn, Successor,
    },
};

/// GitHub allows re-runs for 30 days.
const REVIVABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The decisions that are due, in the order in which they are to be recorded, as one record.
///
/// `now` is the later of the local clock and the newest record's time. Deciding again from the same state and
/// configuration gives the same decisions.
#[must_use]
pub fn due_decisions(state: &RepositoryState, config: &Config, now: Timestamp) -> Due<Vec<Event>> {
    let mut due = Due { now: Vec::new(), again_at: None };
    if state.halted.is_some() {
        return due;
    }
    let active = state.active_runs();
    let mut stopped = Vec::new();
    for run in &active {
        if let Some(event) = stop(state, run) {
            due.now.push(event);
            stopped.push(&run.id);
        }
    }
    openings::open_runs(state, config, &mut due.now);
    for run in active.iter().filter(|run| !stopped.contains(&&run.id)) {
        advance(state, run, now, &mut due);
    }
    due
}

/// Whether somebody cancelled the run, or something took its place.
fn stop(state: &RepositoryState, run: &Run) -> Option<Event> {
    if let Some(asked) = &run.cancel {
        let (command, by) = (asked.command.clone(), asked.by.clone());
        return Some(RunCancelled { run: run.id.clone(), command, by }.into());
    }
    if run.trigger.event == "merge_group" {
        let reason = state.merge_groups.get(&run.head_sha)?.destroyed.as_ref()?;
        return Some(
            RunClosed { run: run.id.clone(), reason: format!("the merge group was destroyed ({reason})") }
                .into(),
        );
    }
    let pull = state.pulls.get(&run.pull_request?)?;
    if run.is_mutating() {
        return None;
    }
    if pull.merged.is_some() {
        return Some(RunSuperseded { run: run.id.clone(), by: Successor::Merge }.into());
    }
    if !pull.open {
        return Some(
            RunClosed {
                run: run.id.clone(),
                reason: "the pull request was closed without a merge".to_owned(),
            }
            .into(),
        );
    }
    let by = successor(pull, run)?;
    Some(RunSuperseded { run: run.id.clone(), by }.into())
}

/// What the pull request has moved on to.
fn successor(pull: &Pull, run: &Run) -> Option<Successor> {
    if pull.head_sha != run.head_sha {
        return Some(Successor::Push { head_sha: pull.head_sha.clone() });
    }
    if pull.others.get(&run.trigger.activity).is_some_and(|other| other.run.as_ref() == Some(&run.id)) {
        return None;
    }
    match &pull.activity {
        Some(activity) if activity.run.as_ref() == Some(&run.id) => None,
        Some(activity) => Some(Successor::Activity { activity: activity.name.clone() }),
        None => None,
    }
}

/// Releases what may go, and ends what is done.
fn advance(state: &RepositoryState, run: &Run, now: Timestamp, due: &mut Due<Vec<Event>>) {
    if run.is_done() {
        let outcome = if run.stacks.is_empty() { RunOutcome::NothingAffected } else { RunOutcome::Succeeded };
        due.now.push(RunEnded { run: run.id.clone(), outcome }.into());
        return;
    }
    let mut idle = !run.is_in_flight() && run.unclaimed().next().is_none();
    for index in run.ordered() {
        due.now.extend(ordered(state, run, index));
        idle = false;
    }
    for index in run.ready() {
        match exclusion::decide(state, run, index) {
            exclusion::Verdict::Go => due
                .now
                .push(StackReleased { run: run.id.clone(), key: run.key(index).clone(), attempt: 1 }.into()),
            exclusion::Verdict::Skip(event) => due.now.push(event.into()),
            // It waits for a re-run, like a stack below a failure.
            exclusion::Verdict::Hold(Hold::NewerMerge(_)) => continue,
            exclusion::Verdict::Hold(Hold::InFlightIn(_) | Hold::EarlierMerge(_)) => {}
        }
        idle = false;
    }
    if idle {
        let expires = last_news(state, run).checked_add(REVIVABLE_FOR).unwrap_or(Timestamp::MAX);
        if now >= expires {
            due.now.push(RunEnded { run: run.id.clone(), outcome: RunOutcome::Expired }.into());
        } else {
            due.again_at = earlier(due.again_at, Some(expires));
        }
    }
}

/// What follows from what somebody wants of a stack.
fn ordered(state: &RepositoryState, run: &Run, index: usize) -> Option<Event> {
    let (id, key, stack) = (run.id.clone(), run.key(index).clone(), &run.stacks[index]);
    if let Some(asked) = stack.cancel() {
        let (command, by) = (asked.command.clone(), asked.by.clone());
        return Some(StackWithdrawn { run: id, key, command, by }.into());
    }
    let asked = stack.retry()?;
    match exclusion::retrying(state, run, index) {
        Retrying::Go => Some(StackReleased { run: id, key, attempt: stack.attempt() + 1 }.into()),
        Retrying::Wait => None,
        Retrying::Overtaken(reason) | Retrying::Moot(reason) => {
            Some(RetryDropped { run: id, key, command: asked.command.clone(), reason }.into())
        }
    }
}

/// When something last happened in a run.
fn last_news(state: &RepositoryState, run: &Run) -> Timestamp {
    run.stacks
        .iter()
        .flat_map(|stack| &stack.calls)
        .filter_map(|call| Some(state.dispatches.get(&call.dispatch)?.heard_at))
        .max()
        .unwrap_or(run.opened.0)
}
