//! What people asked for, in the words of a run's view.

use super::{ABOUT_TO_GO, Status, waits_for};
use crate::{
    command::{Asked, may_be_cancelled},
    due::hold_on,
    state::{Dispatch, RepositoryState, Run, Stack, Stage},
};
use stackwave_domain::{event::CancelAnswer, workflow::Conclusion};

pub(super) fn cancelled(asked: &Asked) -> String {
    format!("cancelled by {}", asked.words())
}

/// `attempt 2, asked for by alice: the quota was raised`; none for an attempt that nobody asked for.
pub(crate) fn attempt_words(stack: &Stack) -> Option<String> {
    stack.retried().map(|asked| format!("attempt {}, asked for by {}", stack.attempt(), asked.words()))
}

/// A stack that somebody wants to be dispatched again.
pub(super) fn to_be_retried(
    state: &RepositoryState,
    run: &Run,
    index: usize,
    asked: &Asked,
) -> (Status, Option<String>) {
    let words = format!("attempt {}, asked for by {}", run.stacks[index].attempt() + 1, asked.words());
    let (status, why) = if run.stacks[index].unmet_parents > 0 {
        (Status::Waiting, waits_for(run, index))
    } else {
        match hold_on(state, run, index) {
            Some(hold) => (Status::Held, Some(hold.to_string())),
            None => (Status::Released, Some(ABOUT_TO_GO.to_owned())),
        }
    };
    (status, Some(why.map_or_else(|| words.clone(), |why| format!("{why} ({words})"))))
}

/// What is said of a workflow run that GitHub was, or will be, asked to cancel.
pub(super) fn cancel_words(state: &RepositoryState, dispatch: &Dispatch) -> Option<String> {
    let cancel = dispatch.cancel.as_ref()?;
    let by = cancel.command.as_ref().map(|id| state.command(id).map_or("somebody", |command| &command.by));
    let why = by.map_or_else(|| "since its run stopped".to_owned(), |by| format!("for {by}"));
    let stage = state.stage_of(dispatch);
    match (&cancel.answer, &stage) {
        (_, Stage::Concluded(Conclusion::Cancelled)) => Some(match by {
            Some(by) => format!("its workflow run was cancelled by {by}"),
            None => "its workflow run was cancelled, since its run stopped before it started".to_owned(),
        }),
        (Some((CancelAnswer::Accepted, _)), stage) if stage.is_unsettled() => {
            Some(format!("GitHub is cancelling it, {why}"))
        }
        (Some((CancelAnswer::Refused { status, message }, _)), stage) if stage.is_unsettled() => {
            Some(format!("GitHub would not cancel it, {why}: it answered {status}: {message}"))
        }
        (Some(_), _) => None,
        (None, stage) => {
            let mutating = state.runs.get(dispatch.run()).is_some_and(Run::is_mutating);
            let due = may_be_cancelled(stage, mutating, by.is_some(), cancel.force);
            due.then(|| format!("GitHub is being asked to cancel it, {why}"))
        }
    }
}
