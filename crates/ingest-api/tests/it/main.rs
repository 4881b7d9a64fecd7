//! The service over real HTTP, on a log in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

mod recorded;
mod support;
