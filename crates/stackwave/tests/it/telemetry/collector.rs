//! A collector that takes OTLP over HTTP, as a real one does.

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message as _;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Takes spans and keeps them.
#[derive(Clone, Default)]
pub(super) struct Collector(Arc<Mutex<Vec<Seen>>>);

/// A span that arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// As it came.
    pub(super) span: Span,
    /// Of the process that sent it.
    pub(super) service: String,
}

impl Collector {
    /// Starts it, and tells its base URL.
    pub(super) async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, url)
    }

    /// Every span that arrived so far.
    pub(super) fn spans(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut seen = collector.0.lock().unwrap();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = attributes.into_iter().find(|attribute| attribute.key == "service.name");
        let service = service.and_then(|attribute| text(attribute.value?.value?)).unwrap_or_default();
        for scope in resource.scope_spans {
            seen.extend(scope.spans.into_iter().map(|span| Seen { span, service: service.clone() }));
        }
    }
    StatusCode::OK
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Seen {
    /// An attribute as text.
    pub(super) fn attribute(&self, key: &str) -> Option<String> {
        let attribute = self.span.attributes.iter().find(|attribute| attribute.key == key)?;
        text(attribute.value.clone()?.value?)
    }

    pub(super) fn name(&self) -> &str {
        &self.span.name
    }
}
