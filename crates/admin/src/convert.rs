//! From the engine's view to the API's messages. Names of repositories are filled in by the caller, who has them.

use crate::time::{duration, timestamp};
use stackwave_admin_proto::v1::{
    Cause, Forecast, GetRunResponse, LogPosition, Repository, Run, RunStack, RunStatus, StackCount, StackKey,
    StackStatus, Trigger, WorkflowRun,
};
use stackwave_domain::{Position, StackKey as Key, StreamId, Timestamp};
use stackwave_engine::{
    explain::{self, Kind, explain_in},
    forecast::{self, forecast},
    state::RepositoryState,
    view::{RunPhase, RunView, StackView, Status, WorkflowRunView},
};

/// Sentences for one stack, and for all of a run: it may have thousands, and clients take 4 MiB unless told otherwise.
const MAX_CAUSES: usize = 20;
const MAX_CAUSES_OF_RUN: usize = 12_000;

/// A run with its stacks, out of this stream, as it is `now`.
pub(crate) fn details(
    stream: StreamId,
    repository: &RepositoryState,
    view: &RunView<'_>,
    now: Timestamp,
) -> GetRunResponse {
    let limit = causes_each(view.stacks.len());
    let stacks = (0..view.stacks.len()).map(|index| {
        let causes = causes(stream, repository, view, index, limit, now);
        stack(&view.stacks[index], &view.stacks, causes)
    });
    let expected = forecast(repository, view.run, now);
    GetRunResponse {
        run: Some(run(repository, view)),
        stacks: stacks.collect(),
        warnings: view.run.plan.warnings.clone(),
        forecast: expected.map(|expected| expectation(view, &expected, now)),
        as_of: None,
    }
}

/// How many sentences each of so many stacks gets.
fn causes_each(stacks: usize) -> usize {
    (MAX_CAUSES_OF_RUN / stacks.max(1)).clamp(1, MAX_CAUSES)
}

fn expectation(view: &RunView<'_>, expected: &forecast::Forecast, now: Timestamp) -> Forecast {
    let left = view.run.plan.stacks.iter().zip(&view.stacks).filter(|(_, stack)| to_be_started(stack.status));
    let path = expected.critical_path.iter().filter_map(|index| view.stacks.get(*index));
    Forecast {
        dispatches_left: number(left.map(|(planned, _)| calls(planned)).sum()),
        critical_path: path.map(|stack| key(&stack.key)).collect(),
        remaining: expected.left(now).map(duration),
        expected_finish: expected.finish.map(timestamp),
        stacks_with_history: number(expected.rests_on.stack),
        stacks_left: number(expected.open),
    }
}

/// Whether a stack's workflows have still to be started.
const fn to_be_started(status: Status) -> bool {
    match status {
        Status::Waiting | Status::Held | Status::Released | Status::Dispatching | Status::Blocked => true,
        Status::Failed
        | Status::Cancelled
        | Status::DispatchRefused
        | Status::CannotRun
        | Status::Undecidable
        | Status::AwaitingApproval
        | Status::Running
        | Status::Queued
        | Status::Stopped
        | Status::Succeeded
        | Status::Skipped => false,
    }
}

fn calls(planned: &stackwave_domain::plan::PlannedStack) -> usize {
    match &planned.verdict {
        stackwave_domain::plan::Verdict::Dispatch(calls) => calls.len(),
        _ => 0,
    }
}

/// A run without its stacks.
pub(crate) fn run(repository: &RepositoryState, view: &RunView<'_>) -> Run {
    let run = view.run;
    let pull = run.pull_request.and_then(|number| repository.pulls.get(&number));
    let head_ref = pull.and_then(|pull| pull.head_ref.as_ref());
    Run {
        id: run.id.to_string(),
        workspace: run.workspace.to_string(),
        repository: Some(Repository { id: repository.id.0, name: String::new() }),
        trigger: Some(Trigger {
            event: run.trigger.event.clone(),
            activity: run.trigger.activity.clone(),
            inferred: run.inferred,
        }),
        pull_request: run.pull_request.map(|number| number.0),
        head_sha: run.head_sha.to_string(),
        sha: run.sha.to_string(),
        git_ref: run.git_ref.to_string(),
        generation: run.generation,
        mutating: run.is_mutating(),
        status: phase(view.status).into(),
        reason: view.reason.clone().unwrap_or_default(),
        opened_at: Some(timestamp(run.opened.0)),
        stopped_at: run.stopped_at().map(timestamp),
        totals: view
            .totals
            .iter()
            .map(|(status, count)| StackCount { status: stack_status(*status).into(), count: number(*count) })
            .collect(),
        head_ref: head_ref.map(ToString::to_string).unwrap_or_default(),
    }
}

fn stack(view: &StackView, all: &[StackView], causes: Vec<Cause>) -> RunStack {
    RunStack {
        key: Some(key(&view.key)),
        directly_affected: view.directly_affected,
        status: stack_status(view.status).into(),
        reason: view.reason.clone().unwrap_or_default(),
        // The engine counts from 0, people from 1.
        wave: view.wave.map(|wave| wave + 1),
        parents: view.parents.iter().filter_map(|parent| Some(key(&all.get(*parent)?.key))).collect(),
        workflow_runs: view.workflow_runs.iter().map(workflow_run).collect(),
        causes,
    }
}

