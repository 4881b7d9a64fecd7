//! Takes GitHub's webhooks at `POST /webhooks/github`.
//!
//! Each delivery is verified over its raw body, normalised by `stackwave-github`, appended to the log, and answered once
//! it is durable. GitHub repeats nothing, so a delivery that cannot be stored is answered with a 503 and logged as an
//! error with its id.

mod answer;
mod aside;
mod config;
mod error;
mod receive;
mod registration;
mod route;
mod split;

pub use aside::KIND as RAW_BODIES;
pub use config::Config;
pub use route::router;

use stackwave_runtime::Core;
use std::io;
use tokio::net::TcpListener;

/// Who writes the records.
const ACTOR: &str = "webhook-receiver";

/// Serves the route alone on a listener until the process drains.
///
/// # Errors
/// The listener fails.
pub async fn run(core: Core, config: Config, listener: TcpListener) -> io::Result<()> {
    let shutdown = core.shutdown.clone();
    axum::serve(listener, router(core, config)).with_graceful_shutdown(shutdown.cancelled_owned()).await
}
