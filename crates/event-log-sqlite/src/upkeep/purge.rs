//! Removes records.

use crate::{heads, writer::Worker};
use stackwave_domain::{Position, StreamId, Subject};
use stackwave_event_log::{Freed, KeepLast};

/// So many records are looked at in one transaction.
const STEP: u32 = 2000;

/// Looks at the records after a position, removes those that may go, and tells where to go on.
pub(super) fn step(
    worker: &mut Worker,
    stream: StreamId,
    after: Position,
    through: Position,
    keep_last: KeepLast,
) -> rusqlite::Result<(Freed, Option<Position>)> {
    let name = stream.name();
    let through = through.min(worker.heads.stream(stream));
    let transaction = worker.connection.transaction()?;
    let (mut freed, mut forgotten, mut looked_at) = (Freed::default(), 0, (0, after));
    {
        let mut records = transaction.prepare_cached(
            "SELECT position, subject, octet_length(body) FROM records
             WHERE stream = ?1 AND position > ?2 AND position <= ?3 ORDER BY position LIMIT ?4",
        )?;
        let found: Vec<(u64, String, u64)> = records
            .query_map((&name, after.0, through.0, STEP), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut remove =
            transaction.prepare_cached("DELETE FROM records WHERE stream = ?1 AND position = ?2")?;
        for (position, text, bytes) in found {
            let position = Position(position);
            looked_at = (looked_at.0 + 1, position);
            // One that is none of ours was put there by hand, and nobody expects anything of it.
            let subject = text.parse::<Subject>().ok();
            let last_of_subject = match subject {
                Some(subject) if heads::of_subject(&transaction, &subject)? == position => Some(subject),
                _ => None,
            };
            let stays =
                position == worker.heads.stream(stream) || last_of_subject.as_ref().is_some_and(keep_last);
            if stays {
                continue;
            }
            remove.execute((&name, position.0))?;
            freed += Freed { count: 1, bytes };
            forgotten += u64::from(last_of_subject.is_some());
        }
    }
    let mut counters = worker.counters.without_records(stream, freed, forgotten);
    counters.save(&transaction)?;
    if let Err(error) = transaction.commit() {
        // Nobody knows whether it went.
        worker.recover();
        return Err(error);
    }
    worker.counters = counters;
    if let Some(tail) = worker.tails.of(stream) {
        tail.forget(looked_at.1);
    }
    Ok((freed, (looked_at.0 == STEP).then_some(looked_at.1)))
}
