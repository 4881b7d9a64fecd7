//! Which dispatches a person may resolve.

use super::{Refusal, RefusalCode};
use crate::state::{Answer, Dispatch, RepositoryState};
use jiff::SignedDuration;
use stackwave_domain::{DispatchId, Timestamp, WorkflowRunId, event::Resolution};

/// A dispatch without an end for this long may be resolved although nobody has called it undecidable: whatever request
/// was made for it is over by far.
const LONG: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn check(
    state: &RepositoryState,
    id: &DispatchId,
    outcome: Resolution,
    now: Timestamp,
) -> Result<(), Refusal> {
    let refuse = |code, message: String| Err(Refusal::new(code, message));
    let Some(dispatch) = state.dispatches.get(id) else {
        return refuse(RefusalCode::UnknownDispatch, format!("the repository has no dispatch {id}"));
    };
    if let Some(run) = dispatch.workflow_run {
        return refuse(RefusalCode::Decided, format!("the dispatch {id} is the workflow run {run}"));
    }
    if let Some(pending) = dispatch.unsettled_resolution() {
        let message = format!("{} has resolved the dispatch {id} already", pending.asked.by);
        return refuse(RefusalCode::AlreadyAsked, message);
    }
    let long = now.duration_since(dispatch.sent_at()) >= LONG;
    let too_early = || {
        let minutes = LONG.as_mins();
        Refusal::new(
            RefusalCode::InFlight,
            format!(
                "GitHub is being searched for the dispatch {id}; it can be resolved once nobody can tell, or after {minutes} minutes"
            ),
        )
    };
    match (&dispatch.answer, outcome) {
        (Answer::Refused { .. }, _) => {
            refuse(RefusalCode::Decided, format!("GitHub refused the dispatch {id}: retry the stack"))
        }
        (Answer::Delayed { until, .. }, _) => refuse(
            RefusalCode::InFlight,
            format!("GitHub did not take the dispatch {id} yet; it is sent again at {until}"),
        ),
        (Answer::Accepted, Resolution::NotHappened) => refuse(
            RefusalCode::Happened,
            format!("GitHub took the dispatch {id}; say which workflow run it is"),
        ),
        (Answer::None | Answer::Unknown { .. } | Answer::Accepted, _) if !long => Err(too_early()),
        (_, Resolution::NotHappened) if dispatch.acceptance_proven => refuse(
            RefusalCode::Happened,
            format!("GitHub's webhook proves that it took the dispatch {id}; say which workflow run it is"),
        ),
        (_, Resolution::NotHappened) => Ok(()),
        (_, Resolution::Happened { workflow_run }) => check_run(state, dispatch, workflow_run),
    }
}

/// Whether a workflow run can be a dispatch's, as far as it is known: one that is not is looked up first.
pub(crate) fn check_run(
    state: &RepositoryState,
    dispatch: &Dispatch,
    workflow_run: WorkflowRunId,
) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::new(RefusalCode::OtherWorkflowRun, message));
    if let Some(owner) = state.owner_of(workflow_run) {
        let claimed = &owner.claimed;
        return refuse(format!(
            "the workflow run {workflow_run} is that of {} in {} ({})",
            claimed.key, claimed.run, claimed.dispatch
        ));
    }
    match state.workflow_runs.get(&workflow_run) {
        Some(run) if run.workflow != dispatch.claimed.workflow => refuse(format!(
            "the workflow run {workflow_run} is one of `{}`; `{}` was started",
            run.workflow, dispatch.claimed.workflow
        )),
        Some(_) | None => Ok(()),
    }
}
