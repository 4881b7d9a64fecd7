//! The layer that turns `tracing` spans into spans of a trace.

use super::fields::Fields;
use opentelemetry::{
    InstrumentationScope, Key, KeyValue, Value,
    trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SpanData, SpanLinks};
use stackwave_domain::TraceContext;
use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tracing::{
    Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Where finished spans go.
pub trait SpanSink: Send + Sync + 'static {
    /// One span ended. Returns at once.
    fn ended(&self, span: SpanData);
}

/// Gives spans their place in a trace, which log lines then name, and hands the finished ones to a sink.
pub struct SpanLayer {
    sink: Option<Arc<dyn SpanSink>>,
    ids: RandomIdGenerator,
    scope: InstrumentationScope,
}

/// The place of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) own: TraceContext,
    parent: Option<TraceContext>,
    /// The parent was made by another process, or at least may have been.
    remote: bool,
}

struct Began(SystemTime);

impl SpanLayer {
    /// Without a sink spans only have a place.
    #[must_use]
    pub fn new(sink: Option<Arc<dyn SpanSink>>) -> Self {
        let scope =
            InstrumentationScope::builder("stackwave").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { sink, ids: RandomIdGenerator::default(), scope }
    }

    fn place(&self, fields: &Fields, around: Option<TraceContext>) -> Option<Place> {
        let context = |name| fields.text(name).and_then(TraceContext::parse);
        let named = context("trace.parent");
        if let Some(own) = context("trace.context") {
            return Some(Place { own, parent: named.or(around), remote: named.is_some() });
        }
        // The span around it is the nearer parent, if it is of the same trace.
        let around =
            around.filter(|around| named.is_none_or(|named| named.trace_bytes() == around.trace_bytes()));
        let parent = around.or(named)?;
        let own = parent.with_span(self.ids.new_span_id().to_bytes())?;
        Some(Place { own, parent: Some(parent), remote: around.is_none() })
    }

    fn finish(&self, name: &'static str, place: Place, began: SystemTime, fields: &Fields) -> SpanData {
        let links = fields
            .text("trace.link")
            .and_then(TraceContext::parse)
            .map(|link| Link::new(span_context(link, true), Vec::new(), 0));
        let mut span_links = SpanLinks::default();
        span_links.links = links.into_iter().collect();
        let started = fields.integer("time.start_ms").map_or(began, unix_millis);
        let ended = fields.integer("time.end_ms").map_or_else(now, unix_millis).max(started);
        SpanData {
            span_context: span_context(place.own, false),
            parent_span_id: place
                .parent
                .map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.span_bytes())),
            parent_span_is_remote: place.remote,
            span_kind: kind(fields.text("otel.kind")),
            name: fields.text("otel.name").map_or(Cow::Borrowed(name), |name| Cow::Owned(name.to_owned())),
            start_time: started,
            end_time: ended,
            attributes: fields.iter().filter_map(|(name, value)| attribute(name, value)).collect(),
            dropped_attributes_count: 0,
            events: Default::default(),
            links: span_links,
            status: status(fields),
            instrumentation_scope: self.scope.clone(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "spans are measured by the machine's clock, and nothing depends on it"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn unix_millis(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis.max(0).unsigned_abs())
}

fn span_context(context: TraceContext, remote: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(context.trace_bytes()),
        SpanId::from_bytes(context.span_bytes()),
        if context.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED },
        remote,
        TraceState::NONE,
    )
}

fn kind(text: Option<&str>) -> SpanKind {
    match text {
        Some("server") => SpanKind::Server,
        Some("client") => SpanKind::Client,
        Some("producer") => SpanKind::Producer,
        Some("consumer") => SpanKind::Consumer,
        Some(_) | None => SpanKind::Internal,
    }
}

/// Said itself, or told by an HTTP status: a server's own failure, or any that a client met.
fn status(fields: &Fields) -> Status {
    let http = fields.integer("http.status").unwrap_or_default();
    let failed = match fields.text("otel.kind") {
        Some("client") => http >= 400,
        Some(_) | None => http >= 500,
    };
    if failed || fields.text("otel.status") == Some("error") { Status::error("") } else { Status::Unset }
}

/// A field that is an attribute; those that say what the span is are not. HTTP's have the names of the semantic
/// conventions.
///
/// Source: OpenTelemetry semantic conventions 1.37, "HTTP spans".
fn attribute(name: &'static str, value: &serde_json::Value) -> Option<KeyValue> {
    if is_about_the_span(name) {
        return None;
    }
    let name = match name {
        "http.method" => "http.request.method",
        "http.status" => "http.response.status_code",
        "http.path" => "url.path",
        "run.id" => "stackwave.run",
        "stack" => "stackwave.stack",
        "dispatch.id" => "stackwave.dispatch",
        "position" => "stackwave.position",
        "repository.id" => "stackwave.repository",
        "delivery.id" => "stackwave.delivery",
        "upload.id" => "stackwave.upload",
        other => other,
    };
    let value = match value {
        serde_json::Value::String(text) => Value::from(text.clone()),
        serde_json::Value::Bool(flag) => Value::from(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number),
            None => Value::from(number.as_f64()?),
        },
        _ => return None,
    };
    Some(KeyValue::new(Key::from_static_str(name), value))
}

/// Whether a field says where a span belongs, and nothing about what was done.
pub(crate) fn is_about_the_span(name: &str) -> bool {
    ["trace.", "time.", "otel."].iter().any(|prefix| name.starts_with(prefix))
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let around =
            span.scope().skip(1).find_map(|outer| outer.extensions().get::<Place>().map(|place| place.own));
        let mut extensions = span.extensions_mut();
        if let Some(place) = self.place(&fields, around) {
            extensions.insert(place);
            extensions.insert(Began(now()));
        }
        extensions.insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let (Some(sink), Some(span)) = (&self.sink, context.span(&id)) else { return };
        let extensions = span.extensions();
        let place = extensions.get::<Place>().copied().filter(|place| place.own.is_sampled());
        let (Some(place), Some(Began(began)), Some(fields)) =
            (place, extensions.get::<Began>(), extensions.get::<Fields>())
        else {
            return;
        };
        let span = self.finish(span.name(), place, *began, fields);
        drop(extensions);
        sink.ended(span);
    }
}
