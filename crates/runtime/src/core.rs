//! What a service is started with.

use crate::{clock::Clock, config_view::ConfigView, health::Health, ids::Ids};
use stackwave_domain::{Event, Record};
use stackwave_event_log::EventLog;
use std::sync::Arc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The log, the clock, ids, health and the stop signal of one process. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Ids,
    /// Who is ready.
    pub health: Health,
    /// The configuration, as folded.
    pub config: ConfigView,
    /// Cancelled when the process shall drain.
    pub shutdown: CancellationToken,
    /// What has to end before the process may: sends that GitHub may have taken, and the records of their results.
    pub tasks: TaskTracker,
}

impl Core {
    /// A record of this process with a fresh id and the clock's time.
    #[must_use]
    pub fn record(&self, actor: &str, events: Vec<Event>) -> Record {
        Record::new(self.ids.record(), self.clock.now(), actor, events)
    }
}
