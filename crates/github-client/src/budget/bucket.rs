//! A token bucket.

use super::Rate;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// How much of the rate is ours, above 0 and up to 1.
    share: f64,
    /// Below zero after writes that could not wait.
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    pub(super) fn new(rate: Rate, share: f64, now: Instant) -> Self {
        let mut bucket = Self { rate, share, tokens: 0.0, filled_at: now };
        bucket.tokens = bucket.burst();
        bucket
    }

    fn per_second(&self) -> f64 {
        f64::from(self.rate.writes) * self.share / self.rate.per.as_secs_f64()
    }

    /// Writes a minute that are ours, rounded.
    pub(super) fn per_minute(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a small positive number"
        )]
        let writes = (self.per_second() * 60.0).round() as u32;
        writes
    }

    /// At least one write, or none could ever be made.
    fn burst(&self) -> f64 {
        (f64::from(self.rate.burst) * self.share).max(1.0)
    }

    /// From now on so much of the rate is ours.
    pub(super) fn set_share(&mut self, share: f64, now: Instant) {
        self.fill(now);
        self.share = share;
        self.fill(now);
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        self.tokens = passed.mul_add(self.per_second(), self.tokens).min(self.burst());
    }

    /// How many whole writes are there, up to `wanted`.
    pub(super) fn available(&mut self, now: Instant, wanted: usize) -> usize {
        self.fill(now);
        // A hair below a whole write is a whole write: the sum of many small fillings is not exact.
        (1..=wanted.min(self.rate.burst as usize))
            .take_while(|count| {
                u32::try_from(*count).is_ok_and(|count| f64::from(count) <= self.tokens + 1e-6)
            })
            .count()
    }

    /// How long until one write is there.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        self.fill(now);
        Duration::from_secs_f64(((1.0 - self.tokens) / self.per_second()).max(0.001))
    }

    /// How many writes are there.
    pub(super) fn left(&mut self, now: Instant) -> f64 {
        self.fill(now);
        self.tokens
    }

    pub(super) fn take(&mut self, count: usize) {
        self.tokens -= u32::try_from(count).map_or(0.0, f64::from);
    }
}
