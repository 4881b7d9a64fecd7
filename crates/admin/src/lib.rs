//! The admin API, as gRPC (`proto/stackwave/admin/v1`): questions about runs, the event log as a stream, commands,
//! credentials, and the machine room.
//!
//! It answers from this process's folded state, its read model and the log, and decides nothing: a command is a record,
//! which the roles that decide fold. Every call passes one gate (`access`), which knows the least role of every method.
//! Beside the services there are gRPC's own health service, which says what `/readyz` says, and reflection, so that
//! `grpcurl` needs no files; these need no token.

mod access;
mod commands;
mod context;
mod convert;
mod credentials;
mod errors;
mod events;
mod inventory;
mod page;
mod past;
mod readiness;
mod runs;
mod sources;
mod system;
mod time;
mod tls;

pub use self::{
    sources::{Budget, Narrator, Process, Sources},
    tls::{ServerTls, TlsError, TlsFiles},
};

use crate::{
    access::{AccessLayer, Gate},
    context::Context,
    readiness::Readiness,
};
use secrecy::SecretString;
use stackwave_admin_proto::{
    FILE_DESCRIPTOR_SET,
    v1::{
        commands_server::CommandsServer, credentials_server::CredentialsServer, events_server::EventsServer,
        inventory_server::InventoryServer, runs_server::RunsServer, system_server::SystemServer,
    },
};
use stackwave_runtime::{Core, PartitionView};
use stackwave_telemetry::{Metrics, grpc::GrpcLayer};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tonic::{
    Status,
    body::Body,
    transport::{Server, server::TcpIncoming},
};
use tower::util::MapResponseLayer;

/// The role that writes what nobody in particular wrote.
pub(crate) const ACTOR: &str = "admin";

/// What an operator can set.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The first admin's token. Without it, and without a token in the log, every call is refused.
    pub token: Option<SecretString>,
    /// Serves TLS with these certificates; none serves plain text.
    pub tls: Option<ServerTls>,
    /// Counts every call.
    pub metrics: Option<Arc<Metrics>>,
}

/// The service had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener failed.
    #[error("the admin API cannot be served: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The description of the API cannot be read.
    #[error("the admin API cannot describe itself: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// How long calls may take to end once the process drains. A client that watches health would never end by itself.
const DRAIN: Duration = Duration::from_secs(5);

/// How often a quiet client is asked whether it is still there, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_PATIENCE: Duration = Duration::from_secs(20);

/// How long a call may take to its answer, or to the beginning of its stream. Clients may set less.
const DEADLINE: Duration = Duration::from_secs(30);

/// Calls at a time on one connection.
const MAX_STREAMS: u32 = 256;

/// The largest request in bytes: every one of them is a few short texts.
const MAX_REQUEST: usize = 64 * 1024;

/// What reflection tells, in either version: many clients know only `v1alpha`. With the details of refusals, so that
/// `grpcurl` prints them.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

/// Gives a refusal of the transport's own the details that every refusal has.
fn readable(response: http::Response<Body>) -> http::Response<Body> {
    let refused = Status::from_header_map(response.headers());
    let refused = refused.and_then(|status| errors::unreadable(status.code(), status.message()));
    refused.map_or(response, Status::into_http)
}

/// Serves on a listener until the process drains.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    core: Core,
    config: Config,
    sources: Sources,
    partitions: Vec<PartitionView>,
    listener: TcpListener,
) -> Result<(), Error> {
    let shutdown = core.shutdown.clone();
    let (reporter, health) = tonic_health::server::health_reporter();
    let readiness = Readiness::follow(&core, reporter).await;
    let (reflection, older_reflection) = (reflection().build_v1()?, reflection().build_v1alpha()?);
    let gate = Arc::new(Gate::new(core.clone(), config.token));
    let context = Context {
        core,
        partitions: partitions.into(),
        readiness,
        gate: Arc::clone(&gate),
        read_model: sources.read_model.clone(),
    };
    let sources = Arc::new(sources);
    let runs = runs::RunsService::new(context.clone());
    let events = events::EventsService::new(context.clone(), Arc::clone(&sources));
    let commands = commands::CommandsService::new(context.clone());
    let credentials = credentials::CredentialsService::new(context.clone());
    let inventory = inventory::InventoryService::new(context.clone());
    let system = system::SystemService::new(context, sources);
    let router = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_PATIENCE))
        .max_concurrent_streams(Some(MAX_STREAMS))
        .timeout(DEADLINE)
        // Around the check of access, so that refused calls are counted.
        .layer(GrpcLayer::new(config.metrics))
        .layer(AccessLayer(gate))
        .layer(MapResponseLayer::new(readable))
        .add_service(health)
        .add_service(reflection)
        .add_service(older_reflection)
        .add_service(RunsServer::new(runs).max_decoding_message_size(MAX_REQUEST))
        .add_service(EventsServer::new(events).max_decoding_message_size(MAX_REQUEST))
        .add_service(CommandsServer::new(commands).max_decoding_message_size(MAX_REQUEST))
        .add_service(CredentialsServer::new(credentials).max_decoding_message_size(MAX_REQUEST))
        .add_service(InventoryServer::new(inventory).max_decoding_message_size(MAX_REQUEST))
        .add_service(SystemServer::new(system).max_decoding_message_size(MAX_REQUEST));
    let stop = shutdown.clone().cancelled_owned();
    let out_of_patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    let server = async {
        match config.tls {
            Some(tls) => {
                let incoming = tls.incoming(listener, shutdown.clone());
                router.serve_with_incoming_shutdown(incoming, stop).await
            }
            None => {
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                router.serve_with_incoming_shutdown(incoming, stop).await
            }
        }
    };
    tokio::select! {
        served = server => Ok(served?),
        () = out_of_patience => Ok(()),
    }
}
