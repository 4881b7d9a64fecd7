//! The service `System`.

mod log;
mod status;

use crate::{context::Context, errors, sources::Sources};
use stackwave_admin_proto::v1::{self, system_server::System};
use std::sync::Arc;
use tonic::{Request, Response, Status, async_trait};

/// Answers how the service itself does.
pub(crate) struct SystemService {
    context: Context,
    sources: Arc<Sources>,
}

impl SystemService {
    pub(crate) const fn new(context: Context, sources: Arc<Sources>) -> Self {
        Self { context, sources }
    }
}

#[async_trait]
impl System for SystemService {
    async fn get_status(
        &self,
        _: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        Ok(Response::new(status::status(&self.context, &self.sources).await))
    }

    async fn get_log(&self, _: Request<v1::GetLogRequest>) -> Result<Response<v1::GetLogResponse>, Status> {
        log::log(&self.context).await.map(Response::new)
    }

    async fn list_partitions(
        &self,
        _: Request<v1::ListPartitionsRequest>,
    ) -> Result<Response<v1::ListPartitionsResponse>, Status> {
        let partitions = log::partitions(&self.context, &self.sources).await?;
        Ok(Response::new(v1::ListPartitionsResponse { partitions }))
    }

    async fn list_leases(
        &self,
        _: Request<v1::ListLeasesRequest>,
    ) -> Result<Response<v1::ListLeasesResponse>, Status> {
        let mut leases: Vec<v1::Lease> = self.sources.acting.leases().iter().map(log::lease).collect();
        leases.sort_by(|one, other| (&one.role, one.partition).cmp(&(&other.role, other.partition)));
        Ok(Response::new(v1::ListLeasesResponse { leases, exclusive: self.context.core.log.is_exclusive() }))
    }

    async fn get_budget(
        &self,
        _: Request<v1::GetBudgetRequest>,
    ) -> Result<Response<v1::GetBudgetResponse>, Status> {
        let now = self.context.core.clock.now();
        let budgets = (self.sources.budgets)();
        let budgets = budgets.into_iter().map(|budget| status::budget(budget, now)).collect();
        Ok(Response::new(v1::GetBudgetResponse { budgets }))
    }

    async fn rebuild_read_model(
        &self,
        _: Request<v1::RebuildReadModelRequest>,
    ) -> Result<Response<v1::RebuildReadModelResponse>, Status> {
        let begun = self.context.read_model.rebuild().await;
        let begun = begun.map_err(|error| errors::read_model(&error))?;
        let read_model = Some(status::read_model(begun));
        Ok(Response::new(v1::RebuildReadModelResponse { read_model }))
    }
}
