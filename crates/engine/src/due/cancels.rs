//! Which workflow runs GitHub has to be asked to cancel.

use crate::{
    command::may_be_cancelled,
    state::{Dispatch, RepositoryState},
};
use stackwave_domain::{CommandId, DispatchId, WorkflowRunId};

/// A workflow run to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueCancel {
    /// Whose workflow run.
    pub dispatch: DispatchId,
    /// Which one.
    pub workflow_run: WorkflowRunId,
    /// GitHub's attempt, as far as is known.
    pub attempt: u32,
    /// The person's command; none when the run was superseded or closed.
    pub command: Option<CommandId>,
    /// The log says already that GitHub is about to be asked: perhaps it was.
    pub asked: bool,
    /// It may have started meanwhile and must not be cancelled then, or have been re-run: look at it first, and ask
    /// again whether it is still due.
    pub look_first: bool,
}

/// The workflow runs that are to be cancelled and that GitHub has given no answer for, oldest claim first.
#[must_use]
pub fn due_cancels(state: &RepositoryState) -> Vec<DueCancel> {
    if state.halted.is_some() {
        return Vec::new();
    }
    let mut due: Vec<_> = state
        .in_flight()
        .filter_map(|dispatch| Some((dispatch.at.1, due_cancel(state, dispatch)?)))
        .collect();
    due.sort_by(|a, b| (a.0, &a.1.dispatch).cmp(&(b.0, &b.1.dispatch)));
    due.into_iter().map(|(_, due)| due).collect()
}

fn due_cancel(state: &RepositoryState, dispatch: &Dispatch) -> Option<DueCancel> {
    let cancel = dispatch.cancel.as_ref().filter(|cancel| cancel.answer.is_none())?;
    let known = state.workflow_runs.get(&dispatch.workflow_run?)?;
    let mutating = state.runs.get(dispatch.run())?.is_mutating();
    let may = may_be_cancelled(&state.stage_of(dispatch), mutating, cancel.command.is_some(), cancel.force);
    (may && known.attempt <= cancel.attempt).then(|| DueCancel {
        dispatch: dispatch.claimed.dispatch.clone(),
        workflow_run: known.id,
        attempt: known.attempt,
        command: cancel.command.clone(),
        asked: cancel.asked.is_some(),
        look_first: cancel.asked.is_some() || (mutating && !cancel.force),
    })
}
