//! From the read model's rows to the API's messages.

use crate::{context::Context, convert, errors, time::timestamp};
use stackwave_admin_proto::v1;
use stackwave_domain::RepositoryId;
use stackwave_read_model::{
    DeliveryRow, DispatchRow, DispatchStatus, PullRow, ReadError, RunRow, StackRow, UploadRow, WorkflowRunRow,
};
use tonic::Status;

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
pub(super) fn refused(error: ReadError) -> Status {
    errors::read_model(&error)
}

fn repository(context: &Context, id: RepositoryId) -> v1::Repository {
    v1::Repository { id: id.0, name: context.name_of(id) }
}

pub(super) fn run(context: &Context, row: RunRow) -> v1::Run {
    let count = |(status, count)| v1::StackCount { status: convert::stack_status(status).into(), count };
    v1::Run {
        id: row.id.to_string(),
        workspace: row.workspace.to_string(),
        repository: Some(repository(context, row.repository)),
        trigger: Some(v1::Trigger {
            event: row.trigger.event.clone(),
            activity: row.trigger.activity.clone(),
            inferred: row.inferred,
        }),
        pull_request: row.pull_request.map(|number| number.0),
        head_sha: row.head_sha.to_string(),
        sha: row.sha.to_string(),
        git_ref: row.git_ref.to_string(),
        generation: row.generation,
        mutating: row.mutating,
        status: convert::phase(row.status).into(),
        reason: row.reason.unwrap_or_default(),
        opened_at: Some(timestamp(row.opened_at)),
        stopped_at: row.stopped_at.map(timestamp),
        totals: row.totals.into_iter().map(count).collect(),
        head_ref: row.head_ref.map(|head_ref| head_ref.to_string()).unwrap_or_default(),
    }
}

pub(super) fn stack(context: &Context, row: StackRow) -> v1::StackInRun {
    v1::StackInRun {
        run_id: row.run.to_string(),
        repository: Some(repository(context, row.repository)),
        key: Some(convert::key(&row.key)),
        status: convert::stack_status(row.status).into(),
        reason: row.reason.unwrap_or_default(),
        mutating: row.mutating,
        attempt: row.attempt,
        workflow_run: row.workflow_run.map(workflow_run),
        released_at: row.released_at.map(timestamp),
        started_at: row.started_at.map(timestamp),
        concluded_at: row.concluded_at.map(timestamp),
    }
}

pub(super) fn pull_request(context: &Context, row: PullRow) -> v1::PullRequest {
    v1::PullRequest {
        repository: Some(repository(context, row.repository)),
        number: row.number.0,
        title: row.title.unwrap_or_default(),
        open: row.open,
        merged: row.merged,
        head_sha: row.head_sha.to_string(),
        head_ref: row.head_ref.map(|name| name.to_string()).unwrap_or_default(),
        base_ref: row.base_ref.to_string(),
        updated_at: Some(timestamp(row.updated_at)),
        latest_run_id: row.latest_run.map(|run| run.to_string()).unwrap_or_default(),
        run_count: row.run_count,
    }
}

pub(super) fn upload(context: &Context, row: UploadRow) -> v1::Upload {
    v1::Upload {
        repository: Some(repository(context, row.repository)),
        workspace: row.workspace.to_string(),
        credential: row.credential.to_string(),
        head_sha: row.head_sha.to_string(),
        base_sha: row.base_sha.to_string(),
        digest: row.digest.to_string(),
        received_at: Some(timestamp(row.received_at)),
        stack_count: row.stacks,
        chunk: row.chunk.map(|(index, total)| format!("{index}/{total}")).unwrap_or_default(),
        client: row.client.unwrap_or_default(),
        run_ids: row.runs.iter().map(ToString::to_string).collect(),
        record: Some(convert::record(row.stream, row.record)),
    }
}

pub(super) fn dispatch(context: &Context, row: DispatchRow) -> v1::Dispatch {
    let status = match row.status {
        DispatchStatus::Sending => v1::DispatchStatus::Sending,
        DispatchStatus::Unknown => v1::DispatchStatus::Unknown,
        DispatchStatus::Delayed => v1::DispatchStatus::Delayed,
        DispatchStatus::Refused => v1::DispatchStatus::Refused,
        DispatchStatus::Undecidable => v1::DispatchStatus::Undecidable,
        DispatchStatus::Accepted => v1::DispatchStatus::Accepted,
        DispatchStatus::Concluded => v1::DispatchStatus::Concluded,
    };
    v1::Dispatch {
        id: row.id.to_string(),
        run_id: row.run.to_string(),
        repository: Some(repository(context, row.repository)),
        key: Some(convert::key(&row.key)),
        attempt: row.attempt,
        epoch: row.epoch,
        workflow: row.workflow.to_string(),
        status: status.into(),
        reason: row.reason.unwrap_or_default(),
        workflow_run: row.workflow_run.map(workflow_run),
        claimed_at: Some(timestamp(row.claimed_at)),
        claim: Some(convert::record(row.stream, row.claim)),
    }
}

pub(super) fn delivery(context: &Context, row: DeliveryRow) -> v1::Delivery {
    v1::Delivery {
        id: row.id.to_string(),
        event: row.event,
        action: row.action.unwrap_or_default(),
        repository: row.repository.map(|id| repository(context, id)),
        received_at: Some(timestamp(row.received_at)),
        record: Some(convert::record(row.stream, row.record)),
    }
}

fn workflow_run(row: WorkflowRunRow) -> v1::WorkflowRun {
    v1::WorkflowRun {
        id: row.id.0,
        workflow: row.workflow.to_string(),
        attempt: row.attempt,
        html_url: row.html_url.unwrap_or_default(),
    }
}
