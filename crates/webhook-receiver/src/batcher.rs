//! Observations that arrive while the one before is being written go out together (design §3.1).
//!
//! With one fsync a record, a burst of webhooks is as fast as it is batched. Each subject has a lane: its first
//! observation is appended at once, those that come meanwhile are collected into the next record. Every waiting request
//! is answered when its own record is durable.

use crate::{ACTOR, config::BatchLimits, error::Error};
use stackwave_domain::{DeliveryId, Event, Position, Subject};
use stackwave_event_log::{Append, AppendError};
use stackwave_runtime::Core;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// The first pause after an append that did not work; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Collects observations by subject.
#[derive(Clone)]
pub(crate) struct Batcher {
    core: Core,
    limits: BatchLimits,
    patience: Duration,
    /// The lanes that are being written. A lane that is not here is idle.
    lanes: Arc<Mutex<HashMap<Subject, Lane>>>,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

/// One delivery's observations, and who waits for them.
struct Waiting {
    delivery: DeliveryId,
    trace: String,
    events: Vec<Event>,
    bytes: usize,
    answer: oneshot::Sender<Result<Position, Error>>,
}

impl Batcher {
    pub(crate) fn new(core: Core, limits: BatchLimits, patience: Duration) -> Self {
        Self { core, limits, patience, lanes: Arc::default() }
    }

    /// Appends a delivery's events, alone or with others, and returns their place once they are durable.
    pub(crate) async fn append(
        &self,
        subject: Subject,
        delivery: DeliveryId,
        trace: String,
        events: Vec<Event>,
    ) -> Result<Position, Error> {
        let bytes = serde_json::to_vec(&events).map_or(0, |json| json.len());
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { delivery, trace, events, bytes, answer };
        let idle = self.enqueue(&subject, waiting)?;
        if idle {
            // A task of its own: the others' observations must not depend on this request's connection. The process
            // waits for it before it ends.
            self.core.tasks.spawn(self.clone().drive(subject));
        }
        answered.await.unwrap_or_else(|_| Err(Error::Internal("the lane's task ended".to_owned())))
    }

    /// Whether the lane was idle, so that somebody has to drive it.
    fn enqueue(&self, subject: &Subject, waiting: Waiting) -> Result<bool, Error> {
        let mut lanes = self.lock();
        if let Some(lane) = lanes.get_mut(subject) {
            if lane.bytes + waiting.bytes > self.limits.waiting_bytes {
                return Err(Error::Busy);
            }
            lane.bytes += waiting.bytes;
            lane.waiting.push_back(waiting);
            return Ok(false);
        }
        let bytes = waiting.bytes;
        lanes.insert(subject.clone(), Lane { waiting: VecDeque::from([waiting]), bytes });
        Ok(true)
    }

    /// Writes the lane until nothing waits in it.
    async fn drive(self, subject: Subject) {
        while let Some(batch) = self.next_batch(&subject) {
            let result = self.write(&subject, &batch).await;
            for waiting in batch {
                // A request whose connection is gone has nobody to tell.
                let _ = waiting.answer.send(result.clone());
            }
        }
    }

    /// What goes out next; none, and the lane is idle, when nothing waits.
    fn next_batch(&self, subject: &Subject) -> Option<Vec<Waiting>> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(subject)?;
        let (mut batch, mut events, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = lane.waiting.front() {
            events += next.events.len();
            bytes += next.bytes;
            // One delivery alone goes out whatever its size: the log judges it.
            let full = events > self.limits.events || bytes > self.limits.bytes;
            if full && !batch.is_empty() {
                break;
            }
            lane.bytes -= next.bytes;
            batch.extend(lane.waiting.pop_front());
        }
        if batch.is_empty() {
            lanes.remove(subject);
            return None;
        }
        Some(batch)
    }

    async fn write(&self, subject: &Subject, batch: &[Waiting]) -> Result<Position, Error> {
        let events = batch.iter().flat_map(|waiting| waiting.events.iter().cloned()).collect();
        let mut record = self.core.record(ACTOR, events);
        if let Some(first) = batch.first() {
            // Every event names its own delivery; the record can name only one.
            record.correlation = Some(first.delivery.to_string());
            let span = record.id.as_str().get(16..).unwrap_or("0000000000000001").to_owned();
            record.trace = Some(format!("00-{}-{span}-01", first.trace));
        }
        let append = Append::any(subject.clone(), record);
        let deadline = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match tokio::time::timeout_at(deadline, self.core.log.append(append.clone())).await {
                Ok(Ok(appended)) => return Ok(appended.receipt.position),
                Ok(Err(AppendError::Invalid(error))) => return Err(invalid(batch, &error)),
                Ok(Err(error @ AppendError::Conflict { .. })) => {
                    return Err(Error::Internal(error.to_string()));
                }
                // The same record once more: it has one id, by which the fold knows it.
                Ok(Err(error @ (AppendError::Unknown(_) | AppendError::Unavailable(_)))) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() + pause >= deadline {
                return Err(Error::Log(error));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, Lane>> {
        // A panic while the lock is held leaves the lanes whole: every change is one push or pop.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid(batch: &[Waiting], error: &stackwave_domain::codec::CodecError) -> Error {
    match batch {
        [only] => Error::EventTooLarge { bytes: only.bytes },
        _ => Error::Internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
