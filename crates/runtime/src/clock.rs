//! The one place that asks what time it is.

use stackwave_domain::Timestamp;
use std::time::{Duration, Instant};

/// Time, as the edge sees it. Pure code gets moments passed in.
pub trait Clock: Send + Sync + 'static {
    /// The moment on the UTC time line.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place where the clock is read")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Milliseconds are what the log keeps; finer digits would only make records longer.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
