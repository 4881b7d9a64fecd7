//! The service `Inventory`.

mod installations;
mod repositories;
mod workspaces;

use crate::{access::Caller, context::Context};
use stackwave_admin_proto::v1::{self, inventory_server::Inventory};
use tonic::{Request, Response, Status, async_trait};

/// Answers what there is.
pub(crate) struct InventoryService {
    context: Context,
}

impl InventoryService {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }
}

#[async_trait]
impl Inventory for InventoryService {
    async fn list_workspaces(
        &self,
        request: Request<v1::ListWorkspacesRequest>,
    ) -> Result<Response<v1::ListWorkspacesResponse>, Status> {
        workspaces::list(&self.context, &request.into_inner()).map(Response::new)
    }

    async fn create_workspace(
        &self,
        request: Request<v1::CreateWorkspaceRequest>,
    ) -> Result<Response<v1::CreateWorkspaceResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        workspaces::create(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_repositories(
        &self,
        request: Request<v1::ListRepositoriesRequest>,
    ) -> Result<Response<v1::ListRepositoriesResponse>, Status> {
        self.context.check_ready()?;
        repositories::list(&self.context, &request.into_inner()).map(Response::new)
    }

    async fn get_repository(
        &self,
        request: Request<v1::GetRepositoryRequest>,
    ) -> Result<Response<v1::GetRepositoryResponse>, Status> {
        self.context.check_ready()?;
        let known = self.context.repository("repository", &request.into_inner().repository)?;
        let repository = Some(repositories::info(&self.context, &known));
        Ok(Response::new(v1::GetRepositoryResponse { repository }))
    }

    async fn assign_repository(
        &self,
        request: Request<v1::AssignRepositoryRequest>,
    ) -> Result<Response<v1::AssignRepositoryResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        repositories::assign(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_installations(
        &self,
        request: Request<v1::ListInstallationsRequest>,
    ) -> Result<Response<v1::ListInstallationsResponse>, Status> {
        installations::list(&self.context, &request.into_inner()).map(Response::new)
    }
}

/// A number of things, as the API counts.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
