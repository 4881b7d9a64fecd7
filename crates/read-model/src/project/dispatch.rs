//! Dispatches.

use crate::{
    changes::DispatchChange,
    rows::{DispatchRow, DispatchStatus, WorkflowRunRow},
};
use stackwave_domain::{Position, StreamId, workflow::Conclusion};
use stackwave_engine::state::{Answer, Dispatch, RepositoryState, WorkflowRun};

pub(super) fn change(
    stream: StreamId,
    repository: &RepositoryState,
    dispatch: &Dispatch,
    at: Position,
) -> DispatchChange {
    DispatchChange { at, row: row(stream, repository, dispatch), stack: dispatch.stack }
}

/// A dispatch, as the state tells it.
#[must_use]
pub fn row(stream: StreamId, repository: &RepositoryState, dispatch: &Dispatch) -> DispatchRow {
    let claimed = &dispatch.claimed;
    let run = dispatch.workflow_run.and_then(|run| repository.workflow_runs.get(&run));
    let (status, reason) = standing(dispatch, run);
    DispatchRow {
        id: claimed.dispatch.clone(),
        run: claimed.run.clone(),
        repository: repository.id,
        key: claimed.key.clone(),
        attempt: claimed.attempt,
        epoch: dispatch.epoch.0,
        workflow: claimed.workflow.clone(),
        status,
        reason,
        workflow_run: dispatch.workflow_run.map(|id| WorkflowRunRow {
            id,
            workflow: claimed.workflow.clone(),
            attempt: run.map_or(1, |run| run.attempt),
            html_url: run
                .map(|run| run.html_url.clone())
                .filter(|url| !url.is_empty())
                .or_else(|| dispatch.html_url.clone()),
        }),
        claimed_at: dispatch.at.0,
        stream,
        claim: dispatch.at.1,
    }
}

fn standing(dispatch: &Dispatch, run: Option<&WorkflowRun>) -> (DispatchStatus, Option<String>) {
    if let Some(run) = run {
        return match &run.conclusion {
            Some(Conclusion::Success) => (DispatchStatus::Concluded, None),
            Some(conclusion) => (DispatchStatus::Concluded, Some(conclusion.to_string())),
            None => (DispatchStatus::Accepted, None),
        };
    }
    match &dispatch.answer {
        Answer::None => (DispatchStatus::Sending, None),
        Answer::Unknown { error } => (DispatchStatus::Unknown, Some(error.clone())),
        Answer::Delayed { until, reason } => {
            (DispatchStatus::Delayed, Some(format!("{reason}; sent again at {until}")))
        }
        Answer::Accepted => (DispatchStatus::Accepted, None),
        Answer::Refused { status: 0, message, .. } => (DispatchStatus::Refused, Some(message.clone())),
        Answer::Refused { status, reason, message } => {
            let words = format!("GitHub answered {status} ({}): {message}", reason.code());
            (DispatchStatus::Refused, Some(words))
        }
        Answer::Undecidable { reason, .. } => (DispatchStatus::Undecidable, Some(reason.clone())),
    }
}
