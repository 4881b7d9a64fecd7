//! What GitHub is told: JSON with a trace id, so that "Recent deliveries" and our logs can be laid side by side.

use crate::error::Error;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use stackwave_runtime::Outcome;

pub(crate) fn accepted(trace: &str, data: Value) -> Response {
    let outcome = if data["outcome"] == "dropped" { Outcome("dropped") } else { Outcome("stored") };
    let body = json!({ "status": 202, "success": true, "traceId": trace, "data": data });
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    response.extensions_mut().insert(outcome);
    response
}

pub(crate) fn refused(trace: &str, error: &Error) -> Response {
    let body = json!({
        "status": error.status().as_u16(),
        "success": false,
        "traceId": trace,
        "errorMessage": error.to_string(),
        "context": error.field().map_or_else(|| json!({}), |field| json!({ "field": field })),
        "data": null,
    });
    (error.status(), Json(body)).into_response()
}
