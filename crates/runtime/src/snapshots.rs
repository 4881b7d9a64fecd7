//! Snapshots of folds: when one is stored, and whether one that is there may be used.
//!
//! A snapshot is a cache. It is stored every few thousand records and at the end of the process, from a copy, so that
//! folding does not wait for its bytes. The bytes begin with the id of the last record that was folded: a snapshot that
//! the log outlived (a log that was restored from a backup, or created anew) is told by it and not used.

use crate::{
    ids::Ids,
    start::{Origin, Start},
};
use bytes::Bytes;
use stackwave_domain::{Position, RecordId, StreamId};
use stackwave_engine::{Config, SNAPSHOT_VERSION, State, state::SnapshotError};
use stackwave_event_log::{EventLog, LogError, SnapshotKey};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// When snapshots are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Once so many records were folded since the last one.
    pub records: u64,
    /// But not more often than this.
    pub interval: Duration,
    /// At the end of the process, unless fewer records than this were folded since the last one. Folding so few again
    /// takes less time than reading a snapshot.
    pub at_end: u64,
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self { records: 4096, interval: Duration::from_secs(30), at_end: 64 }
    }
}

/// How long storing one at the end of the process may take.
const AT_END: Duration = Duration::from_secs(10);

/// What can be folded and written down.
pub(crate) trait Fold: Clone + Send + Sync + Sized + 'static {
    fn write(&self) -> Result<Vec<u8>, SnapshotError>;
    fn read(bytes: &[u8]) -> Result<Self, SnapshotError>;
}

impl Fold for State {
    fn write(&self) -> Result<Vec<u8>, SnapshotError> {
        self.to_snapshot()
    }

    fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::from_snapshot(bytes)
    }
}

impl Fold for Config {
    fn write(&self) -> Result<Vec<u8>, SnapshotError> {
        self.to_snapshot()
    }

    fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::from_snapshot(bytes)
    }
}

const fn key(stream: StreamId) -> SnapshotKey {
    SnapshotKey { stream, engine: SNAPSHOT_VERSION }
}

/// The newest snapshot of this version, if it is one of this log.
pub(crate) async fn load<T: Fold>(
    log: &dyn EventLog,
    stream: StreamId,
) -> Result<Option<Start<T>>, LogError> {
    let Some((position, bytes)) = log.snapshots().load(key(stream)).await? else { return Ok(None) };
    let unusable = |why: &str| {
        tracing::warn!(%stream, %position, why, "a snapshot is not used; the records are folded instead");
        Ok(None)
    };
    let Some((tip, bytes)) = unpack(bytes) else { return unusable("it is damaged") };
    let there = log.read(stream, position, 1).await?;
    if !there.first().is_some_and(|entry| entry.position == position && entry.record.id == tip) {
        return unusable("the log does not hold the record with which it ends");
    }
    let read = spawn_blocking(move || T::read(&bytes)).await;
    match read {
        Ok(Ok(state)) => Ok(Some(Start { state, origin: Origin::Snapshot(position), tip: Some(tip) })),
        Ok(Err(error)) => unusable(&error.to_string()),
        Err(error) => unusable(&error.to_string()),
    }
}

/// The last record's id, its length before it, then the state.
fn pack(tip: &RecordId, state: &[u8]) -> Bytes {
    let id = tip.as_str().as_bytes();
    let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
    let mut bytes = Vec::with_capacity(1 + id.len() + state.len());
    bytes.push(length);
    bytes.extend(&id[..usize::from(length)]);
    bytes.extend(state);
    bytes.into()
}

fn unpack(bytes: Bytes) -> Option<(RecordId, Bytes)> {
    let length = usize::from(*bytes.first()?);
    let id = std::str::from_utf8(bytes.get(1..=length)?).ok()?;
    Some((RecordId::new(id), bytes.slice(1 + length..)))
}

/// Stores snapshots of one stream, one at a time.
pub(crate) struct Keeper {
    log: Arc<dyn EventLog>,
    stream: StreamId,
    policy: SnapshotPolicy,
    /// The last record that was folded.
    tip: Option<RecordId>,
    /// So many since the last snapshot.
    folded: u64,
    /// When that was.
    last: Instant,
    is_storing: Arc<AtomicBool>,
}

