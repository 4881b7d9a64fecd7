//! The service `Commands`.

mod ask;
mod convert;
mod give;

use crate::{
    access::Caller,
    context::Context,
    errors::{self, invalid},
    runs::{given, page, repository},
};
use stackwave_admin_proto::v1::{self, commands_server::Commands};
use stackwave_domain::{CommandId, RunId};
use stackwave_read_model::CommandsQuery;
use tonic::{Request, Response, Status, async_trait};

/// Takes commands, and tells what became of them.
pub(crate) struct CommandsService {
    context: Context,
}

impl CommandsService {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }

    async fn find(&self, id: &str) -> Result<v1::Command, Status> {
        self.context.check_ready()?;
        if id.is_empty() {
            return Err(invalid("command_id", "it is missing"));
        }
        let command = CommandId::new(id);
        if let Some(known) = give::known(&self.context, &command) {
            return Ok(known);
        }
        let row = self.context.read_model.find_command(command).await;
        let row = row.map_err(|error| errors::read_model(&error))?;
        row.map(|row| convert::row(&self.context, row)).ok_or_else(|| errors::not_found("command", id))
    }
}

#[async_trait]
impl Commands for CommandsService {
    async fn retry(&self, request: Request<v1::RetryRequest>) -> Result<Response<v1::RetryResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        let wish = ask::retry(&self.context, request.into_inner()).await?;
        let command = give::give(&self.context, &caller, wish).await?;
        Ok(Response::new(v1::RetryResponse { command: Some(command) }))
    }

    async fn cancel(
        &self,
        request: Request<v1::CancelRequest>,
    ) -> Result<Response<v1::CancelResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        let wish = ask::cancel(&self.context, request.into_inner()).await?;
        let command = give::give(&self.context, &caller, wish).await?;
        Ok(Response::new(v1::CancelResponse { command: Some(command) }))
    }

    async fn resync(
        &self,
        request: Request<v1::ResyncRequest>,
    ) -> Result<Response<v1::ResyncResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        let wish = ask::resync(&self.context, request.into_inner()).await?;
        let command = give::give(&self.context, &caller, wish).await?;
        Ok(Response::new(v1::ResyncResponse { command: Some(command) }))
    }

    async fn resolve(
        &self,
        request: Request<v1::ResolveRequest>,
    ) -> Result<Response<v1::ResolveResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        let wish = ask::resolve(&self.context, request.into_inner()).await?;
        let command = give::give(&self.context, &caller, wish).await?;
        Ok(Response::new(v1::ResolveResponse { command: Some(command) }))
    }

    async fn get_command(
        &self,
        request: Request<v1::GetCommandRequest>,
    ) -> Result<Response<v1::GetCommandResponse>, Status> {
        let command = self.find(&request.get_ref().command_id).await?;
        Ok(Response::new(v1::GetCommandResponse { command: Some(command) }))
    }

    async fn list_commands(
        &self,
        request: Request<v1::ListCommandsRequest>,
    ) -> Result<Response<v1::ListCommandsResponse>, Status> {
        let request = request.into_inner();
        let page = page(request.page_size, request.page_token)?;
        let query = CommandsQuery {
            repository: repository(&self.context, &request.repository)?,
            run: given(request.run_id).map(RunId::new),
        };
        let page = self.context.read_model.commands(query, page).await;
        let page = page.map_err(|error| errors::read_model(&error))?;
        let commands = page.rows.into_iter().map(|row| convert::row(&self.context, row)).collect();
        let next_page_token = page.next.unwrap_or_default();
        Ok(Response::new(v1::ListCommandsResponse { commands, next_page_token }))
    }
}
