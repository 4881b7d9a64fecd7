//! What operators see, as they see it.

mod lines;
mod otlp;
mod page;
mod traces;
