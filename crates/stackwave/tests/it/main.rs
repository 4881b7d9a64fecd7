//! The executable as people and scripts call it: what it prints where, and its exit codes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod codes;
mod nats;
mod support;
