//! What operators see of Stackwave: metrics for Prometheus, traces for OpenTelemetry, and its own log lines.
//!
//! Everything is observed from outside, so that no service knows who watches: the log through [`ObservedLog`], folded
//! records through [`FoldObserver`], HTTP and gRPC through layers ([`http`], [`grpc`]), and spans through the `tracing`
//! macros that the services use anyway ([`trace`] says which fields of a span mean what). Start with [`Metrics`], which
//! names every metric once, and with [`trace::SpanLayer`].

pub mod exposition;
pub mod fold;
pub mod grpc;
pub mod http;
pub mod log;
pub mod metrics;
mod process;
pub mod sample;
pub mod trace;

pub use self::{fold::FoldObserver, log::ObservedLog, metrics::Metrics};
