//! When the newest records were written, by position.

use stackwave_domain::{Entry, Position, Timestamp};
use std::collections::VecDeque;

/// A cause that is older than so many records tells nothing of how fast anything is.
const REMEMBERED: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<(Position, Timestamp)>);

impl Recent {
    pub(super) fn add(&mut self, entries: &[Entry]) {
        let newest = entries.len().saturating_sub(REMEMBERED);
        self.0.extend(entries[newest..].iter().map(|entry| (entry.position, entry.record.at)));
        let surplus = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..surplus);
    }

    pub(super) fn at(&self, position: Position) -> Option<Timestamp> {
        let index = self.0.binary_search_by_key(&position, |(known, _)| *known).ok()?;
        Some(self.0[index].1)
    }
}
