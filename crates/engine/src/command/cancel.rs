//! What can be cancelled.

use super::{Refusal, RefusalCode, known_stack};
use crate::state::{Dispatch, Progress, RepositoryState, Run, Stage};
use stackwave_domain::StackKey;

/// Whether a workflow run that is so far may be cancelled: what has not started always, a running plan by a person, a
/// running apply only by a person with force (design §4.3).
pub(crate) fn may_be_cancelled(stage: &Stage, mutating: bool, by_person: bool, force: bool) -> bool {
    match stage {
        Stage::Queued | Stage::AwaitingApproval => true,
        Stage::Running | Stage::Accepted => by_person && (force || !mutating),
        Stage::Unclaimed | Stage::Dispatching | Stage::Concluded(_) | Stage::Refused | Stage::Undecidable => {
            false
        }
    }
}

/// Whether a cancellation would change anything for a dispatch that is under way.
pub(crate) fn newly_cancelled(
    state: &RepositoryState,
    dispatch: &Dispatch,
    mutating: bool,
    force: bool,
) -> bool {
    let more =
        dispatch.cancel.as_ref().is_none_or(|known| known.command.is_none() || (force && !known.force));
    let stage = state.stage_of(dispatch);
    let open = matches!(stage, Stage::Dispatching | Stage::Accepted);
    more && (open || may_be_cancelled(&stage, mutating, true, force))
}

pub(super) fn check(
    state: &RepositoryState,
    run: &Run,
    key: Option<&StackKey>,
    force: bool,
) -> Result<(), Refusal> {
    let index = key.map(|key| known_stack(run, key)).transpose()?;
    let under_way = || state.under_way(run, index);
    let changes = under_way().any(|dispatch| newly_cancelled(state, dispatch, run.is_mutating(), force));
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    let what = || key.map_or_else(|| format!("the run {}", run.id), |key| format!("{key} in {}", run.id));
    if !run.is_active() {
        if changes {
            return Ok(());
        }
        if run.is_mutating() && !force && under_way().next().is_some() {
            return refuse(RefusalCode::NeedsForce, needs_force(&what()));
        }
        let message = format!("the run {} has stopped, and nothing of it can be cancelled at GitHub", run.id);
        return refuse(RefusalCode::NothingToCancel, message);
    }
    let asked = run.cancel.as_ref().or_else(|| index.and_then(|index| run.stacks[index].cancel()));
    if let Some(asked) = asked
        && !changes
    {
        return refuse(RefusalCode::AlreadyAsked, format!("{} has cancelled {} already", asked.by, what()));
    }
    index.map_or(Ok(()), |index| check_stack(run, index, changes, force))
}

fn check_stack(run: &Run, index: usize, changes: bool, force: bool) -> Result<(), Refusal> {
    let (key, stack) = (run.key(index), &run.stacks[index]);
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    match &stack.progress {
        Progress::Skipped(reason) => {
            return refuse(RefusalCode::DoesNotRun, format!("{key} does not run in this run: {reason}"));
        }
        Progress::Refused(reason) => {
            return refuse(RefusalCode::DoesNotRun, format!("{key} cannot run: {reason}"));
        }
        Progress::Waiting | Progress::Released { .. } => {}
    }
    if stack.calls.iter().any(|call| call.stage == Stage::Undecidable) {
        let message = format!("nobody can tell whether {key} was dispatched: resolve its dispatch first");
        return refuse(RefusalCode::Undecidable, message);
    }
    if let Some(asked) = stack.withdrawn()
        && !changes
        && stack.retry().is_none()
    {
        return refuse(RefusalCode::AlreadyAsked, format!("{} has cancelled {key} already", asked.by));
    }
    let to_be_sent = stack.calls.iter().any(|call| call.stage == Stage::Unclaimed);
    if stack.in_flight() && !changes && !to_be_sent {
        return if run.is_mutating() && !force {
            refuse(RefusalCode::NeedsForce, needs_force(&key.to_string()))
        } else {
            refuse(RefusalCode::AlreadyAsked, format!("{key} is being cancelled already"))
        };
    }
    let ended = matches!(stack.progress, Progress::Released { .. }) && !stack.in_flight() && !to_be_sent;
    if ended && stack.retry().is_none() {
        return refuse(RefusalCode::Ended, format!("{key} has ended"));
    }
    Ok(())
}

fn needs_force(what: &str) -> String {
    format!(
        "{what} is being applied; a running apply is cancelled only with force, and may leave things half done"
    )
}
