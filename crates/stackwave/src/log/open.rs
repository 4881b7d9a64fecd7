//! Opens a log for reading.

use crate::config::{LogSettings, LogTarget};
use stackwave_event_log::{EventLog, LogError};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_event_log_sqlite::SqliteLog;
use std::sync::Arc;

/// Opens it as it is, beside whoever serves it: nothing is made or changed.
pub(crate) async fn open(settings: &LogSettings) -> Result<Arc<dyn EventLog>, LogError> {
    match &settings.target {
        LogTarget::Sqlite(path) => Ok(SqliteLog::open_read_only(path)?),
        LogTarget::Nats(url) => {
            let options = NatsOptions { name: "stackwave log".to_owned(), ..settings.nats_options(url) };
            Ok(NatsLog::open_existing(options).await?)
        }
    }
}
