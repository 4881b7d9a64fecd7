//! The HTTP API that the Atmos CLI uploads to: `POST /api/v1/affected-stacks`.
//!
//! An upload is read within bounds ([`parse`]), reduced to what it says once (a fragment), and appended to the log; the
//! answer is sent when the record is durable. Nothing is decided here.

mod api;
mod batches;
mod body;
mod config;
mod envelope;
mod error;
pub mod parse;
mod patience;
mod repository;
mod slashes;
mod store;
mod upload;

pub use api::router;
pub use config::Config;
pub use slashes::normalize_slashes;

use axum::{ServiceExt, extract::Request};
use stackwave_github::port::Repositories;
use stackwave_runtime::Core;
use std::{io, sync::Arc};
use tokio::net::TcpListener;
use tower::util::MapRequest;

/// Who writes the records.
const ACTOR: &str = "ingest-api";

/// Serves the API alone on a listener until the process drains.
///
/// # Errors
/// The listener fails.
pub async fn run(
    core: Core,
    config: Config,
    repositories: Option<Arc<dyn Repositories>>,
    listener: TcpListener,
) -> io::Result<()> {
    let shutdown = core.shutdown.clone();
    let app = MapRequest::new(router(core, config, repositories), normalize_slashes);
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}
