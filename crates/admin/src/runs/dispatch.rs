//! A dispatch as the API tells it.

use crate::{context::Context, convert, time::timestamp};
use stackwave_admin_proto::v1;
use stackwave_domain::StreamId;
use stackwave_engine::state::{Answer, Dispatch, RepositoryState, Stage};

pub(super) fn message(
    context: &Context,
    stream: StreamId,
    repository: &RepositoryState,
    dispatch: &Dispatch,
) -> v1::Dispatch {
    let claimed = &dispatch.claimed;
    let (status, reason) = status(repository, dispatch);
    v1::Dispatch {
        id: claimed.dispatch.to_string(),
        run_id: claimed.run.to_string(),
        repository: Some(v1::Repository { id: repository.id.0, name: context.name_of(repository.id) }),
        key: Some(convert::key(&claimed.key)),
        attempt: claimed.attempt,
        epoch: dispatch.epoch.0,
        workflow: claimed.workflow.to_string(),
        status: status.into(),
        reason,
        workflow_run: workflow_run(repository, dispatch),
        claimed_at: Some(timestamp(dispatch.at.0)),
        claim: Some(convert::record(stream, dispatch.at.1)),
    }
}

fn status(repository: &RepositoryState, dispatch: &Dispatch) -> (v1::DispatchStatus, String) {
    match &dispatch.answer {
        Answer::None => (v1::DispatchStatus::Sending, String::new()),
        Answer::Unknown { error } => (v1::DispatchStatus::Unknown, error.clone()),
        Answer::Delayed { reason, .. } => (v1::DispatchStatus::Delayed, reason.clone()),
        Answer::Refused { message, .. } => (v1::DispatchStatus::Refused, message.clone()),
        Answer::Undecidable { reason, .. } => (v1::DispatchStatus::Undecidable, reason.clone()),
        Answer::Accepted => match concluded(repository, dispatch) {
            true => (v1::DispatchStatus::Concluded, String::new()),
            false => (v1::DispatchStatus::Accepted, String::new()),
        },
    }
}

fn concluded(repository: &RepositoryState, dispatch: &Dispatch) -> bool {
    let of_run = dispatch.workflow_run.and_then(|run| repository.workflow_runs.get(&run));
    let by_run = of_run.is_some_and(|run| run.conclusion.is_some());
    // A workflow run may be forgotten before its run's stage is.
    let stack = repository.runs.get(dispatch.run()).and_then(|run| run.stacks.get(dispatch.stack));
    let call = stack.and_then(|stack| stack.calls.get(dispatch.call));
    let newest = stack.is_some_and(|stack| stack.attempt() == dispatch.claimed.attempt);
    by_run || (newest && call.is_some_and(|call| matches!(call.stage, Stage::Concluded(_))))
}

fn workflow_run(repository: &RepositoryState, dispatch: &Dispatch) -> Option<v1::WorkflowRun> {
    let id = dispatch.workflow_run?;
    let known = repository.workflow_runs.get(&id);
    let told = known.map(|run| run.html_url.clone()).filter(|url| !url.is_empty());
    Some(v1::WorkflowRun {
        id: id.0,
        workflow: dispatch.claimed.workflow.to_string(),
        attempt: known.map_or(1, |run| run.attempt),
        html_url: told.or_else(|| dispatch.html_url.clone()).unwrap_or_default(),
    })
}
