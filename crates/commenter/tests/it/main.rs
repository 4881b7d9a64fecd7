//! What the comment says, and that it is said once.
#![expect(clippy::unwrap_used, reason = "tests")]

mod gfm;
mod large;
mod names;
mod scenario;
mod service;
mod text;
