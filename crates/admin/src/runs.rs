//! The service `Runs`.

use crate::{
    filter::{Filter, invalid, page_size},
    listing, page,
    readiness::Readiness,
};
use stackwave_admin_proto::v1::{
    self, GetRunRequest, GetRunResponse, ListRunsRequest, ListRunsResponse, Run, runs_server::Runs,
};
use stackwave_domain::{RepositoryId, RunId};
use stackwave_runtime::{ConfigView, PartitionView};
use tonic::{Request, Response, Status, async_trait};

/// Answers from the folded partitions.
pub(crate) struct RunsService {
    config: ConfigView,
    partitions: Vec<PartitionView>,
    readiness: Readiness,
}

impl RunsService {
    pub(crate) const fn new(
        config: ConfigView,
        partitions: Vec<PartitionView>,
        readiness: Readiness,
    ) -> Self {
        Self { config, partitions, readiness }
    }

    fn check_ready(&self) -> Result<(), Status> {
        if self.readiness.was_reached() {
            Ok(())
        } else {
            Err(Status::unavailable("the event log is still being read; `/readyz` says how far it is"))
        }
    }

    fn name(&self, run: &mut Run) {
        let Some(repository) = &mut run.repository else { return };
        let id = RepositoryId(repository.id);
        let name = self.config.read(|config| config.repository(id).map(|known| known.name.to_string()));
        repository.name = name.unwrap_or_default();
    }
}

#[async_trait]
impl Runs for RunsService {
    async fn get_run(&self, request: Request<GetRunRequest>) -> Result<Response<GetRunResponse>, Status> {
        self.check_ready()?;
        let GetRunRequest { run_id, .. } = request.into_inner();
        if run_id.is_empty() {
            return Err(invalid("run_id", "it is missing"));
        }
        let found = listing::find(&self.partitions, &RunId::new(&run_id));
        let mut found = found.ok_or_else(|| Status::not_found(format!("there is no run `{run_id}`")))?;
        if let Some(run) = &mut found.run {
            self.name(run);
        }
        Ok(Response::new(found))
    }

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        self.check_ready()?;
        let request = request.into_inner();
        let filter = Filter::read(&request)?;
        let size = page_size(&request)?;
        let after = page::read(&request.page_token, &filter)?;
        let (mut runs, next) = listing::list(&self.partitions, &self.config, &filter, after.as_ref(), size)?;
        runs.iter_mut().for_each(|run| self.name(run));
        Ok(Response::new(ListRunsResponse { runs, next_page_token: next.unwrap_or_default() }))
    }

    async fn list_stacks(
        &self,
        _: Request<v1::ListStacksRequest>,
    ) -> Result<Response<v1::ListStacksResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn list_pull_requests(
        &self,
        _: Request<v1::ListPullRequestsRequest>,
    ) -> Result<Response<v1::ListPullRequestsResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn list_uploads(
        &self,
        _: Request<v1::ListUploadsRequest>,
    ) -> Result<Response<v1::ListUploadsResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn list_dispatches(
        &self,
        _: Request<v1::ListDispatchesRequest>,
    ) -> Result<Response<v1::ListDispatchesResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn list_deliveries(
        &self,
        _: Request<v1::ListDeliveriesRequest>,
    ) -> Result<Response<v1::ListDeliveriesResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn explain(&self, _: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn explain_dispatch(
        &self,
        _: Request<v1::ExplainDispatchRequest>,
    ) -> Result<Response<v1::ExplainDispatchResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }
}
