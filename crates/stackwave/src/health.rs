//! `/healthz` (the process lives) and `/readyz` (the log can be reached and everything in it was folded).
//!
//! GitHub out of reach is a detail of `/readyz`, never a reason for 503: uploads and webhooks are taken all the same.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use stackwave_domain::StreamId;
use stackwave_runtime::{Core, Health};
use std::time::Duration;

/// How often the log is asked whether it is there.
const EVERY: Duration = Duration::from_secs(2);
const PART: &str = "event log";

pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/readyz", get(readyz))
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health.report()))
}

/// Asks the log's leader for its last position, again and again.
pub(crate) async fn watch_log(core: Core) {
    loop {
        match core.log.last_position(StreamId::Config).await {
            Ok(_) => core.health.ready(PART),
            Err(error) => core.health.not_ready(PART, error.to_string()),
        }
        tokio::select! {
            () = core.shutdown.cancelled() => {
                core.health.not_ready("process", "is draining");
                return;
            }
            () = tokio::time::sleep(EVERY) => {},
        }
    }
}
