//! From the engine's view to the API's messages. Names of repositories are filled in by the caller, who has them.

use prost_types::Timestamp as ProtoTimestamp;
use stackwave_admin_proto::v1::{
    Cause, GetRunResponse, LogPosition, Repository, Run, RunStack, RunStatus, StackCount, StackKey,
    StackStatus, Trigger, WorkflowRun,
};
use stackwave_domain::{StackKey as Key, StreamId, Timestamp};
use stackwave_engine::{
    explain::explain_in,
    state::RepositoryState,
    view::{RunPhase, RunView, StackView, Status, WorkflowRunView},
};

/// Sentences for one stack. A run may have thousands, and an answer of gRPC some megabytes.
const MAX_CAUSES: usize = 20;

/// A run with its stacks, out of this stream.
pub(crate) fn details(stream: StreamId, repository: &RepositoryState, view: &RunView<'_>) -> GetRunResponse {
    let stacks = (0..view.stacks.len())
        .map(|index| stack(&view.stacks[index], &view.stacks, causes(stream, repository, view, index)));
    GetRunResponse {
        run: Some(run(repository, view)),
        stacks: stacks.collect(),
        warnings: view.run.plan.warnings.clone(),
        forecast: None,
        as_of: None,
    }
}

/// A run without its stacks.
pub(crate) fn run(repository: &RepositoryState, view: &RunView<'_>) -> Run {
    let run = view.run;
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
fn causes(stream: StreamId, repository: &RepositoryState, view: &RunView<'_>, index: usize) -> Vec<Cause> {
    if view.stacks[index].status == Status::Succeeded {
        return Vec::new();
    }
    let causes = explain_in(repository, view, index, MAX_CAUSES).into_iter();
    causes
        .map(|cause| Cause {
            text: cause.text,
            record: cause
                .position
                .map(|position| LogPosition { stream: stream.name(), position: position.0 }),
            key: None,
            status: StackStatus::Unspecified.into(),
            since: None,
        })
        .collect()
}

fn workflow_run(view: &WorkflowRunView) -> WorkflowRun {
    WorkflowRun {
        id: view.id.0,
        workflow: view.workflow.clone(),
        attempt: view.attempt,
        html_url: view.html_url.clone().unwrap_or_default(),
    }
}

fn key(key: &Key) -> StackKey {
    StackKey { component: key.component.to_string(), stack: key.stack.to_string() }
}

fn timestamp(at: Timestamp) -> ProtoTimestamp {
    // A protobuf timestamp counts nanoseconds forward from the second, also before 1970.
    let nanos = i64::from(at.subsec_nanosecond());
    let (seconds, nanos) =
        if nanos < 0 { (at.as_second() - 1, nanos + 1_000_000_000) } else { (at.as_second(), nanos) };
    ProtoTimestamp { seconds, nanos: i32::try_from(nanos).unwrap_or_default() }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

const fn phase(phase: RunPhase) -> RunStatus {
    match phase {
        RunPhase::Running => RunStatus::Running,
        RunPhase::Failed => RunStatus::Failed,
        RunPhase::Succeeded => RunStatus::Succeeded,
        RunPhase::NothingAffected => RunStatus::NothingAffected,
        RunPhase::Superseded => RunStatus::Superseded,
        RunPhase::Closed => RunStatus::Closed,
    }
}

const fn stack_status(status: Status) -> StackStatus {
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
