//! Where spans stand in a trace.

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use stackwave_domain::TraceContext;
use stackwave_telemetry::trace::{SpanLayer, SpanSink};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

#[derive(Default)]
struct Collected(Mutex<Vec<SpanData>>);

impl SpanSink for Collected {
    fn ended(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }
}

/// The spans of some work, by name.
fn spans_of(work: impl FnOnce()) -> BTreeMap<String, SpanData> {
    let collected = Arc::new(Collected::default());
    let layer = SpanLayer::new(Some(Arc::clone(&collected) as _));
    tracing::subscriber::with_default(Registry::default().with(layer.filtered()), work);
    let spans = collected.0.lock().unwrap().drain(..).collect::<Vec<_>>();
    spans.into_iter().map(|span| (span.name.to_string(), span)).collect()
}

fn context(span: u8) -> TraceContext {
    TraceContext::new([9; 16], [span; 8], true).unwrap()
}

/// As our own crates name their spans.
macro_rules! span {
    ($($field:tt)*) => { tracing::info_span!(target: "stackwave_test", $($field)*) };
}

#[test]
fn a_span_is_exactly_the_one_that_its_context_says() {
    let spans = spans_of(|| {
        drop(span!("request", trace.context = %context(1), trace.parent = %context(7), otel.kind = "server"));
    });
    let request = &spans["request"];
    assert_eq!(request.span_context.trace_id().to_bytes(), [9; 16]);
    assert_eq!(request.span_context.span_id().to_bytes(), [1; 8]);
    assert_eq!(request.parent_span_id.to_bytes(), [7; 8]);
    assert_eq!(request.span_kind, opentelemetry::trace::SpanKind::Server);
}

#[test]
fn a_span_below_another_is_its_child_unless_it_names_a_parent_of_another_trace() {
    let other = TraceContext::new([8; 16], [3; 8], true).unwrap();
    let spans = spans_of(|| {
        let _outer = span!("outer", trace.parent = %context(1)).entered();
        span!("inner").in_scope(|| drop(span!("innermost", trace.parent = %context(1))));
        drop(span!("elsewhere", trace.parent = %other));
    });
    assert_eq!(spans["outer"].parent_span_id.to_bytes(), [1; 8]);
    assert_eq!(spans["inner"].parent_span_id, spans["outer"].span_context.span_id());
    assert_eq!(spans["innermost"].parent_span_id, spans["inner"].span_context.span_id());
    assert_eq!(spans["elsewhere"].span_context.trace_id().to_bytes(), [8; 16]);
    assert_eq!(spans["elsewhere"].parent_span_id.to_bytes(), [3; 8]);
}

#[test]
fn a_span_without_a_trace_and_one_that_nobody_keeps_are_not_exported() {
    let spans = spans_of(|| {
        drop(span!("none"));
        drop(span!("bad", trace.parent = "00-nonsense"));
        drop(span!("unsampled", trace.parent = %context(1).sampled(false)));
        drop(tracing::info_span!(target: "hyper", "foreign", trace.parent = %context(1)));
    });
    assert!(spans.is_empty(), "{spans:?}");
}

#[test]
fn a_span_may_tell_when_it_really_began_and_what_it_has_to_do_with() {
    let spans = spans_of(|| {
        drop(span!(
            "workflow run",
            otel.name = "workflow run tf-plan.yaml",
            otel.status = "error",
            trace.context = %context(2),
            trace.parent = %context(1),
            trace.link = %context(5),
            time.start_ms = 1_000,
            time.end_ms = 61_000,
            run.id = "pr-7",
            workflow_run.id = 42_u64,
        ));
    });
    let run = &spans["workflow run tf-plan.yaml"];
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!((run.start_time, run.end_time), (at(1), at(61)));
    assert_eq!(run.links[0].span_context.span_id(), SpanId::from_bytes([5; 8]));
    assert!(matches!(run.status, opentelemetry::trace::Status::Error { .. }));
    let names: Vec<&str> = run.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(names, ["stackwave.run", "workflow_run.id"]);
}

#[test]
fn an_answer_that_is_an_error_is_one_for_whoever_asked() {
    let spans = spans_of(|| {
        drop(span!("client", trace.parent = %context(1), otel.kind = "client", http.status = 404));
        drop(span!("server", trace.parent = %context(1), otel.kind = "server", http.status = 404));
        drop(span!("broken", trace.parent = %context(1), otel.kind = "server", http.status = 503));
    });
    let failed = |name: &str| matches!(spans[name].status, opentelemetry::trace::Status::Error { .. });
    assert_eq!((failed("client"), failed("server"), failed("broken")), (true, false, true));
}
