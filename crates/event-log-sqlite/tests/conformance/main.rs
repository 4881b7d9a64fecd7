//! The suite of the port, against a SQLite file.

mod harness;

use harness::SqliteHarness;

stackwave_event_log::conformance_tests!(Some(SqliteHarness::new()));
