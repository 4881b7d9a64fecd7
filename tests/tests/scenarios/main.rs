//! Scenarios over real HTTP with real processes. Each is a function of the shape, run on SQLite and on JetStream.

mod apart;
mod apply;
mod bad_input;
mod faults;
mod kill;
mod lost;
mod plan;
mod uploads;
