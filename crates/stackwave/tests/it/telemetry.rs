//! What operators see of the executable: traces at a real collector, `/metrics`, the dashboard and the alerts over it,
//! and log lines.

mod collector;
mod exposition;
mod metrics;
mod queries;
pub(crate) mod serving;
mod trace;
