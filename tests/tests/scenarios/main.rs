//! Scenarios over real HTTP with real processes. Each is a function of the shape, run on SQLite and on JetStream.

mod apply;
mod faults;
mod kill;
mod plan;
mod uploads;
