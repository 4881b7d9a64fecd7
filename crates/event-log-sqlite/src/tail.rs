//! The newest entries of a stream, decoded, and the bell that wakes its followers.

use crate::heads::{self, Heads};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_event_log::Append;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// At most this many entries are kept for a stream.
const KEPT_ENTRIES: usize = 4096;
/// And at most this much JSON, before it was decoded.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// A follower gets at most this many entries at once from memory.
const BATCH: usize = 256;

/// The tails of all streams.
#[derive(Clone, Debug)]
pub(crate) struct Tails(HashMap<StreamId, Arc<Tail>>);

impl Tails {
    pub(crate) fn new(partitions: u16, heads: &Heads) -> Self {
        Self(
            heads::streams(partitions)
                .map(|stream| (stream, Arc::new(Tail::at(heads.stream(stream)))))
                .collect(),
        )
    }

    pub(crate) fn of(&self, stream: StreamId) -> Option<&Arc<Tail>> {
        self.0.get(&stream)
    }

    /// Forgets what is kept: followers read the file up to where the heads say that it ends.
    pub(crate) fn reset(&self, heads: &Heads) {
        for (stream, tail) in &self.0 {
            tail.reset(heads.stream(*stream));
        }
    }

    /// No record will come any more.
    pub(crate) fn close(&self) {
        for tail in self.0.values() {
            tail.bell.send_modify(|state| state.closed = true);
        }
    }
}

/// A committed entry and the size of its JSON.
pub(crate) struct Committed {
    pub(crate) entry: Arc<Entry>,
    pub(crate) bytes: usize,
}

impl Committed {
    pub(crate) fn new(append: Append, position: Position, bytes: usize) -> Self {
        let Append { subject, record, .. } = append;
        Self { entry: Arc::new(Entry { position, subject, record }), bytes }
    }

    pub(crate) fn stream(&self) -> StreamId {
        self.entry.subject.stream()
    }
}

/// How far a stream goes, and whether it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) last: Position,
    pub(crate) closed: bool,
}

/// The end of one stream.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: Mutex<Kept>,
    bell: watch::Sender<End>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<(Arc<Entry>, usize)>,
    bytes: usize,
}

impl Tail {
    fn at(last: Position) -> Self {
        Self { kept: Mutex::default(), bell: watch::Sender::new(End { last, closed: false }) }
    }

    /// The last committed position.
    pub(crate) fn last(&self) -> Position {
        self.bell.borrow().last
    }

    /// Rings whenever the end moves.
    pub(crate) fn subscribe(&self) -> watch::Receiver<End> {
        self.bell.subscribe()
    }

    /// Adds what was committed, in order, and wakes the followers.
    pub(crate) fn extend(&self, committed: Vec<Committed>) {
        let Some(last) = committed.last().map(|committed| committed.entry.position) else { return };
        let mut dropped = Vec::new();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for Committed { entry, bytes } in committed {
            kept.bytes += bytes;
            kept.entries.push_back((entry, bytes));
        }
        while kept.entries.len() > KEPT_ENTRIES || kept.bytes > KEPT_BYTES {
            let Some((entry, bytes)) = kept.entries.pop_front() else { break };
            kept.bytes -= bytes;
            dropped.push(entry);
        }
        drop(kept);
        self.bell.send_modify(|state| state.last = last);
    }

    /// Entries from a position on, at most `limit`; empty at the end, none when only the file has them.
    pub(crate) fn since(&self, from: Position, limit: usize) -> Option<Vec<Entry>> {
        let shared: Vec<Arc<Entry>> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let first = kept.entries.front().map(|(entry, _)| entry.position);
            if first.is_none_or(|first| first > from) {
                return (from > self.last()).then(Vec::new);
            }
            let start = kept.entries.partition_point(|(entry, _)| entry.position < from);
            kept.entries.range(start..).take(limit.min(BATCH)).map(|(entry, _)| Arc::clone(entry)).collect()
        };
        Some(shared.iter().map(|entry| Entry::clone(entry)).collect())
    }

    /// Leaves what lies up to `through` to the file.
    pub(crate) fn forget(&self, through: Position) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((entry, bytes)) = kept.entries.front()
            && entry.position <= through
        {
            kept.bytes -= *bytes;
            kept.entries.pop_front();
        }
    }

    fn reset(&self, last: Position) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
        self.bell.send_modify(|state| state.last = last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{Record, RecordId, RepositoryId, Subject, Timestamp};

    fn committed(position: u64, bytes: usize) -> Committed {
        let record =
            Record::new(RecordId::new(position.to_string()), Timestamp::UNIX_EPOCH, "test", Vec::new());
        let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(1));
        Committed { entry: Arc::new(Entry { position: Position(position), subject, record }), bytes }
    }

    fn positions(entries: Option<Vec<Entry>>) -> Option<Vec<u64>> {
        entries.map(|entries| entries.iter().map(|entry| entry.position.0).collect())
    }

    #[test]
    fn the_newest_entries_are_kept_and_older_ones_are_left_to_the_file() {
        let tail = Tail::at(Position(4));
        assert_eq!(positions(tail.since(Position(3), 10)), None);
        assert_eq!(positions(tail.since(Position(5), 10)), Some(vec![]));
        tail.extend((5..=9).map(|position| committed(position, 10)).collect());
        assert_eq!(tail.last(), Position(9));
        assert_eq!(positions(tail.since(Position(4), 10)), None);
        assert_eq!(positions(tail.since(Position(5), 2)), Some(vec![5, 6]));
        assert_eq!(positions(tail.since(Position(9), 2)), Some(vec![9]));
        assert_eq!(positions(tail.since(Position(10), 2)), Some(vec![]));
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_in_bytes() {
        let tail = Tail::at(Position::START);
        let many = KEPT_ENTRIES as u64 + 10;
        tail.extend((1..=many).map(|position| committed(position, 1)).collect());
        assert_eq!(positions(tail.since(Position(10), 1)), None);
        assert_eq!(positions(tail.since(Position(11), 1)), Some(vec![11]));
        tail.extend(vec![committed(many + 1, KEPT_BYTES)]);
        assert_eq!(positions(tail.since(Position(many), 1)), None);
        assert_eq!(positions(tail.since(Position(many + 1), 1)), Some(vec![many + 1]));
        tail.extend(vec![committed(many + 2, KEPT_BYTES + 1)]);
        assert_eq!(positions(tail.since(Position(many + 2), 1)), None, "the file has it");
    }
}
