//! Records from the past and then as they are appended, without a gap and without a repeat.

use super::{
    convert,
    request::{Scope, Wanted},
};
use crate::{context::Context, errors, sources::Narrator};
use futures::StreamExt as _;
use stackwave_admin_proto::v1::StreamEventsResponse;
use stackwave_domain::{Entry, Event, Position};
use stackwave_event_log::{EventLog, Filter, LogError};
use tokio::sync::mpsc;
use tonic::Status;

/// Records that are read at once.
const PAGE: usize = 128;

type Sender = mpsc::Sender<Result<StreamEventsResponse, Status>>;

/// There is nothing more to tell.
struct Done;

/// Sends what is wanted, until it ends, or for ever. Waits for the client: what it has not taken is not read.
pub(super) async fn tell(
    context: &Context,
    wanted: Wanted,
    narrator: Box<dyn Narrator>,
    sender: &Sender,
) -> Result<(), Status> {
    let log = context.core.log.as_ref();
    let mut tail = Tail { log, left: wanted.limit, next: wanted.from, wanted, narrator, sender };
    match tail.run().await {
        Ok(Done) => Ok(()),
        Err(error) => Err(errors::log(&error)),
    }
}

struct Tail<'a> {
    log: &'a dyn EventLog,
    wanted: Wanted,
    narrator: Box<dyn Narrator>,
    sender: &'a Sender,
    /// The position from which on nothing was told.
    next: Position,
    left: Option<u32>,
}

impl Tail<'_> {
    async fn run(&mut self) -> Result<Done, LogError> {
        self.learn().await?;
        // Up to here the log's index is used, which passes over the records of others.
        let known = match self.wanted.end {
            Some(end) => end,
            None => self.log.last_position(self.wanted.stream).await?,
        };
        while self.next <= known {
            let page = self.page(self.next).await?;
            let Some(last) = page.last().map(|entry| entry.position) else { break };
            for entry in &page {
                if self.wanted.end.is_some_and(|end| entry.position > end) || self.tell(entry).await.is_some()
                {
                    return Ok(Done);
                }
            }
            self.next = last.next();
        }
        if self.wanted.end.is_some() {
            return Ok(Done);
        }
        self.next = self.next.max(known.next());
        let mut entries = self.log.follow(self.wanted.stream, self.next).await?;
        while let Some(batch) = entries.next().await {
            for entry in &batch? {
                if self.tell(entry).await.is_some() {
                    return Ok(Done);
                }
            }
        }
        Err(LogError::Unavailable("the stream of the event log ended".to_owned()))
    }

    /// A run's upload comes before the run is opened: what belongs to it has to be known before the first is told.
    async fn learn(&mut self) -> Result<(), LogError> {
        let Scope::Run { begins, opened, .. } = &self.wanted.scope else { return Ok(()) };
        let (mut from, end) = (*begins, (*opened).max(Position(self.next.0.saturating_sub(1))));
        while from <= end {
            let page = self.page(from).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            page.iter().filter(|entry| entry.position <= end).for_each(|entry| self.narrator.add(entry));
        }
        Ok(())
    }

    async fn page(&self, from: Position) -> Result<Vec<Entry>, LogError> {
        let stream = self.wanted.stream;
        match &self.wanted.scope {
            Scope::Run { repository, .. } | Scope::Repository(repository) => {
                self.log.read_of(stream, &Filter::Repository(*repository), from, PAGE).await
            }
            Scope::Stream => self.log.read(stream, from, PAGE).await,
        }
    }

    /// Tells a record, if it is wanted.
    async fn tell(&mut self, entry: &Entry) -> Option<Done> {
        let of_repository = match &self.wanted.scope {
            Scope::Run { repository, .. } | Scope::Repository(repository) => Some(*repository),
            Scope::Stream => None,
        };
        if of_repository.is_some() && entry.subject.repository() != of_repository {
            return None;
        }
        self.narrator.add(entry);
        let events: Vec<&Event> =
            entry.record.events.iter().filter(|event| self.wants(entry, event)).collect();
        if events.is_empty() {
            return None;
        }
        let record = convert::record(self.narrator.as_ref(), entry, events.into_iter());
        let answer = StreamEventsResponse { record: Some(record) };
        if self.sender.send(Ok(answer)).await.is_err() {
            return Some(Done);
        }
        let left = self.left.as_mut()?;
        *left -= 1;
        (*left == 0).then_some(Done)
    }

    fn wants(&self, entry: &Entry, event: &Event) -> bool {
        let named = self.wanted.names.is_empty() || self.wanted.names.contains(event.name());
        let about = match &self.wanted.scope {
            Scope::Run { run, .. } => self.narrator.is_about(entry, event, run),
            Scope::Repository(_) | Scope::Stream => true,
        };
        named && about
    }
}
