//! Finds a moment in a stream.

use crate::{EventLog, LogError};
use stackwave_domain::{Position, StreamId, Timestamp};

/// By some twenty reads of one record.
pub(crate) async fn position_at<L: EventLog + ?Sized>(
    log: &L,
    stream: StreamId,
    time: Timestamp,
) -> Result<Position, LogError> {
    let end = log.last_position(stream).await?.next();
    let first = log.first_position(stream).await?.unwrap_or(end);
    let mut bisection = Bisection::new(first, end, time);
    while let Some(asked) = bisection.question() {
        let page = log.read(stream, asked, 1).await?;
        bisection.answer(asked, page.first().map(|entry| (entry.position, entry.record.at)));
    }
    Ok(bisection.found())
}

/// The search for the first record that was written at a time or later. It asks for the first record at or after a
/// position until it knows; how that is found out is left to the adapter.
#[derive(Clone, Debug)]
pub struct Bisection {
    time: Timestamp,
    /// What lies below is older.
    low: Position,
    /// What lies here or above is not.
    high: Position,
    found: Position,
}

impl Bisection {
    /// Between the first record and `end`, one past the last.
    #[must_use]
    pub const fn new(first: Position, end: Position, time: Timestamp) -> Self {
        Self { time, low: first, high: end, found: end }
    }

    /// The position that it asks about; none once it knows.
    #[must_use]
    pub fn question(&self) -> Option<Position> {
        let between = self.high.0.saturating_sub(self.low.0);
        (between > 0).then_some(Position(self.low.0 + between / 2))
    }

    /// The first record at or after the position, and when it was written.
    pub fn answer(&mut self, asked: Position, next: Option<(Position, Timestamp)>) {
        match next {
            Some((position, at)) if at < self.time => self.low = position.next(),
            Some((position, _)) => {
                self.high = asked;
                // It may lie after a gap.
                self.found = position;
            }
            None => self.high = asked,
        }
    }

    /// The position of the record; one past the last when all are older.
    #[must_use]
    pub const fn found(&self) -> Position {
        self.found
    }
}
