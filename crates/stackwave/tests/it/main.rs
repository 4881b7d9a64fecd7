//! The executable as people and scripts call it: what it prints where, and its exit codes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod codes;
mod credentials;
mod doctor;
mod nats;
mod operations;
mod remote;
mod replay;
mod support;
mod telemetry;
