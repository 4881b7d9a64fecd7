//! What operators see, as they see it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod lines;
mod otlp;
mod page;
mod traces;
