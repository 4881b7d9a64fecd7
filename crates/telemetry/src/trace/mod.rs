//! Traces out of `tracing` spans, and log lines that name them.
//!
//! A trace goes through the log: each record names the span that wrote it ([`stackwave_domain::TraceContext`]), and who
//! goes on from there makes a span with that as its parent. So a span's place is a *field* of it, and services need
//! nothing but the `tracing` macros:
//!
//! | field | means |
//! |---|---|
//! | `trace.context` | a `traceparent`: the span is exactly this one, because a record or an answer names it |
//! | `trace.parent` | a `traceparent`: the span is below that one |
//! | `trace.link` | a `traceparent`: the span has to do with that one, of another trace |
//! | `time.start_ms`, `time.end_ms` | when it really began and ended, in Unix milliseconds, where that is not now |
//! | `otel.name`, `otel.kind`, `otel.status` | its name where that is not constant; `server`, `client`, …; `error` |
//!
//! A span with neither `trace.context` nor `trace.parent` belongs to the trace of the span around it; without one it is
//! in no trace and is not exported. Every other field is an attribute. Secrets are never fields.

mod fields;
mod json;
mod layer;
mod lines;
mod otlp;

pub use self::{
    json::JsonLines,
    layer::{SpanLayer, SpanSink},
    lines::{LineFilter, TextFields},
    otlp::{Exporter, OtlpError, OtlpOptions},
};
