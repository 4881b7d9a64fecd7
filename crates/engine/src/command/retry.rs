//! Which stacks can be retried.

use super::{Refusal, RefusalCode, known_stack};
use crate::{
    due::{Retrying, failed_ancestor, retrying},
    state::{Progress, RepositoryState, Run, Stage},
};
use stackwave_domain::StackKey;

/// The stacks that a retry is for, by their index in the plan: at least one.
pub(crate) fn targets(
    state: &RepositoryState,
    run: &Run,
    key: Option<&StackKey>,
) -> Result<Vec<usize>, Refusal> {
    if !run.is_active() {
        let message = format!(
            "the run {} dispatches nothing any more: {}",
            run.id,
            crate::view::stop_words(run).unwrap_or_else(|| "it has ended".to_owned())
        );
        return Err(Refusal::new(RefusalCode::RunStopped, message));
    }
    if let Some(asked) = &run.cancel {
        let message = format!("the run {} is being cancelled by {}", run.id, asked.by);
        return Err(Refusal::new(RefusalCode::RunStopped, message));
    }
    if let Some(key) = key {
        let index = known_stack(run, key)?;
        may_be_retried(state, run, index)?;
        if let Some(above) = failed_ancestor(run, index) {
            let message =
                format!("{key} is below {}, which has not succeeded: retry that first", run.key(above));
            return Err(Refusal::new(RefusalCode::ParentFailed, message));
        }
        return Ok(vec![index]);
    }
    let mut refused = None;
    let mut indices = Vec::new();
    for index in 0..run.stacks.len() {
        match may_be_retried(state, run, index) {
            Ok(()) => indices.push(index),
            // What failed and cannot be retried says more than what did not fail.
            Err(refusal) if run.stacks[index].failure().is_some() => {
                refused.get_or_insert(refusal);
            }
            Err(_) => {}
        }
    }
    if !indices.is_empty() {
        return Ok(indices);
    }
    let nothing =
        || Refusal::new(RefusalCode::NothingFailed, format!("nothing in the run {} failed", run.id));
    Err(refused.unwrap_or_else(nothing))
}

fn may_be_retried(state: &RepositoryState, run: &Run, index: usize) -> Result<(), Refusal> {
    let (key, stack) = (run.key(index), &run.stacks[index]);
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    if let Some(asked) = stack.retry() {
        return refuse(RefusalCode::AlreadyAsked, format!("{} has asked to retry {key} already", asked.by));
    }
    if let Some(asked) = stack.cancel() {
        return refuse(RefusalCode::InFlight, format!("{key} is being cancelled by {}", asked.by));
    }
    match &stack.progress {
        Progress::Skipped(reason) => {
            return refuse(RefusalCode::DoesNotRun, format!("{key} does not run in this run: {reason}"));
        }
        Progress::Refused(reason) => {
            return refuse(RefusalCode::DoesNotRun, format!("{key} cannot run: {reason}"));
        }
        Progress::Waiting if stack.withdrawn().is_some() => return Ok(()),
        Progress::Waiting => {
            let message =
                format!("{key} was not dispatched yet: it goes by itself once those above it succeeded");
            return refuse(RefusalCode::NotDispatched, message);
        }
        Progress::Released { .. } => {}
    }
    if stack.succeeded() {
        return refuse(RefusalCode::Succeeded, format!("{key} has succeeded"));
    }
    if stack.calls.iter().any(|call| call.stage == Stage::Undecidable) {
        let message = format!("nobody can tell whether {key} was dispatched: resolve its dispatch first");
        return refuse(RefusalCode::Undecidable, message);
    }
    let to_be_sent =
        stack.calls.iter().any(|call| call.stage == Stage::Unclaimed) && stack.withdrawn().is_none();
    if stack.in_flight() || to_be_sent || state.has_attempt_in_flight(run, index) {
        let message = format!("{key} is under way: it can be retried once it has ended");
        return refuse(RefusalCode::InFlight, message);
    }
    match retrying(state, run, index) {
        Retrying::Overtaken(message) => refuse(RefusalCode::NewerRun, format!("{key}: {message}")),
        Retrying::Go | Retrying::Wait | Retrying::Moot(_) => Ok(()),
    }
}
