//! A server that has the whole API, gives prepared answers and keeps what it was asked.

use crate::answers::Answer;
use futures::{StreamExt as _, stream::BoxStream};
use stackwave_admin_proto::v1::{
    self, commands_server::Commands, commands_server::CommandsServer, credentials_server::Credentials,
    credentials_server::CredentialsServer, events_server::Events, events_server::EventsServer,
    inventory_server::Inventory, inventory_server::InventoryServer, runs_server::Runs,
    runs_server::RunsServer, system_server::System, system_server::SystemServer,
};
use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server, transport::ServerTlsConfig};

/// The server.
pub(crate) struct Fake {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<(String, String)>>,
    refusals: Mutex<VecDeque<Status>>,
    streams: Mutex<VecDeque<Script>>,
}

/// What one call of `StreamEvents` gives: these records, and then its end.
pub(crate) struct Script {
    pub(crate) positions: Vec<u64>,
    pub(crate) end: Option<Status>,
}

impl Fake {
    /// Starts it on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts it with TLS.
    pub(crate) async fn start_with(tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let shared = Arc::new(Shared::default());
        let calls = Calls(shared.clone());
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let router = server
            .add_service(RunsServer::new(calls.clone()))
            .add_service(EventsServer::new(calls.clone()))
            .add_service(CommandsServer::new(calls.clone()))
            .add_service(CredentialsServer::new(calls.clone()))
            .add_service(InventoryServer::new(calls.clone()))
            .add_service(SystemServer::new(calls));
        let task = tokio::spawn(async move {
            router.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
        });
        Self { url, shared, task }
    }

    /// Refuses the next call.
    pub(crate) fn refuse(&self, status: Status) {
        self.shared.refusals.lock().unwrap().push_back(status);
    }

    /// Prepares one call of `StreamEvents`.
    pub(crate) fn stream(&self, positions: &[u64], end: Option<Status>) {
        self.shared.streams.lock().unwrap().push_back(Script { positions: positions.to_vec(), end });
    }

    /// What was asked: the method, and the message.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }

    /// The messages that one method was asked with.
    pub(crate) fn messages(&self, method: &str) -> Vec<String> {
        self.asked().into_iter().filter(|(asked, _)| asked == method).map(|(_, message)| message).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Calls(Arc<Shared>);

impl Calls {
    /// Keeps what was asked, and refuses what is to be refused.
    fn take<T: Debug>(&self, method: &str, request: &Request<T>) -> Result<(), Status> {
        self.0.asked.lock().unwrap().push((method.to_owned(), format!("{:?}", request.get_ref())));
        if let Some(status) = self.0.refusals.lock().unwrap().pop_front() {
            return Err(status);
        }
        match request.metadata().get("authorization").map(|token| token.as_bytes()) {
            Some(b"Bearer let-me-in") => Ok(()),
            Some(_) => Err(Status::unauthenticated("the token is not known")),
            None => Err(Status::unauthenticated("the call carries no token")),
        }
    }
}

macro_rules! answers {
    ($service:ident { $($method:ident $name:literal $request:ident $response:ident)+ }) => {
        #[tonic::async_trait]
        impl $service for Calls {
            $(async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                self.take(concat!(stringify!($service), "/", $name), &request)?;
                Ok(Response::new(v1::$response::answer(request.get_ref())))
            })+
        }
    };
}

answers!(Runs {
    get_run "GetRun" GetRunRequest GetRunResponse
    list_runs "ListRuns" ListRunsRequest ListRunsResponse
    list_stacks "ListStacks" ListStacksRequest ListStacksResponse
    list_pull_requests "ListPullRequests" ListPullRequestsRequest ListPullRequestsResponse
    list_uploads "ListUploads" ListUploadsRequest ListUploadsResponse
    list_dispatches "ListDispatches" ListDispatchesRequest ListDispatchesResponse
    list_deliveries "ListDeliveries" ListDeliveriesRequest ListDeliveriesResponse
    explain "Explain" ExplainRequest ExplainResponse
    explain_dispatch "ExplainDispatch" ExplainDispatchRequest ExplainDispatchResponse
});

answers!(Commands {
    retry "Retry" RetryRequest RetryResponse
    cancel "Cancel" CancelRequest CancelResponse
    resync "Resync" ResyncRequest ResyncResponse
    resolve "Resolve" ResolveRequest ResolveResponse
    get_command "GetCommand" GetCommandRequest GetCommandResponse
    list_commands "ListCommands" ListCommandsRequest ListCommandsResponse
});

answers!(Credentials {
    create_api_key "CreateApiKey" CreateApiKeyRequest CreateApiKeyResponse
    list_api_keys "ListApiKeys" ListApiKeysRequest ListApiKeysResponse
    revoke_api_key "RevokeApiKey" RevokeApiKeyRequest RevokeApiKeyResponse
    create_token "CreateToken" CreateTokenRequest CreateTokenResponse
    list_tokens "ListTokens" ListTokensRequest ListTokensResponse
    revoke_token "RevokeToken" RevokeTokenRequest RevokeTokenResponse
    who_am_i "WhoAmI" WhoAmIRequest WhoAmIResponse
});

answers!(Inventory {
    list_workspaces "ListWorkspaces" ListWorkspacesRequest ListWorkspacesResponse
    create_workspace "CreateWorkspace" CreateWorkspaceRequest CreateWorkspaceResponse
    list_repositories "ListRepositories" ListRepositoriesRequest ListRepositoriesResponse
    get_repository "GetRepository" GetRepositoryRequest GetRepositoryResponse
    assign_repository "AssignRepository" AssignRepositoryRequest AssignRepositoryResponse
    list_installations "ListInstallations" ListInstallationsRequest ListInstallationsResponse
});

answers!(System {
    get_status "GetStatus" GetStatusRequest GetStatusResponse
    get_log "GetLog" GetLogRequest GetLogResponse
    list_partitions "ListPartitions" ListPartitionsRequest ListPartitionsResponse
    list_leases "ListLeases" ListLeasesRequest ListLeasesResponse
    get_budget "GetBudget" GetBudgetRequest GetBudgetResponse
    rebuild_read_model "RebuildReadModel" RebuildReadModelRequest RebuildReadModelResponse
});

#[tonic::async_trait]
impl Events for Calls {
    type StreamEventsStream = BoxStream<'static, Result<v1::StreamEventsResponse, Status>>;

    async fn stream_events(
        &self,
        request: Request<v1::StreamEventsRequest>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        self.take("Events/StreamEvents", &request)?;
        let script = self.0.streams.lock().unwrap().pop_front();
        let script = script.unwrap_or_else(|| Script { positions: vec![118, 119], end: None });
        let records = script
            .positions
            .into_iter()
            .map(|at| Ok(v1::StreamEventsResponse { record: Some(crate::answers::record(at)) }));
        let all: Vec<_> = records.chain(script.end.map(Err)).collect();
        Ok(Response::new(futures::stream::iter(all).boxed()))
    }

    async fn get_event(
        &self,
        request: Request<v1::GetEventRequest>,
    ) -> Result<Response<v1::GetEventResponse>, Status> {
        self.take("Events/GetEvent", &request)?;
        Ok(Response::new(v1::GetEventResponse::answer(request.get_ref())))
    }
}