impl Keeper {
    pub(crate) fn new(log: Arc<dyn EventLog>, stream: StreamId, mut policy: SnapshotPolicy) -> Self {
        // Replicas fold the same records at the same time: they become due one after the other, and all but the first
        // find one that is new enough.
        policy.records += spread(Ids::default().process().as_str(), policy.records / 4);
        let last = Instant::now();
        Self { log, stream, policy, tip: None, folded: 0, last, is_storing: Arc::default() }
    }

    /// The fold starts after this record.
    pub(crate) fn start(&mut self, tip: Option<RecordId>) {
        self.tip = tip;
        self.folded = 0;
    }

    /// So many records were folded, the last of them with this id.
    pub(crate) fn folded(&mut self, records: usize, tip: &RecordId) {
        self.folded += records as u64;
        self.tip = Some(tip.clone());
    }

    /// Whether it is time for a snapshot.
    pub(crate) fn is_due(&self) -> bool {
        self.folded >= self.policy.records
            && self.last.elapsed() >= self.policy.interval
            && !self.is_storing.load(Ordering::Relaxed)
    }

    /// Stores a copy of what was folded up to `position`, in a task of its own.
    pub(crate) fn store<T: Fold>(&mut self, position: Position, copy: T) {
        self.last = Instant::now();
        self.folded = 0;
        let Some(task) = self.task(position, self.policy.records / 2) else { return };
        let is_storing = Arc::clone(&self.is_storing);
        is_storing.store(true, Ordering::Relaxed);
        tokio::spawn(async move {
            task.run(copy).await;
            is_storing.store(false, Ordering::Relaxed);
        });
    }

    /// Stores what was folded at the end of the process; returns when that is done, or takes too long.
    pub(crate) async fn store_at_end<T: Fold>(&self, position: Position, copy: impl FnOnce() -> T) {
        if self.folded < self.policy.at_end.max(1) {
            return;
        }
        let Some(task) = self.task(position, self.policy.at_end) else { return };
        if tokio::time::timeout(AT_END, task.run(copy())).await.is_err() {
            tracing::warn!(stream = %self.stream, "storing a snapshot took too long; the next start folds more");
        }
    }

    fn task(&self, position: Position, near: u64) -> Option<Task> {
        let (log, tip) = (Arc::clone(&self.log), self.tip.clone()?);
        Some(Task { log, stream: self.stream, position, tip, near })
    }
}

/// One snapshot to store.
struct Task {
    log: Arc<dyn EventLog>,
    stream: StreamId,
    position: Position,
    tip: RecordId,
    /// One that is at most so many records older is as good.
    near: u64,
}

impl Task {
    async fn run<T: Fold>(self, copy: T) {
        match self.store(copy).await {
            Ok(Some(bytes)) => {
                tracing::debug!(stream = %self.stream, position = %self.position, bytes, "a snapshot was stored");
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(stream = %self.stream, %error, "a snapshot was not stored; the next start folds more");
            }
        }
    }

    async fn store<T: Fold>(&self, copy: T) -> Result<Option<usize>, LogError> {
        let there = self.log.snapshots().list(self.stream).await?;
        let as_good = there.iter().any(|stored| {
            stored.engine == SNAPSHOT_VERSION && stored.position.0 + self.near >= self.position.0
        });
        if as_good {
            return Ok(None);
        }
        let tip = self.tip.clone();
        let written = spawn_blocking(move || copy.write().map(|state| pack(&tip, &state)));
        let bytes = written
            .await
            .map_err(|error| error.to_string())
            .and_then(|written| written.map_err(|error| error.to_string()))
            .map_err(|error| LogError::Corrupt { at: "the state".to_owned(), error })?;
        let size = bytes.len();
        self.log.snapshots().put(key(self.stream), self.position, bytes).await?;
        Ok(Some(size))
    }
}

/// A number below `below` that differs from process to process.
fn spread(process: &str, below: u64) -> u64 {
    let hash = process.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.checked_rem(below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_is_told_before_the_state() {
        let id = RecordId::new("019a1c7e-5d20-7b31-9a54-00000000001b");
        let packed = pack(&id, b"state");
        assert_eq!(unpack(packed), Some((id, Bytes::from_static(b"state"))));
        assert_eq!(unpack(Bytes::new()), None);
        assert_eq!(unpack(Bytes::from_static(b"\x09short")), None);
    }

    #[test]
    fn processes_are_spread() {
        assert!(spread("one", 1000) != spread("two", 1000));
        assert_eq!(spread("one", 0), 0);
    }
}
