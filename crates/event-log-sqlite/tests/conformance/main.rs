//! The suite of the port, against a SQLite file.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

mod harness;

use harness::SqliteHarness;

stackwave_event_log::conformance_tests!(Some(SqliteHarness::new()));
