//! The JSON that every answer carries (contract §1.4), on every path, and after a panic too.

use crate::{
    api::Api,
    error::{Error, Failure},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use serde_json::{Value, json};
use stackwave_domain::TraceContext;
use std::{panic::AssertUnwindSafe, sync::Arc};
use tracing::Instrument as _;

/// Names one request: for the client, in our logs, and in the records that it writes.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) request: String,
    /// The span of this request: in the caller's own trace where it sends one.
    pub(crate) span: TraceContext,
    /// The caller's span.
    caller: Option<TraceContext>,
}

impl Context {
    fn new(api: &Api, headers: &HeaderMap) -> Self {
        let ids = &api.core.ids;
        let caller = headers.get("traceparent").and_then(|value| TraceContext::parse(value.to_str().ok()?));
        Self { request: ids.record().to_string(), span: ids.span(caller), caller }
    }

    /// The trace context of what this request writes.
    pub(crate) fn traceparent(&self) -> String {
        self.span.to_string()
    }
}

/// The layer around all routes: names the request, and gives whatever comes out the envelope.
pub(crate) async fn wrap(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let context = Context::new(&api, request.headers());
    request.extensions_mut().insert(context.clone());
    let span = tracing::info_span!(
        "ingest",
        trace.context = %context.span,
        trace.parent = context.caller.map(tracing::field::display),
        otel.kind = "server",
        http.method = %request.method(),
        http.path = request.uri().path(),
        http.status = tracing::field::Empty,
        position = tracing::field::Empty,
        upload.id = tracing::field::Empty,
        repository.id = tracing::field::Empty,
    );
    async move {
        let result = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = result.unwrap_or_else(|panic| {
            Error::Internal(format!("a panic: {}", panic_text(panic.as_ref()))).into_response()
        });
        let response = match response.extensions_mut().remove::<Failure>() {
            Some(Failure(error)) => failure(&context, &error, response),
            None => response,
        };
        tracing::Span::current().record("http.status", response.status().as_u16());
        response
    }
    .instrument(span)
    .await
}

/// A success with its data.
pub(crate) fn success(context: &Context, data: Value) -> Response {
    let body = json!({
        "request": context.request,
        "status": 200,
        "success": true,
        "traceId": context.span.trace_id(),
        "data": data,
    });
    (StatusCode::OK, Json(body)).into_response()
}

fn failure(context: &Context, error: &Error, original: Response) -> Response {
    log(error);
    let reasons = error.reasons();
    let body = json!({
        "request": context.request,
        "status": error.status().as_u16(),
        "success": false,
        "traceId": context.span.trace_id(),
        "errorTag": error.tag(),
        "errorMessage": error.to_string(),
        "context": error.field().map_or_else(|| json!({}), |field| json!({ "field": field })),
        "data": if reasons.is_empty() { Value::Null } else { json!({ "validationErrors": reasons }) },
    });
    let mut response = (error.status(), Json(body)).into_response();
    if let Some(allow) = original.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}

fn log(error: &Error) {
    let status = error.status().as_u16();
    if error.status().is_server_error() {
        let detail = error.detail().unwrap_or_default();
        tracing::error!(http.status = status, error = %error, detail, "an upload was not stored");
    } else {
        tracing::info!(http.status = status, error = %error, "a request was refused");
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
