//! HTTP, observed; and `/metrics`.

use crate::{
    exposition,
    metrics::{Hop, Metrics},
    sample::Sampler,
};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use secrecy::SecretString;
use stackwave_runtime::Outcome;
use std::{sync::Arc, time::Instant};

/// Where uploads go.
const UPLOADS: &str = "/api/v1/affected-stacks";
/// Where webhooks go.
const WEBHOOKS: &str = "/webhooks/github";

/// Events of GitHub that are counted by name; whoever sends a delivery chooses its name, and it need not be GitHub.
///
/// Source: GitHub Docs "Webhook events and payloads", as far as an App's manifest of ours asks for them.
const EVENTS: [&str; 18] = [
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_comment",
    "meta",
    "merge_group",
    "ping",
    "pull_request",
    "pull_request_review",
    "push",
    "release",
    "repository",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
    "deployment",
];

/// Counts and times every request of a router.
pub fn observe(router: Router, metrics: Arc<Metrics>) -> Router {
    router.layer(middleware::from_fn_with_state(metrics, count))
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = method(request.method()).to_owned();
    let event = (route == WEBHOOKS).then(|| event(request.headers()).to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let (took, status) = (began.elapsed(), response.status());
    metrics.http_duration.get_or_create(&vec![("route", route.clone())]).observe(took.as_secs_f64());
    let labels = vec![("route", route.clone()), ("method", method), ("status", status.as_u16().to_string())];
    metrics.http_requests.get_or_create(&labels).inc();
    let outcome = outcome(&response).to_owned();
    if let Some(event) = event {
        if status.is_success() {
            metrics.hop(Hop::WebhookAppend, took);
            metrics.webhook_came();
        }
        metrics.webhooks.get_or_create(&vec![("event", event), ("outcome", outcome)]).inc();
    } else if route == UPLOADS {
        if status.is_success() {
            metrics.hop(Hop::UploadAppend, took);
        }
        metrics.uploads.get_or_create(&vec![("outcome", outcome)]).inc();
    }
    response
}

/// Anybody may make up a method.
fn method(method: &http::Method) -> &str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if known.contains(&method.as_str()) { method.as_str() } else { "other" }
}

fn event(headers: &HeaderMap) -> &'static str {
    let named = headers.get("x-github-event").and_then(|value| value.to_str().ok());
    EVENTS.into_iter().find(|known| Some(*known) == named).unwrap_or("other")
}

/// What the service says came of it, or what its status does.
fn outcome(response: &Response) -> &'static str {
    match response.extensions().get::<Outcome>() {
        Some(Outcome(outcome)) => outcome,
        None if response.status().is_success() => "stored",
        None if response.status().is_server_error() => "failed",
        None => "refused",
    }
}

/// `GET /metrics`.
struct Exposed {
    metrics: Arc<Metrics>,
    sampler: Arc<Sampler>,
    token: Option<SecretString>,
}

/// `/metrics`, open as `/healthz` is, unless a token is set.
pub fn router(metrics: Arc<Metrics>, sampler: Arc<Sampler>, token: Option<SecretString>) -> Router {
    Router::new().route("/metrics", get(expose)).with_state(Arc::new(Exposed { metrics, sampler, token }))
}

async fn expose(State(exposed): State<Arc<Exposed>>, headers: HeaderMap) -> Response {
    if let Some(token) = &exposed.token {
        let header = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let presented = stackwave_auth::bearer_token(header);
        if !presented.is_ok_and(|presented| stackwave_auth::tokens_match(token, &presented)) {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            let words = "the token of `metrics_token` is missing or wrong\n";
            return (StatusCode::UNAUTHORIZED, challenge, words).into_response();
        }
    }
    exposed.sampler.refresh().await;
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (content_type, text) = if accepted.contains("application/openmetrics-text") {
        (exposition::OPEN_METRICS, exposition::open_metrics(&exposed.metrics))
    } else {
        (exposition::PROMETHEUS, exposition::prometheus(&exposed.metrics))
    };
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