/// Why a stack stands as it does; nothing for one that succeeded.
fn causes(
    stream: StreamId,
    repository: &RepositoryState,
    view: &RunView<'_>,
    index: usize,
    limit: usize,
    now: Timestamp,
) -> Vec<Cause> {
    if view.stacks[index].status == Status::Succeeded {
        return Vec::new();
    }
    explain_in(repository, view, index, limit, now).into_iter().map(|told| cause(stream, told)).collect()
}

/// One sentence of an explanation.
pub(crate) fn cause(stream: StreamId, told: explain::Cause) -> Cause {
    let status = match told.kind {
        Kind::Stack(status) => stack_status(status),
        Kind::RunOpened | Kind::RunStopped | Kind::Command => StackStatus::Unspecified,
    };
    Cause {
        text: told.text,
        record: told.position.map(|position| record(stream, position)),
        key: told.stack.as_ref().map(key),
        status: status.into(),
        since: told.since.map(timestamp),
    }
}

/// The place of a record.
pub(crate) fn record(stream: StreamId, position: Position) -> LogPosition {
    LogPosition { stream: stream.name(), position: position.0 }
}

fn workflow_run(view: &WorkflowRunView) -> WorkflowRun {
    WorkflowRun {
        id: view.id.0,
        workflow: view.workflow.clone(),
        attempt: view.attempt,
        html_url: view.html_url.clone().unwrap_or_default(),
    }
}

/// A stack's name.
pub(crate) fn key(key: &Key) -> StackKey {
    StackKey { component: key.component.to_string(), stack: key.stack.to_string() }
}

/// A number of things, as the API counts.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How a run stands.
pub(crate) const fn phase(phase: RunPhase) -> RunStatus {
    match phase {
        RunPhase::Running => RunStatus::Running,
        RunPhase::Failed => RunStatus::Failed,
        RunPhase::Succeeded => RunStatus::Succeeded,
        RunPhase::NothingAffected => RunStatus::NothingAffected,
        RunPhase::Superseded => RunStatus::Superseded,
        RunPhase::Closed => RunStatus::Closed,
        RunPhase::Cancelled => RunStatus::Cancelled,
    }
}

/// How a stack stands.
pub(crate) const fn stack_status(status: Status) -> StackStatus {
    match status {
        Status::Failed => StackStatus::Failed,
        Status::Cancelled => StackStatus::Cancelled,
        Status::DispatchRefused => StackStatus::DispatchRefused,
        Status::CannotRun => StackStatus::CannotRun,
        Status::Undecidable => StackStatus::Undecidable,
        Status::Blocked => StackStatus::Blocked,
        Status::AwaitingApproval => StackStatus::AwaitingApproval,
        Status::Running => StackStatus::Running,
        Status::Queued => StackStatus::Queued,
        Status::Dispatching => StackStatus::Dispatching,
        Status::Released => StackStatus::Released,
        Status::Held => StackStatus::Held,
        Status::Waiting => StackStatus::Waiting,
        Status::Stopped => StackStatus::Stopped,
        Status::Succeeded => StackStatus::Succeeded,
        Status::Skipped => StackStatus::Skipped,
    }
}

/// How a run has to stand, as a filter says.
pub(crate) const fn run_phase(status: RunStatus) -> Option<RunPhase> {
    match status {
        RunStatus::Unspecified => None,
        RunStatus::Running => Some(RunPhase::Running),
        RunStatus::Failed => Some(RunPhase::Failed),
        RunStatus::Succeeded => Some(RunPhase::Succeeded),
        RunStatus::NothingAffected => Some(RunPhase::NothingAffected),
        RunStatus::Superseded => Some(RunPhase::Superseded),
        RunStatus::Closed => Some(RunPhase::Closed),
        RunStatus::Cancelled => Some(RunPhase::Cancelled),
    }
}

/// How a stack has to stand, as a filter says.
pub(crate) const fn status_of_stack(status: StackStatus) -> Option<Status> {
    match status {
        StackStatus::Unspecified => None,
        StackStatus::Failed => Some(Status::Failed),
        StackStatus::Cancelled => Some(Status::Cancelled),
        StackStatus::DispatchRefused => Some(Status::DispatchRefused),
        StackStatus::CannotRun => Some(Status::CannotRun),
        StackStatus::Undecidable => Some(Status::Undecidable),
        StackStatus::Blocked => Some(Status::Blocked),
        StackStatus::AwaitingApproval => Some(Status::AwaitingApproval),
        StackStatus::Running => Some(Status::Running),
        StackStatus::Queued => Some(Status::Queued),
        StackStatus::Dispatching => Some(Status::Dispatching),
        StackStatus::Released => Some(Status::Released),
        StackStatus::Held => Some(Status::Held),
        StackStatus::Waiting => Some(Status::Waiting),
        StackStatus::Stopped => Some(Status::Stopped),
        StackStatus::Succeeded => Some(Status::Succeeded),
        StackStatus::Skipped => Some(Status::Skipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_run_is_explained_in_fewer_sentences_a_stack() {
        assert_eq!([1, 600, 1_000, 5_000, 50_000].map(causes_each), [20, 20, 12, 2, 1]);
    }
}
