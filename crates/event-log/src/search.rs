//! Finds a moment in a stream.

use crate::{EventLog, LogError};
use stackwave_domain::{Position, StreamId, Timestamp};

/// The first position whose record was written at `time` or later, by bisection: some twenty reads of one record.
pub(crate) async fn position_at<L: EventLog + ?Sized>(
    log: &L,
    stream: StreamId,
    time: Timestamp,
) -> Result<Position, LogError> {
    let (mut low, end) = match log.first_position(stream).await? {
        Some(first) => (first, log.last_position(stream).await?.next()),
        None => return Ok(log.last_position(stream).await?.next()),
    };
    let mut high = end;
    // What lies below `low` is older, what lies at `high` or above is not.
    while low < high {
        let middle = Position(low.0 + (high.0 - low.0) / 2);
        match log.read(stream, middle, 1).await?.first() {
            Some(entry) if entry.record.at < time => low = entry.position.next(),
            Some(_) | None => high = middle,
        }
    }
    // The record that was found may lie after a gap.
    Ok(log.read(stream, high, 1).await?.first().map_or(end, |entry| entry.position))
}
