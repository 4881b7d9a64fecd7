//! The event log, observed: how long appends take, what becomes of them, and what they hold.

use crate::metrics::Metrics;
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Digest, Entry, Event, Position, Record, StreamId, Subject, Timestamp, event::Source};
use stackwave_event_log::{
    Append, AppendError, Appended, Asides, Entries, EventLog, Filter, Leases, LogError, RawRecord, Snapshots,
    Upkeep,
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tracing::{Instrument as _, field::Empty};

/// So many own records are remembered until they are folded; a role that folds nothing forgets the oldest.
const REMEMBERED: usize = 8192;

/// An event log whose appends are counted, timed and seen in traces.
pub struct ObservedLog {
    inner: Arc<dyn EventLog>,
    metrics: Arc<Metrics>,
    own: OwnRecords,
}

/// The records that this process appended and has not folded yet: of several replicas that fold a record, only its
/// writer counts it.
#[derive(Clone, Default)]
pub struct OwnRecords(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    ids: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl OwnRecords {
    fn add(&self, id: &str) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id: Arc<str> = id.into();
        if own.ids.insert(Arc::clone(&id)) {
            own.order.push_back(id);
        }
        while own.order.len() > REMEMBERED {
            let oldest = own.order.pop_front();
            oldest.map(|oldest| own.ids.remove(&oldest));
        }
    }

    /// Whether the record is ours.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ids.contains(id)
    }
}

impl ObservedLog {
    /// The same log, observed.
    #[must_use]
    pub fn new(inner: Arc<dyn EventLog>, metrics: Arc<Metrics>) -> (Arc<Self>, OwnRecords) {
        let own = OwnRecords::default();
        (Arc::new(Self { inner, metrics, own: own.clone() }), own)
    }

    fn count(&self, kind: &str, result: &Result<Appended, AppendError>, took: std::time::Duration) {
        let result = match result {
            Ok(_) => "ok",
            Err(AppendError::Conflict { .. }) => "conflict",
            Err(AppendError::Unknown(_)) => "unknown",
            Err(AppendError::Unavailable(_)) => "unavailable",
            Err(AppendError::Invalid(_)) => "invalid",
        };
        let kind = ("kind", kind.to_owned());
        self.metrics.append_duration.get_or_create(&vec![kind.clone()]).observe(took.as_secs_f64());
        self.metrics.appends.get_or_create(&vec![kind, ("result", result.to_owned())]).inc();
    }

    fn count_events(&self, events: &[Event]) {
        for event in events {
            self.metrics.events.get_or_create(&vec![("event", event.name().to_owned())]).inc();
            if let Event::WorkflowRunObserved(observed) = event {
                let source = match &observed.source {
                    Source::Webhook { .. } => "webhook",
                    Source::Poll { .. } => "poll",
                };
                self.metrics.observations.get_or_create(&vec![("source", source.to_owned())]).inc();
            }
        }
    }
}

/// The kind of a subject as a label: without what follows a dot in a name of somebody's.
fn kind_of(subject: &Subject) -> String {
    if subject.stream() == StreamId::Config {
        return "config".to_owned();
    }
    let mut parts = subject.kind().split('.');
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("obs", Some(second)) => format!("obs.{second}"),
        (first, _) => first.to_owned(),
    }
}

fn span(kind: &str, subject: &Subject, record: &Record) -> tracing::Span {
    let mut names: Vec<&str> = record.events.iter().map(Event::name).collect();
    names.dedup();
    tracing::info_span!(
        "append",
        otel.name = format!("append {kind}"),
        otel.kind = "producer",
        otel.status = Empty,
        trace.parent = record.trace.as_deref(),
        log.subject = %subject,
        log.record = %record.id,
        log.events = record.events.len() as u64,
        log.event = names.into_iter().take(8).collect::<Vec<_>>().join(", "),
        log.position = Empty,
    )
}

#[async_trait]
impl EventLog for ObservedLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let kind = kind_of(&append.subject);
        let span = span(&kind, &append.subject, &append.record);
        let (id, events) = (append.record.id.clone(), append.record.events.clone());
        // Before it lands: a follower may deliver it before the acknowledgement is here.
        self.own.add(id.as_str());
        let began = Instant::now();
        let result = self.inner.append(append).instrument(span.clone()).await;
        self.count(&kind, &result, began.elapsed());
        match &result {
            Ok(appended) => {
                span.record("log.position", appended.receipt.position.0);
                if !appended.duplicate {
                    self.count_events(&events);
                }
            }
            Err(AppendError::Conflict { .. }) => {}
            Err(_) => {
                span.record("otel.status", "error");
            }
        }
        result
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.inner.read(stream, from, limit).await
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.inner.read_of(stream, filter, from, limit).await
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.inner.read_raw(stream, from, limit).await
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        self.inner.follow(stream, from).await
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        self.inner.last(subject).await
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        self.inner.last_position(stream).await
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        self.inner.first_position(stream).await
    }

    async fn position_at(&self, stream: StreamId, time: Timestamp) -> Result<Position, LogError> {
        self.inner.position_at(stream, time).await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        self.inner.put_blob(bytes).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        self.inner.get_blob(digest).await
    }

    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }

    fn is_exclusive(&self) -> bool {
        self.inner.is_exclusive()
    }

    fn snapshots(&self) -> &dyn Snapshots {
        self.inner.snapshots()
    }

    fn leases(&self) -> &dyn Leases {
        self.inner.leases()
    }

    fn asides(&self) -> &dyn Asides {
        self.inner.asides()
    }

    fn upkeep(&self) -> &dyn Upkeep {
        self.inner.upkeep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{PrNumber, RepositoryId, WorkspaceId};

    #[test]
    fn kinds_of_subjects_are_few() {
        let (stream, id) = (StreamId::Partition(0), RepositoryId(1));
        for (subject, kind) in [
            (Subject::upload(stream, id), "obs.upload"),
            (Subject::github(stream, id, "workflow_run"), "obs.github"),
            (Subject::dispatch(stream, id), "obs.dispatch"),
            (Subject::ledger(stream, id), "ledger"),
            (Subject::comment(stream, id, &WorkspaceId::default_workspace(), PrNumber(1)), "comment"),
            (Subject::config("api_key", "k"), "config"),
            (Subject::config_github("ping"), "config"),
        ] {
            assert_eq!(kind_of(&subject), kind, "{subject}");
        }
    }

    #[test]
    fn the_oldest_own_records_are_forgotten() {
        let own = OwnRecords::default();
        for number in 0..=REMEMBERED {
            own.add(&number.to_string());
        }
        assert!(!own.has("0") && own.has("1") && own.has(&REMEMBERED.to_string()));
    }
}
