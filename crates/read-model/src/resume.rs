//! A file against the log: whether it is of this log, and what the log holds beyond it.

use crate::store::{Mark, Store};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_event_log::{LogError, MAX_BATCH};
use stackwave_runtime::{Core, stow};
use std::collections::BTreeMap;

/// So many records may wait in memory for the partition to be read.
const FEW: u64 = 8_192;

/// What the partitions hold beyond the file, where that is little. A snapshot of the state may be newer than the file, and
/// then nobody shows these records again; without them everything would have to be folded once more.
pub(crate) async fn gaps(
    core: &Core,
    store: &Store,
    last: &BTreeMap<StreamId, Position>,
) -> Result<BTreeMap<StreamId, Vec<Entry>>, LogError> {
    let mut gaps = BTreeMap::new();
    for (stream, last) in last.iter().filter(|(stream, _)| **stream != StreamId::Config) {
        let done = store.shared().tracks(|tracks| tracks.get(*stream)).done.position;
        if done == Position::START || last.0.saturating_sub(done.0) > FEW {
            continue;
        }
        let mut gap: Vec<Entry> = Vec::new();
        let mut from = done.next();
        while from <= *last {
            let mut page = core.log.read(*stream, from, MAX_BATCH).await?;
            let Some(end) = page.last() else { break };
            from = end.position.next();
            stow::hydrate(&core.log, &mut page).await?;
            gap.extend(page.into_iter().filter(|entry| entry.position <= *last));
        }
        gaps.insert(*stream, gap);
    }
    Ok(gaps)
}

/// Whether the last records that were projected are in this log. One that was purged since is taken for good.
pub(crate) async fn is_of_this_log(
    core: &Core,
    store: &Store,
    last: &BTreeMap<StreamId, Position>,
) -> Result<bool, LogError> {
    for (stream, Mark { position, record }) in store.shared().tracks(|tracks| tracks.done()) {
        if position == Position::START {
            continue;
        }
        if last.get(&stream).is_none_or(|last| position > *last) {
            return Ok(false);
        }
        let Some(record) = record else { continue };
        if core.log.first_position(stream).await?.is_none_or(|first| first > position) {
            continue;
        }
        let there = core.log.read(stream, position, 1).await?;
        let same = there.first().is_some_and(|it| it.position == position && it.record.id == record);
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}
