//! The read model beside a real log: it follows, restarts, is killed, is built anew, and comes to say the same.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[expect(dead_code, reason = "the benchmark uses more of it")]
#[path = "../../benches/lists/history.rs"]
mod history;

mod files;
mod following;
mod world;
