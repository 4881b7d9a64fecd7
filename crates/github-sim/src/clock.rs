//! The simulation's own time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// A source of time that can be moved forward, for instance to let tokens expire.
/// Job times and delays of faults run on the runtime's timer and do not follow it.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ahead_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's time.
    #[must_use]
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the edge of the simulation: everything else is given this clock"
        )]
        Self::from_fn(Timestamp::now)
    }

    /// A time that the caller decides.
    pub fn from_fn(source: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { source: Arc::new(source), ahead_seconds: Arc::default() }
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.source)() + SignedDuration::from_secs(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// Moves the clock forward, for all its clones. Counts whole seconds.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.ahead_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}

/// GitHub writes times with seconds and no fraction.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
