//! Scenarios over real HTTP with real processes. Each is a function of the shape, run on SQLite and on JetStream.

#![expect(clippy::unwrap_used, reason = "tests")]

mod activities;
mod apart;
mod apply;
mod bad_input;
mod chaos;
mod commands;
mod faults;
mod installation;
mod kill;
mod lost;
mod plan;
mod replicas;
mod uploads;
