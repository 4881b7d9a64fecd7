//! Appends without a position check, collected: while one append to a subject is in flight, what comes for the same
//! subject waits and goes out as one record. With an fsync a record this is what makes a burst fast (design §3.1).

use crate::core::Core;
use stackwave_domain::{Event, Position, Record, Subject};
use stackwave_event_log::{Append, AppendError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// At most so many events in one record, so that no record comes near the log's limit.
const MAX_EVENTS: usize = 256;
/// How often an append whose answer was lost is sent again, with the same record id: the fold drops the second.
const TRIES: u32 = 40;
/// How long to wait before.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// Appends observations or results for one actor. Cheap to clone.
#[derive(Clone)]
pub struct Batcher {
    core: Core,
    actor: &'static str,
    lanes: Arc<Mutex<HashMap<Subject, Vec<Waiting>>>>,
}

struct Waiting {
    events: Vec<Event>,
    correlation: Option<String>,
    cause: Option<Position>,
    done: oneshot::Sender<Result<Position, Arc<AppendError>>>,
}

impl Batcher {
    /// A batcher whose records name this actor.
    #[must_use]
    pub fn new(core: Core, actor: &'static str) -> Self {
        Self { core, actor, lanes: Arc::default() }
    }

    /// Appends events and returns their record's position once it is durable.
    ///
    /// # Errors
    /// The log cannot take them, or its answer was lost again and again.
    pub async fn append(
        &self,
        subject: &Subject,
        events: Vec<Event>,
        correlation: Option<String>,
        cause: Option<Position>,
    ) -> Result<Position, Arc<AppendError>> {
        let (done, answer) = oneshot::channel();
        let waiting = Waiting { events, correlation, cause, done };
        {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lane) = lanes.get_mut(subject) {
                lane.push(waiting);
            } else {
                lanes.insert(subject.clone(), vec![waiting]);
                tokio::spawn(self.clone().drain(subject.clone()));
            }
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Arc::new(AppendError::Unavailable("the process stops".to_owned()))))
    }

    /// Appends, again and again until the log has it: for results, which must not be lost.
    pub async fn append_surely(
        &self,
        subject: &Subject,
        events: Vec<Event>,
        cause: Option<Position>,
    ) -> Option<Position> {
        let mut wait = TRY_AGAIN;
        loop {
            match self.append(subject, events.clone(), None, cause).await {
                Ok(position) => return Some(position),
                Err(error) => {
                    tracing::error!(%error, %subject, "a record cannot be appended; trying again");
                    tokio::select! {
                        () = self.core.shutdown.cancelled() => return None,
                        () = tokio::time::sleep(wait) => wait = (wait * 2).min(Duration::from_secs(5)),
                    }
                }
            }
        }
    }

    async fn drain(self, subject: Subject) {
        loop {
            let batch = {
                let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(lane) = lanes.get_mut(&subject) else { return };
                if lane.is_empty() {
                    lanes.remove(&subject);
                    return;
                }
                let mut events = 0;
                let fits = lane.iter().take_while(|waiting| {
                    events += waiting.events.len();
                    events <= MAX_EVENTS
                });
                let fits = fits.count().max(1);
                lane.drain(..fits).collect::<Vec<_>>()
            };
            self.append_batch(&subject, batch).await;
        }
    }

    async fn append_batch(&self, subject: &Subject, batch: Vec<Waiting>) {
        let mut events = Vec::new();
        let mut answers = Vec::new();
        let alone = batch.len() == 1;
        let (mut correlation, mut cause) = (None, None);
        for waiting in batch {
            events.extend(waiting.events);
            correlation = correlation.or(waiting.correlation);
            cause = cause.max(waiting.cause);
            answers.push(waiting.done);
        }
        let mut record = self.core.record(self.actor, events);
        // Each event keeps its own identity; one delivery's id would name the wrong ones.
        record.correlation = correlation.filter(|_| alone);
        record.cause = cause;
        let result = self.append_record(subject, record).await.map_err(Arc::new);
        for answer in answers {
            // Whoever waited may have given up; the record is in the log all the same.
            let _ = answer.send(result.clone());
        }
    }

    async fn append_record(&self, subject: &Subject, record: Record) -> Result<Position, AppendError> {
        let mut tries = 0;
        loop {
            match self.core.log.append(Append::any(subject.clone(), record.clone())).await {
                Ok(appended) => return Ok(appended.receipt.position),
                Err(AppendError::Unknown(why)) if tries < TRIES => {
                    tracing::warn!(why, %subject, "an append's answer was lost; the same record is sent again");
                    tries += 1;
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
