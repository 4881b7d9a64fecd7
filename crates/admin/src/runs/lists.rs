//! Lists out of the read model: filters are read, questions asked, rows told.

use super::rows;
use crate::{context::Context, convert, errors::invalid, page::page_size, time::moment};
use stackwave_admin_proto::v1;
use stackwave_domain::{
    ComponentName, DeliveryId, PrNumber, RepositoryId, RunId, StackName, WorkflowRunId, WorkspaceId,
};
use stackwave_read_model::{
    DeliveriesQuery, DispatchStatus, DispatchesQuery, PageRequest, PullsQuery, RunsQuery, StacksQuery,
    UploadsQuery,
};
use tonic::Status;

pub(super) async fn runs(
    context: &Context,
    request: v1::ListRunsRequest,
) -> Result<v1::ListRunsResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    if request.pull_request == Some(0) {
        return Err(invalid("pull_request", "numbers begin at 1"));
    }
    let status = match v1::RunStatus::try_from(request.status) {
        Ok(status) => convert::run_phase(status),
        Err(_) => return Err(invalid("status", &format!("{} is no status of a run", request.status))),
    };
    let query = RunsQuery {
        repository: repository(context, &request.repository)?,
        pull_request: request.pull_request.map(PrNumber),
        status,
        workspace: given(request.workspace).map(WorkspaceId::new),
        text: request.query,
        opened_after: request.opened_after.map(|at| moment("opened_after", &at)).transpose()?,
        opened_before: request.opened_before.map(|at| moment("opened_before", &at)).transpose()?,
    };
    let page = context.read_model.runs(query, page).await.map_err(rows::refused)?;
    let runs = page.rows.into_iter().map(|row| rows::run(context, row)).collect();
    Ok(v1::ListRunsResponse { runs, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn stacks(
    context: &Context,
    request: v1::ListStacksRequest,
) -> Result<v1::ListStacksResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    let status = match v1::StackStatus::try_from(request.status) {
        Ok(status) => convert::status_of_stack(status),
        Err(_) => return Err(invalid("status", &format!("{} is no status of a stack", request.status))),
    };
    let query = StacksQuery {
        run: given(request.run_id).map(RunId::new),
        repository: repository(context, &request.repository)?,
        component: given(request.component).map(ComponentName::new),
        stack: given(request.stack).map(StackName::new),
        status,
        text: request.query,
        latest_only: request.latest_only,
    };
    let page = context.read_model.stacks(query, page).await.map_err(rows::refused)?;
    let stacks = page.rows.into_iter().map(|row| rows::stack(context, row)).collect();
    Ok(v1::ListStacksResponse { stacks, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn pull_requests(
    context: &Context,
    request: v1::ListPullRequestsRequest,
) -> Result<v1::ListPullRequestsResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    let query = PullsQuery {
        repository: repository(context, &request.repository)?,
        open_only: request.open_only,
        text: request.query,
    };
    let page = context.read_model.pulls(query, page).await.map_err(rows::refused)?;
    let pull_requests = page.rows.into_iter().map(|row| rows::pull_request(context, row)).collect();
    Ok(v1::ListPullRequestsResponse { pull_requests, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn uploads(
    context: &Context,
    request: v1::ListUploadsRequest,
) -> Result<v1::ListUploadsResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    if !request.head_sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid("head_sha", "it is not the beginning of a commit's id"));
    }
    let query =
        UploadsQuery { repository: repository(context, &request.repository)?, head_sha: request.head_sha };
    let page = context.read_model.uploads(query, page).await.map_err(rows::refused)?;
    let uploads = page.rows.into_iter().map(|row| rows::upload(context, row)).collect();
    Ok(v1::ListUploadsResponse { uploads, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn dispatches(
    context: &Context,
    request: v1::ListDispatchesRequest,
) -> Result<v1::ListDispatchesResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    let status = match v1::DispatchStatus::try_from(request.status) {
        Ok(status) => dispatch_status(status),
        Err(_) => return Err(invalid("status", &format!("{} is no status of a dispatch", request.status))),
    };
    let query = DispatchesQuery {
        run: given(request.run_id).map(RunId::new),
        repository: repository(context, &request.repository)?,
        status,
        workflow_run: Some(request.workflow_run_id).filter(|id| *id != 0).map(WorkflowRunId),
    };
    let page = context.read_model.dispatches(query, page).await.map_err(rows::refused)?;
    let dispatches = page.rows.into_iter().map(|row| rows::dispatch(context, row)).collect();
    Ok(v1::ListDispatchesResponse { dispatches, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn deliveries(
    context: &Context,
    request: v1::ListDeliveriesRequest,
) -> Result<v1::ListDeliveriesResponse, Status> {
    let page = page(request.page_size, request.page_token)?;
    let query = DeliveriesQuery {
        repository: repository(context, &request.repository)?,
        event: given(request.event),
        delivery: given(request.delivery_id).map(DeliveryId::new),
    };
    let page = context.read_model.deliveries(query, page).await.map_err(rows::refused)?;
    let deliveries = page.rows.into_iter().map(|row| rows::delivery(context, row)).collect();
    Ok(v1::ListDeliveriesResponse { deliveries, next_page_token: page.next.unwrap_or_default() })
}

const fn dispatch_status(status: v1::DispatchStatus) -> Option<DispatchStatus> {
    match status {
        v1::DispatchStatus::Unspecified => None,
        v1::DispatchStatus::Sending => Some(DispatchStatus::Sending),
        v1::DispatchStatus::Unknown => Some(DispatchStatus::Unknown),
        v1::DispatchStatus::Delayed => Some(DispatchStatus::Delayed),
        v1::DispatchStatus::Refused => Some(DispatchStatus::Refused),
        v1::DispatchStatus::Undecidable => Some(DispatchStatus::Undecidable),
        v1::DispatchStatus::Accepted => Some(DispatchStatus::Accepted),
        v1::DispatchStatus::Concluded => Some(DispatchStatus::Concluded),
    }
}

/// The page of a request.
pub(crate) fn page(size: i32, token: String) -> Result<PageRequest, Status> {
    Ok(PageRequest { size: page_size(size)?, token })
}

/// The repository of a filter; none when it is not set.
pub(crate) fn repository(context: &Context, text: &str) -> Result<Option<RepositoryId>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    context.repository("repository", text).map(|known| Some(known.id))
}

/// A filter that is set.
pub(crate) fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
