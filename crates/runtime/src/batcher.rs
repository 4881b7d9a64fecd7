//! Appends without a position check, collected: while one append to a subject is in flight, what comes for the same
//! subject waits and goes out as one record. With an fsync a record this is what makes a burst fast (design §3.1).
//!
//! Each subject has a lane: the first append of an idle lane goes out at once, those that come meanwhile are collected
//! into the next record. Whoever appends is answered when its own record is durable.

use crate::core::Core;
use stackwave_domain::{Event, Position, Record, Subject, TraceContext, codec::CodecError};
use stackwave_event_log::{Append, AppendError};
use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// The first pause after an append that did not work; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The bounds of collecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in one record.
    pub events: usize,
    /// Bytes of their JSON in one record; far below what a log takes, so that a follower never waits long for one.
    pub bytes: usize,
    /// Bytes of JSON that wait for one subject; more are refused with [`BatchError::Busy`].
    pub waiting_bytes: usize,
    /// How long a log that does not answer is tried before everybody whose events are in the record is told.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 256,
            bytes: 256 * 1024,
            waiting_bytes: 32 << 20,
            // Longer than a leader's election, shorter than anybody who waits for an answer.
            patience: Duration::from_secs(8),
        }
    }
}

/// What belongs together: it goes out in one record, alone or with others.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What happened.
    pub events: Vec<Event>,
    /// The run, upload or delivery that it belongs to. Of several in one record the first is named: each event has an
    /// identity of its own.
    pub correlation: Option<String>,
    /// The span that writes it; likewise.
    pub trace: Option<TraceContext>,
    /// The position that made the writer write it; of several the last.
    pub cause: Option<Position>,
}

impl From<Vec<Event>> for Item {
    fn from(events: Vec<Event>) -> Self {
        Self { events, ..Self::default() }
    }
}

/// Events that were not appended, as far as is known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BatchError {
    /// More waits for the subject than may wait.
    #[error("too much waits to be appended to the same subject")]
    Busy,
    /// The log does not take it, alone or with others; trying again is no use.
    #[error("{bytes} bytes of events cannot be appended: {error}")]
    Invalid {
        /// Of the caller's own events, as JSON.
        bytes: usize,
        /// Why.
        error: Arc<CodecError>,
    },
    /// The log did not take it in time. It may have landed all the same: then a second append is a duplicate, which
    /// the fold drops by the events' own identities.
    #[error("the event log did not take it in time: {0}")]
    Log(String),
    /// The process is ending.
    #[error("the process ends")]
    Ended,
}

/// Collects appends by subject. Cheap to clone.
#[derive(Clone)]
pub struct Batcher {
    core: Core,
    actor: &'static str,
    limits: Limits,
    /// The lanes that are being written. A lane that is not here is idle.
    lanes: Arc<Mutex<HashMap<Subject, Lane>>>,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    item: Item,
    /// Of its events, as JSON.
    bytes: usize,
    answer: oneshot::Sender<Result<Position, BatchError>>,
}

impl Batcher {
    /// A batcher whose records name this actor.
    #[must_use]
    pub fn new(core: Core, actor: &'static str, limits: Limits) -> Self {
        Self { core, actor, limits, lanes: Arc::default() }
    }

    /// Appends, alone or with others, and returns the record's place once it is durable.
    ///
    /// # Errors
    /// See [`BatchError`].
    pub async fn append(&self, subject: &Subject, item: impl Into<Item>) -> Result<Position, BatchError> {
        let item = item.into();
        let bytes = json_bytes(&item.events);
        let (answer, answered) = oneshot::channel();
        if self.enqueue(subject, Waiting { item, bytes, answer })? {
            // A task of its own: the others' events must not depend on this caller. The process waits for it before it
            // ends.
            let driver = Driver { batcher: self.clone(), subject: subject.clone(), is_done: false };
            self.core.tasks.spawn(driver.drive());
        }
        answered.await.unwrap_or(Err(BatchError::Ended))
    }

    /// Appends, again and again until the log has it: for results, which must not be lost. None when the process ends
    /// before, or when no log would ever take it.
    pub async fn append_surely(
        &self,
        subject: &Subject,
        events: Vec<Event>,
        cause: Option<Position>,
    ) -> Option<Position> {
        self.append_item_surely(subject, Item { events, cause, ..Item::default() }).await
    }

