//! Log lines as JSON: their names are relied on by whoever collects them.

use serde_json::{Value, json};
use stackwave_domain::TraceContext;
use stackwave_telemetry::trace::{JsonLines, LineFilter, SpanLayer};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::{EnvFilter, Layer as _, Registry, layer::SubscriberExt as _};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of some work, at a level.
fn lines_of(level: &str, work: impl FnOnce()) -> Vec<Value> {
    let written = Written::default();
    let writer = written.clone();
    let lines = JsonLines::new(move || writer.clone(), || "2026-11-03T10:00:00Z".to_owned())
        .with_filter(LineFilter::new(EnvFilter::new(level)));
    let subscriber = Registry::default().with(SpanLayer::new(None).filtered()).with(lines);
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_has_the_documented_names() {
    let context = TraceContext::new([0xab; 16], [0xcd; 8], true).unwrap();
    let lines = lines_of("info", || {
        let span = tracing::info_span!(
            target: "stackwave_dispatcher",
            "dispatch",
            trace.context = %context,
            otel.kind = "client",
            run.id = "pr-7-merged",
            stack = "vpc/prod",
            dispatch.id = "swd_1",
            repository.id = 42,
            delivery.id = "d-1",
            position = tracing::field::Empty,
        );
        span.record("position", 9);
        span.in_scope(
            || tracing::warn!(target: "stackwave_dispatcher", { http.status = 404 }, "GitHub refused \"it\""),
        );
    });
    assert_eq!(
        lines,
        [json!({
            "timestamp": "2026-11-03T10:00:00Z",
            "level": "warn",
            "target": "stackwave_dispatcher",
            "message": "GitHub refused \"it\"",
            "run": "pr-7-merged",
            "stack": "vpc/prod",
            "dispatch": "swd_1",
            "repository": 42,
            "delivery": "d-1",
            "position": 9,
            "trace_id": "ab".repeat(16),
            "span_id": "cd".repeat(8),
            "http_status": 404,
        })]
    );
}

#[test]
fn a_warning_names_its_run_also_where_nothing_less_is_written() {
    let lines = lines_of("warn", || {
        let span = tracing::info_span!(target: "stackwave_dispatcher", "dispatch", run.id = "r");
        span.in_scope(|| {
            tracing::info!(target: "stackwave_dispatcher", "not written");
            tracing::warn!(target: "stackwave_dispatcher", "written");
        });
    });
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["message"], &lines[0]["run"]), (&json!("written"), &json!("r")));
}

#[test]
fn what_is_nearer_counts() {
    let lines = lines_of("info", || {
        let outer = tracing::info_span!(target: "stackwave_x", "outer", run.id = "outer", stack = "s");
        outer.in_scope(|| tracing::info!(target: "stackwave_x", { run.id = "inner" }, "m"));
    });
    assert_eq!((&lines[0]["run"], &lines[0]["stack"]), (&json!("inner"), &json!("s")));
}

#[test]
fn what_says_nothing_is_left_out() {
    let lines = lines_of("info", || {
        let span = tracing::info_span!(target: "stackwave_x", "webhook", delivery.id = "");
        span.in_scope(|| tracing::info!(target: "stackwave_x", "m"));
    });
    assert_eq!(lines[0].get("delivery"), None);
}
