//! The service `Runs`.

mod dispatch;
mod explain;
pub(crate) mod found;
mod lists;
mod rows;

pub(crate) use self::{
    explain::stack_key,
    lists::{given, page, repository},
};

use crate::{context::Context, convert};
use stackwave_admin_proto::v1::{self, runs_server::Runs};
use stackwave_engine::view::run_view;
use tonic::{Request, Response, Status, async_trait};

/// Answers from the folded partitions, the log and the read model.
pub(crate) struct RunsService {
    context: Context,
}

impl RunsService {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }
}

#[async_trait]
impl Runs for RunsService {
    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        let v1::GetRunRequest { run_id, position, at } = request.into_inner();
        let when = found::When::of(position, at.as_ref())?;
        let mut answer = found::read_run(&self.context, &run_id, when, |found| {
            let view = run_view(found.repository, found.run);
            let mut details = convert::details(found.stream, found.repository, &view, found.now);
            details.as_of = Some(convert::record(found.stream, found.as_of));
            Ok(details)
        })
        .await?;
        if let Some(repository) = answer.run.as_mut().and_then(|run| run.repository.as_mut()) {
            repository.name = self.context.name_of(stackwave_domain::RepositoryId(repository.id));
        }
        Ok(Response::new(answer))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        lists::runs(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn list_stacks(
        &self,
        request: Request<v1::ListStacksRequest>,
    ) -> Result<Response<v1::ListStacksResponse>, Status> {
        lists::stacks(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn list_pull_requests(
        &self,
        request: Request<v1::ListPullRequestsRequest>,
    ) -> Result<Response<v1::ListPullRequestsResponse>, Status> {
        lists::pull_requests(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn list_uploads(
        &self,
        request: Request<v1::ListUploadsRequest>,
    ) -> Result<Response<v1::ListUploadsResponse>, Status> {
        lists::uploads(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn list_dispatches(
        &self,
        request: Request<v1::ListDispatchesRequest>,
    ) -> Result<Response<v1::ListDispatchesResponse>, Status> {
        lists::dispatches(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn list_deliveries(
        &self,
        request: Request<v1::ListDeliveriesRequest>,
    ) -> Result<Response<v1::ListDeliveriesResponse>, Status> {
        lists::deliveries(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        explain::explain(&self.context, request.get_ref()).await.map(Response::new)
    }

    async fn explain_dispatch(
        &self,
        request: Request<v1::ExplainDispatchRequest>,
    ) -> Result<Response<v1::ExplainDispatchResponse>, Status> {
        explain::explain_dispatch(&self.context, request.get_ref()).await.map(Response::new)
    }
}
