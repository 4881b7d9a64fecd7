//! The service over real HTTP, on a log in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bursts;
mod deliveries;
mod refusals;
mod support;
