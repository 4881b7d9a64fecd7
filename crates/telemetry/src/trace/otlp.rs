//! Spans to an OpenTelemetry collector, over OTLP/HTTP with protobuf.
//!
//! A collector that is out of reach never harms: spans wait in a bounded queue, and what does not fit is dropped and
//! counted.

use super::SpanSink;
use crate::metrics::Metrics;
use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanData, SpanProcessor as _},
};
use std::{env, sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// What an export has to know.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpOptions {
    /// The collector's base URL, such as `http://127.0.0.1:4318`; none: as `OTEL_EXPORTER_OTLP_…` say, and if they say
    /// nothing, nowhere.
    pub endpoint: Option<String>,
    /// Which part of all traces is exported, from 0 to 1. All processes choose the same ones.
    pub sample_ratio: f64,
    /// Tells this process from others (`service.instance.id`).
    pub instance: String,
}

/// The export cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// A URL or a variable is wrong.
    #[error(
        "traces cannot be exported: {0}; check `STACKWAVE_OTLP_ENDPOINT` and the `OTEL_EXPORTER_OTLP_…` variables"
    )]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The HTTP client.
    #[error("traces cannot be exported: the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// How long a request to the collector may take, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The export of spans. Cheap to clone.
#[derive(Clone)]
pub struct Exporter {
    processor: Arc<BatchSpanProcessor>,
    ratio: f64,
}

impl OtlpOptions {
    /// Whether anything says where spans should go.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let set = |name| env::var(name).is_ok_and(|value| !value.trim().is_empty());
        let is = |name, value: &str| env::var(name).is_ok_and(|text| text.trim().eq_ignore_ascii_case(value));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return false;
        }
        self.endpoint.is_some()
            || set(opentelemetry_otlp::OTEL_EXPORTER_OTLP_ENDPOINT)
            || set(opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
    }
}

impl Exporter {
    /// Starts the export; nothing is sent yet. Call it within a tokio runtime, which does the sending.
    ///
    /// # Errors
    /// The endpoint is no URL, or one of OpenTelemetry's variables cannot be read.
    pub fn start(options: &OtlpOptions, metrics: Arc<Metrics>) -> Result<Self, OtlpError> {
        let client = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .user_agent(concat!("stackwave/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let poster = Poster { client, runtime: Handle::current(), metrics };
        let mut builder = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(poster)
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary);
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
        }
        let mut processor = BatchSpanProcessor::builder(builder.build()?).build();
        processor.set_resource(&resource(&options.instance));
        Ok(Self { processor: Arc::new(processor), ratio: options.sample_ratio })
    }

    /// Sends what waits, for at most this long. Nothing is taken afterwards.
    pub async fn stop(self, patience: Duration) {
        let stopping = tokio::task::spawn_blocking(move || self.processor.shutdown_with_timeout(patience));
        if !matches!(stopping.await, Ok(Ok(()))) {
            tracing::warn!("the last spans could not be sent to the collector");
        }
    }

    /// The same traces in every process, told by their ids alone.
    fn is_kept(&self, trace: [u8; 16]) -> bool {
        let number = u64::from_be_bytes([
            0, trace[9], trace[10], trace[11], trace[12], trace[13], trace[14], trace[15],
        ]);
        // 56 random bits, as W3C's level 2 and OpenTelemetry's consistent sampling have it.
        #[expect(clippy::cast_precision_loss, reason = "a ratio is not exact")]
        let share = number as f64 / (1u64 << 56) as f64;
        share >= 1.0 - self.ratio
    }
}

impl SpanSink for Exporter {
    fn ended(&self, span: SpanData) {
        if self.is_kept(span.span_context.trace_id().to_bytes()) {
            self.processor.on_end(span);
        }
    }
}

/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over what we say.
fn resource(instance: &str) -> Resource {
    let ours = [
        KeyValue::new("service.name", "stackwave"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance.to_owned()),
    ];
    let told = Resource::builder().build();
    let has = |name: &str| {
        told.iter().any(|(key, value)| key.as_str() == name && !value.as_str().starts_with("unknown_service"))
    };
    let missing = ours.into_iter().filter(|ours| !has(ours.key.as_str()));
    Resource::builder().with_attributes(missing.collect::<Vec<_>>()).build()
}

/// Sends from the runtime: the batches are made on a thread of their own, which has none.
#[derive(Clone)]
struct Poster {
    client: reqwest::Client,
    runtime: Handle,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Poster")
    }
}

#[async_trait]
impl HttpClient for Poster {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok::<_, reqwest::Error>(response)
        });
        let result = sending.await.map_err(HttpError::from)?;
        let sent = result.as_ref().is_ok_and(|response| response.status().is_success());
        self.metrics.export_ended(sent);
        Ok(result?)
    }
}
