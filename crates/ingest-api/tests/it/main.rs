//! The service over real HTTP, on a log in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod chunks;
mod faults;
mod keys;
mod paths;
mod properties;
mod recorded;
mod refusals;
mod repositories;
mod support;