    /// Likewise, with what belongs to the events.
    pub async fn append_item_surely(&self, subject: &Subject, item: Item) -> Option<Position> {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.append(subject, item.clone()).await {
                Ok(position) => return Some(position),
                Err(error) => error,
            };
            tracing::error!(%error, %subject, "a record cannot be appended; trying again");
            if matches!(error, BatchError::Invalid { .. }) {
                return None;
            }
            tokio::select! {
                () = self.core.shutdown.cancelled() => return None,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    /// Whether the lane was idle, so that somebody has to drive it.
    fn enqueue(&self, subject: &Subject, waiting: Waiting) -> Result<bool, BatchError> {
        let mut lanes = self.lock();
        if let Some(lane) = lanes.get_mut(subject) {
            if lane.bytes + waiting.bytes > self.limits.waiting_bytes {
                return Err(BatchError::Busy);
            }
            lane.bytes += waiting.bytes;
            lane.waiting.push_back(waiting);
            return Ok(false);
        }
        let bytes = waiting.bytes;
        lanes.insert(subject.clone(), Lane { waiting: VecDeque::from([waiting]), bytes });
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, Lane>> {
        // A panic while the lock is held leaves the lanes whole: every change is one push or pop.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one lane until nothing waits in it. Should it end otherwise, the lane is idle again, and whoever waits is told.
struct Driver {
    batcher: Batcher,
    subject: Subject,
    /// The lane is gone: a new one may have another driver already.
    is_done: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.is_done {
            self.batcher.lock().remove(&self.subject);
        }
    }
}

impl Driver {
    async fn drive(mut self) {
        while let Some(batch) = self.next_batch() {
            self.write(batch).await;
        }
    }

    /// What goes out next; none, and the lane is idle, when nothing waits.
    fn next_batch(&mut self) -> Option<Vec<Waiting>> {
        let limits = &self.batcher.limits;
        let mut lanes = self.batcher.lock();
        let (mut batch, mut events, mut bytes) = (Vec::new(), 0, 0);
        let lane = lanes.get_mut(&self.subject)?;
        while let Some(next) = lane.waiting.front() {
            events += next.item.events.len();
            bytes += next.bytes;
            // One alone goes out whatever its size: the log judges it.
            if (events > limits.events || bytes > limits.bytes) && !batch.is_empty() {
                break;
            }
            lane.bytes -= next.bytes;
            batch.extend(lane.waiting.pop_front());
        }
        if batch.is_empty() {
            lanes.remove(&self.subject);
            self.is_done = true;
            return None;
        }
        Some(batch)
    }

    async fn write(&self, batch: Vec<Waiting>) {
        let mut events = Vec::with_capacity(batch.iter().map(|waiting| waiting.item.events.len()).sum());
        let mut answers = Vec::with_capacity(batch.len());
        let (mut correlation, mut trace, mut cause) = (None, None, None);
        for Waiting { item, bytes, answer } in batch {
            events.extend(item.events);
            correlation = correlation.or(item.correlation);
            trace = trace.or(item.trace);
            cause = item.cause.max(cause);
            answers.push((answer, bytes));
        }
        let mut record = self.batcher.core.record(self.batcher.actor, events);
        record.correlation = correlation;
        record.trace = trace.map(|trace| trace.to_string());
        record.cause = cause;
        let result = self.append(record).await;
        for (answer, bytes) in answers {
            let result = match &result {
                Ok(position) => Ok(*position),
                Err(Failure::Invalid(error)) => Err(BatchError::Invalid { bytes, error: Arc::clone(error) }),
                Err(Failure::Log(error)) => Err(BatchError::Log(error.clone())),
            };
            // Whoever waited may have given up; the record is in the log all the same.
            let _ = answer.send(result);
        }
    }

    async fn append(&self, record: Record) -> Result<Position, Failure> {
        let append = Append::any(self.subject.clone(), record);
        let deadline = Instant::now() + self.batcher.limits.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let log = &self.batcher.core.log;
            let error = match tokio::time::timeout_at(deadline, log.append(append.clone())).await {
                Ok(Ok(appended)) => return Ok(appended.receipt.position),
                Ok(Err(AppendError::Invalid(error))) => return Err(Failure::Invalid(Arc::new(error))),
                // The same record once more: it has one id, by which the fold knows it.
                Ok(Err(
                    error @ (AppendError::Unknown(_)
                    | AppendError::Unavailable(_)
                    | AppendError::Conflict { .. }),
                )) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() + pause >= deadline {
                return Err(Failure::Log(error));
            }
            tracing::debug!(error, subject = %self.subject, "the same record is appended again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Why a record did not land.
enum Failure {
    Invalid(Arc<CodecError>),
    Log(String),
}

/// How long the JSON of events is, without keeping it.
fn json_bytes(events: &[Event]) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Events serialise: every key is a string. One that did not would be refused by the log.
    let _ = serde_json::to_writer(&mut counter, events);
    counter.0
}

#[cfg(test)]
mod tests;
