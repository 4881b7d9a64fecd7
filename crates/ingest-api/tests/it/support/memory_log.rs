//! An event log in memory whose faults a test can order.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use stackwave_domain::{Digest, Entry, Position, Receipt, StreamId, Subject, codec};
use stackwave_event_log::{
    Append, AppendError, Appended, Entries, EventLog, Expect, Filter, Leases, LocalLeases, LogError,
    RawRecord,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::watch;

/// What happens to an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It certainly does not land.
    Unavailable,
    /// It lands, but the answer is lost.
    LandsUnknown,
    /// It is lost, and so is the answer.
    LostUnknown,
}

/// Records of any number of streams, message ids that are never forgotten, blobs.
pub(crate) struct MemoryLog {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Sender<u64>,
    /// Appends to partitions wait while this is true.
    held: watch::Sender<bool>,
    leases: LocalLeases,
}

#[derive(Default)]
struct Inner {
    streams: BTreeMap<StreamId, Vec<Entry>>,
    message_ids: BTreeMap<(StreamId, String), Position>,
    blobs: BTreeMap<Digest, Bytes>,
    faults: VecDeque<Fault>,
    waiting: usize,
}

impl MemoryLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::default(),
            changed: watch::channel(0).0,
            held: watch::channel(false).0,
            leases: LocalLeases::default(),
        })
    }

    /// The next appends to partitions meet these faults, one each.
    pub(crate) fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// Makes appends to partitions wait, or lets them go.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// How many appends wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Every record of a stream.
    pub(crate) fn entries(&self, stream: StreamId) -> Vec<Entry> {
        self.lock().streams.get(&stream).cloned().unwrap_or_default()
    }

    /// Every message id that was used, in order.
    pub(crate) fn message_ids(&self) -> Vec<String> {
        self.lock().message_ids.keys().map(|(_, id)| id.clone()).collect()
    }

    /// Every byte that the log holds: records as JSON, and blobs.
    pub(crate) fn everything(&self) -> String {
        let inner = self.lock();
        let records = inner.streams.values().flatten();
        let mut text: String =
            records.map(|entry| serde_json::to_string(&entry.record).unwrap() + "\n").collect();
        for blob in inner.blobs.values() {
            text.push_str(&String::from_utf8_lossy(blob));
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn land(&self, append: Append) -> Result<Appended, AppendError> {
        let mut inner = self.lock();
        // As the adapters do: what cannot be encoded never lands.
        codec::encode(&append.record)?;
        let stream = append.subject.stream();
        let record = append.record.id.clone();
        if let Some(id) = &append.message_id
            && let Some(position) = inner.message_ids.get(&(stream, id.clone())).copied()
        {
            let first = inner.streams[&stream][position.0 as usize - 1].record.id.clone();
            return Ok(Appended { receipt: Receipt { record: first, position }, duplicate: true });
        }
        let entries = inner.streams.entry(stream).or_default();
        let last = entries.iter().rev().find(|entry| entry.subject == append.subject);
        if let Expect::Last(expected) = append.expect
            && last.map_or(Position::START, |entry| entry.position) != expected
        {
            return Err(AppendError::Conflict { expected });
        }
        let position = Position(entries.len() as u64 + 1);
        entries.push(Entry { position, subject: append.subject, record: append.record });
        if let Some(id) = append.message_id {
            inner.message_ids.insert((stream, id), position);
        }
        drop(inner);
        self.changed.send_modify(|count| *count += 1);
        Ok(Appended { receipt: Receipt { record, position }, duplicate: false })
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.subject.stream() == StreamId::Config {
            return self.land(append);
        }
        self.lock().waiting += 1;
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        self.lock().waiting -= 1;
        let fault = self.lock().faults.pop_front();
        match fault {
            None => self.land(append),
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("ordered by the test".to_owned())),
            Some(Fault::LostUnknown) => Err(AppendError::Unknown("ordered by the test".to_owned())),
            Some(Fault::LandsUnknown) => {
                self.land(append)?;
                Err(AppendError::Unknown("ordered by the test".to_owned()))
            }
        }
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        let entries = self.entries(stream).into_iter();
        Ok(entries.filter(|entry| entry.position >= from).take(limit).collect())
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let entries = self.entries(stream).into_iter().filter(|entry| filter.takes(&entry.subject));
        Ok(entries.filter(|entry| entry.position >= from).take(limit).collect())
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        let raw = |entry: Entry| RawRecord {
            position: entry.position,
            subject: entry.subject.to_string(),
            stored_at: None,
            body: codec::encode(&entry.record).unwrap().into(),
        };
        Ok(self.read(stream, from, limit).await?.into_iter().map(raw).collect())
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        let state = (Arc::clone(&self.inner), self.changed.subscribe(), from);
        let entries = futures::stream::unfold(state, move |(inner, mut changed, next)| async move {
            loop {
                changed.borrow_and_update();
                let known = inner.lock().unwrap().streams.get(&stream).cloned().unwrap_or_default();
                let batch: Vec<Entry> = known.into_iter().filter(|entry| entry.position >= next).collect();
                if let Some(last) = batch.last() {
                    let next = last.position.next();
                    return Some((Ok(batch), (inner, changed, next)));
                }
                changed.changed().await.ok()?;
            }
        });
        Ok(entries.boxed())
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        Ok(self.entries(subject.stream()).into_iter().rev().find(|entry| entry.subject == *subject))
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        Ok(self.entries(stream).first().map(|entry| entry.position))
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        Ok(Position(self.entries(stream).len() as u64))
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        let digest = Digest::of(&bytes);
        self.lock().blobs.insert(digest.clone(), bytes);
        Ok(digest)
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        Ok(self.lock().blobs.get(digest).cloned())
    }

    fn leases(&self) -> &dyn Leases {
        &self.leases
    }

    fn partitions(&self) -> u16 {
        1
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
