//! One pass over all records: what goes, what stays, and to which blobs what stays refers.

use stackwave_domain::{Digest, Position, StreamId, Subject, Timestamp, codec};
use stackwave_event_log::{EventLog, Freed, LogError, MAX_BATCH, RawRecord, is_checked};
use std::collections::{BTreeMap, BTreeSet};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// What would be removed of each partition.
    pub(super) removed: BTreeMap<StreamId, Freed>,
    /// What stays before its point.
    pub(super) kept: BTreeMap<StreamId, Vec<Position>>,
    /// To which blobs the records that stay refer.
    pub(super) referred: BTreeSet<Digest>,
    /// When the newest record that would be removed was written.
    pub(super) newest: Option<Timestamp>,
}

/// The newest record of a checked subject so far, if it lies before the point.
struct Last {
    position: Position,
    bytes: u64,
    blobs: Vec<Digest>,
}

/// One stream.
#[derive(Default)]
struct Pass {
    through: Position,
    removed: Freed,
    last: BTreeMap<Subject, Last>,
}

pub(super) async fn scan(
    log: &dyn EventLog,
    through: &BTreeMap<StreamId, Position>,
) -> Result<Scan, LogError> {
    let mut scan = Scan::default();
    let partitions = (0..log.partitions()).map(StreamId::Partition);
    for stream in std::iter::once(StreamId::Config).chain(partitions) {
        let point = through.get(&stream).copied().unwrap_or(Position::START);
        // The last record of a stream always stays.
        let end = log.last_position(stream).await?;
        let through = point.min(Position(end.0.saturating_sub(1)));
        let mut pass = Pass { through, ..Pass::default() };
        let mut from = Position(1);
        loop {
            let page = log.read_raw(stream, from, MAX_BATCH).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            page.iter().for_each(|record| pass.look_at(record, &mut scan));
        }
        let kept = pass.last.values().map(|last| last.position).chain((point == end).then_some(end));
        scan.kept.insert(stream, kept.collect());
        scan.referred.extend(pass.last.into_values().flat_map(|last| last.blobs));
        if point > Position::START {
            scan.removed.insert(stream, pass.removed);
        }
    }
    Ok(scan)
}

impl Pass {
    fn look_at(&mut self, raw: &RawRecord, scan: &mut Scan) {
        let bytes = raw.body.len() as u64;
        // What cannot be read refers to nothing that anybody could fetch.
        let record = codec::decode(&raw.body).ok();
        let blobs: Vec<Digest> =
            record.iter().flat_map(|record| record.blobs()).map(|blob| blob.digest).collect();
        let goes = raw.position <= self.through;
        let checked = raw.subject.parse::<Subject>().ok().filter(is_checked);
        if let Some(subject) = checked {
            let last = Last { position: raw.position, bytes, blobs: blobs.clone() };
            let before = if goes { self.last.insert(subject, last) } else { self.last.remove(&subject) };
            if let Some(before) = before {
                self.removed += Freed { count: 1, bytes: before.bytes };
            }
        } else if goes {
            self.removed += Freed { count: 1, bytes };
        }
        if goes {
            scan.newest = scan.newest.max(record.map(|record| record.at));
        } else {
            scan.referred.extend(blobs);
        }
    }
}
