//! The one place that makes up ids.

use stackwave_domain::{ProcessId, RecordId};

/// Makes ids that nobody has made before. They sort by the time at which they were made.
#[derive(Clone, Debug)]
pub struct Ids {
    process: ProcessId,
}

impl Default for Ids {
    fn default() -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        Self { process: ProcessId::new(id) }
    }
}

impl Ids {
    /// This process, from its start to its end.
    #[must_use]
    pub const fn process(&self) -> &ProcessId {
        &self.process
    }

    /// A new record's name.
    #[must_use]
    pub fn record(&self) -> RecordId {
        RecordId::new(uuid::Uuid::now_v7().simple().to_string())
    }

    /// A new trace id, as answers carry it: 32 hex digits, as W3C trace context has them.
    #[must_use]
    pub fn trace(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}
