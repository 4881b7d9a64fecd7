//! The process's own log, on standard error (standard output belongs to what a command prints), and its traces.

use crate::config::LogFormat;
use anyhow::Context as _;
use stackwave_runtime::{Clock as _, Ids, SystemClock};
use stackwave_telemetry::{
    Metrics,
    metrics::Build,
    trace::{Exporter, JsonLines, LineFilter, OtlpOptions, SpanLayer, SpanSink, TextFields},
};
use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// What commands other than `serve` say of themselves.
pub(crate) const QUIET: &str = "warn";
/// Likewise where a log is only read: what NATS's client library says comes as the command's own error.
pub(crate) const READING: &str = "warn,async_nats=off";

/// How long the last spans may take to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// What a process that serves tells about itself: its metrics, and its traces where somebody wants them.
pub(crate) struct Telemetry {
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    exporter: Option<Exporter>,
}

/// Starts the log of a command that serves nothing. `directives` are those of [`EnvFilter`], checked before.
pub(crate) fn start(format: LogFormat, directives: &str) {
    subscribe(format, directives, None);
}

/// Starts the log and the traces of a process that serves. Call it within the runtime, which sends the traces.
///
/// # Errors
/// Traces are wanted, and what says where to send them is wrong.
pub(crate) fn start_telemetry(
    format: LogFormat,
    directives: &str,
    otlp_endpoint: Option<String>,
    sample_ratio: f64,
) -> anyhow::Result<Telemetry> {
    let instance = Ids::default().process().to_string();
    let options = OtlpOptions { endpoint: otlp_endpoint, sample_ratio, instance };
    let metrics = Metrics::new(&build());
    let exporter = match options.is_wanted() {
        true => Some(Exporter::start(&options, Arc::clone(&metrics)).context("failed to set up traces")?),
        false => None,
    };
    let sink = exporter.clone().map(|exporter| Arc::new(exporter) as Arc<dyn SpanSink>);
    subscribe(format, directives, sink);
    Ok(Telemetry { metrics, exporter })
}

impl Telemetry {
    /// Sends the last spans.
    pub(crate) async fn stop(self) {
        if let Some(exporter) = self.exporter {
            exporter.stop(FLUSH).await;
        }
    }
}

fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("STACKWAVE_COMMIT").to_owned(),
        started: SystemClock::default().now().as_duration().as_secs_f64(),
    }
}

fn subscribe(format: LogFormat, directives: &str, sink: Option<Arc<dyn SpanSink>>) {
    let filter = LineFilter::new(EnvFilter::new(directives));
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .fmt_fields(TextFields)
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => {
            let clock = SystemClock::default();
            JsonLines::new(io::stderr, move || clock.now().to_string()).with_filter(filter).boxed()
        }
    };
    // It can fail only when another one was started, and then that one is used.
    let _ = Registry::default().with(SpanLayer::new(sink).filtered()).with(lines).try_init();
}
