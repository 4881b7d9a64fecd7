//! Answers people's questions about runs, as gRPC (`proto/stackwave/admin/v1`).
//!
//! It reads the folded state of this process and decides nothing. Beside `Runs` there are gRPC's own health service,
//! which says what `/readyz` says, and reflection, so that `grpcurl` needs no files; these two need no token.

mod access;
mod convert;
mod filter;
mod listing;
mod page;
mod readiness;
mod runs;

use crate::{access::Access, readiness::Readiness, runs::RunsService};
use secrecy::SecretString;
use stackwave_admin_proto::{FILE_DESCRIPTOR_SET, v1::runs_server::RunsServer};
use stackwave_runtime::{Core, PartitionView};
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

/// What an operator can set.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The bearer token of `Runs`. Without it every call of `Runs` is refused.
    pub token: Option<SecretString>,
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

/// How often a quiet client is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What reflection tells, in either version: many clients know only `v1alpha`.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Serves on a listener until the process drains.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    core: Core,
    config: Config,
    partitions: Vec<PartitionView>,
    listener: TcpListener,
) -> Result<(), Error> {
    let shutdown = core.shutdown.clone();
    let (reporter, health) = tonic_health::server::health_reporter();
    let readiness = Readiness::follow(&core, reporter).await;
    let (reflection, older_reflection) = (reflection().build_v1()?, reflection().build_v1alpha()?);
    let runs = RunsService::new(core.config.clone(), partitions, readiness);
    let access = Access::new(config.token);
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(health)
        .add_service(reflection)
        .add_service(older_reflection)
        .add_service(RunsServer::with_interceptor(runs, access))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), shutdown.clone().cancelled_owned());
    let out_of_patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server => Ok(served?),
        () = out_of_patience => Ok(()),
    }
}
