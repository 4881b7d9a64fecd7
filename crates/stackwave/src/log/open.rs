//! Opens a log for reading.

use crate::config::LogTarget;
use stackwave_event_log::{EventLog, LogError};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_event_log_sqlite::SqliteLog;
use std::sync::Arc;

/// A SQLite log is opened beside whoever serves it. `partitions` is what a JetStream log is expected to have.
pub(super) async fn open(target: &LogTarget, partitions: u16) -> Result<Arc<dyn EventLog>, LogError> {
    match target {
        LogTarget::Sqlite(path) => Ok(SqliteLog::open_read_only(path)?),
        LogTarget::Nats(url) => {
            let options = NatsOptions {
                partitions,
                name: "stackwave log".to_owned(),
                ..NatsOptions::new(url.as_str())
            };
            Ok(NatsLog::connect(options).await?)
        }
    }
}
