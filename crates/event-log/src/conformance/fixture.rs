//! Records to append, and a follower that checks what it gets.

use crate::{Append, AppendError, Appended, Entries, EventLog, Filter, LogError, MAX_BATCH};
use futures::StreamExt as _;
use stackwave_domain::{
    Entry, Event, Position, Record, RecordId, RepositoryId, StreamId, Subject, Timestamp,
    event::{PingObserved, Source},
};
use std::{collections::VecDeque, time::Duration};

/// No case waits longer than this for one thing; a log that needs longer has lost it.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// The stream that [`crash_append`] goes to.
pub const CRASH_STREAM: StreamId = StreamId::Partition(1);

/// The first partition.
#[must_use]
pub const fn partition() -> StreamId {
    StreamId::Partition(0)
}

/// The ledger of a repository in the first partition.
#[must_use]
pub fn ledger(repository: u64) -> Subject {
    Subject::ledger(partition(), RepositoryId(repository))
}

/// Uploads of a repository in the first partition.
pub(super) fn uploads(repository: u64) -> Subject {
    Subject::upload(partition(), RepositoryId(repository))
}

/// A record with one event, told from others by its id.
pub fn record(id: impl AsRef<str>) -> Record {
    let ping = PingObserved { source: Source::Webhook { delivery: "delivery-1".into() }, hook: 7 };
    Record::new(RecordId::new(id), Timestamp::UNIX_EPOCH, "conformance", vec![Event::from(ping)])
}

/// What [`Harness::crash`](super::Harness::crash) appends: the payload is a function of the number, so that a torn
/// record is noticed.
#[must_use]
pub fn crash_append(number: u64) -> Append {
    let subject = Subject::upload(CRASH_STREAM, RepositoryId(1));
    Append::any(subject, record(format!("crash-{number}")).about(crash_payload(number)))
}

pub(super) fn crash_payload(number: u64) -> String {
    let length = usize::try_from(number % 7).unwrap_or(0) * 400;
    number.to_string().chars().cycle().take(length).collect()
}

/// Appends and expects that it lands, at its own position.
pub(super) async fn land(log: &dyn EventLog, append: Append) -> Position {
    let id = append.record.id.clone();
    let appended = log.append(append).await.expect("the append should land");
    assert!(!appended.duplicate, "{id} should not be a duplicate");
    assert_eq!(appended.receipt.record, id);
    appended.receipt.position
}

/// Appends records with these ids without expectation, many at a time but each once.
pub(super) async fn land_all(log: &dyn EventLog, subject: &Subject, ids: impl Iterator<Item = String>) {
    futures::stream::iter(ids)
        .for_each_concurrent(256, |id| async move {
            land(log, Append::any(subject.clone(), record(id).about("x".repeat(300)))).await;
        })
        .await;
}

/// Expects that the append was refused for its expectation.
pub(super) fn assert_conflict(result: Result<Appended, AppendError>) {
    assert!(matches!(result, Err(AppendError::Conflict { .. })), "expected a conflict, got {result:?}");
}

/// All entries of a stream.
pub(super) async fn read_all(log: &dyn EventLog, stream: StreamId) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let from = all.last().map_or(Position::START, |entry| entry.position).next();
        let page = log.read(stream, from, usize::MAX).await.expect("the log should be readable");
        assert!(page.len() <= MAX_BATCH, "a page of {} records", page.len());
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Up to `limit` records of some kind, however many pages a log makes of them.
pub(super) async fn read_of(log: &dyn EventLog, filter: &Filter, from: Position, limit: usize) -> Vec<Entry> {
    let (mut all, mut from): (Vec<Entry>, Position) = (Vec::new(), from);
    while all.len() < limit {
        let page = log.read_of(partition(), filter, from, limit - all.len()).await;
        let page = page.expect("the records should be found");
        let Some(last) = page.last() else { break };
        from = last.position.next();
        all.extend(page);
    }
    all
}

/// A follower's entries one by one, with what the port promises of them checked.
pub struct Followed {
    stream: StreamId,
    entries: Entries,
    ready: VecDeque<Entry>,
    last: Position,
}

impl Followed {
    /// Starts to follow.
    ///
    /// # Panics
    /// The stream cannot be followed.
    pub async fn from(log: &dyn EventLog, stream: StreamId, from: Position) -> Self {
        let entries = log.follow(stream, from).await.expect("the stream should be followed");
        Self { stream, entries, ready: VecDeque::new(), last: Position(from.0.saturating_sub(1)) }
    }

    /// The next entries.
    ///
    /// # Panics
    /// The follower ends, or breaks a promise.
    pub async fn take(&mut self, count: usize) -> Vec<Entry> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let next = self.next().await.expect("the follower should go on");
            taken.push(next.expect("the follower should go on"));
        }
        taken
    }

    /// The next entry; none once the follower has ended.
    ///
    /// # Panics
    /// The follower breaks a promise, or nothing comes.
    pub async fn next(&mut self) -> Option<Result<Entry, LogError>> {
        if self.ready.is_empty() {
            match tokio::time::timeout(DEADLINE, self.entries.next()).await.expect("something should come")? {
                Ok(batch) => self.accept(batch),
                Err(error) => return Some(Err(error)),
            }
        }
        self.ready.pop_front().map(Ok)
    }

    /// The next entries; a follower that ended with the handle that it came from starts again on this one.
    pub(super) async fn take_or_reopen(&mut self, log: &dyn EventLog, count: usize) -> Vec<Entry> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            match self.next().await {
                Some(Ok(entry)) => taken.push(entry),
                Some(Err(LogError::Setup(_))) | None => {
                    self.entries = log.follow(self.stream, self.last.next()).await.expect("a new follower");
                }
                Some(Err(error)) => panic!("the follower should go on: {error}"),
            }
        }
        taken
    }

    fn accept(&mut self, batch: Vec<Entry>) {
        assert!(!batch.is_empty(), "a batch should not be empty");
        assert!(batch.len() <= MAX_BATCH, "a batch of {} records", batch.len());
        for entry in batch {
            assert!(
                entry.position > self.last,
                "position {} came after position {}",
                entry.position,
                self.last
            );
            assert_eq!(entry.subject.stream(), self.stream);
            self.last = entry.position;
            self.ready.push_back(entry);
        }
    }
}

/// The record ids of entries, in order.
pub(super) fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.record.id.as_str()).collect()
}

/// Asks again until there is an answer.
pub(super) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}"),
    }
}
