//! Reading a stream in order, for ever.
//!
//! An ordered consumer of our own making: a pull consumer without acknowledgements, from a position on, that is thrown
//! away and replaced at the first sign of trouble: a reconnect, a missed heartbeat, a gap in its own count, an error.
//! What was delivered is known by its position alone, so a replacement neither repeats nor leaves out anything.
//! The client library's own ordered consumer notices a dead server after half a minute; this one after a few seconds.

use crate::{connection::Connection, entry};
use async_nats::jetstream::{
    consumer::{
        AckPolicy, DeliverPolicy,
        pull::{Config, Stream as Messages},
    },
    message::Message,
    stream::Stream,
};
use futures::{FutureExt as _, StreamExt as _, stream};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_event_log::{Entries, LogError};
use std::{
    error::Error,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// At most this many entries at once.
const BATCH: usize = 512;
/// So much the server sends ahead; more stays with it until a slow reader has taken what it has.
const AHEAD_MESSAGES: usize = 1024;
/// Likewise in bytes; larger than any message.
const AHEAD_BYTES: usize = 8 * 1024 * 1024;
/// How long a request for messages stands before it is renewed.
const PULL_EXPIRY: Duration = Duration::from_secs(20);
/// An idle consumer says so this often; after twice as long without a word it is replaced.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// The server forgets a consumer that nobody asks for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// How long a read waits for records that are known to be there; long enough to replace a consumer on the way.
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// A page of some records ends after so long, once it has any: where the next ones lie far apart the server looks for them
/// longer than whoever asks may want to wait.
const FILTERED_PAGE: Duration = Duration::from_millis(20);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// A reader's state between two batches.
pub(crate) struct Follow {
    stream: StreamId,
    source: Stream<()>,
    reconnects: watch::Receiver<u64>,
    next: Position,
    /// One pattern that the subjects match; all of them without. The server is much slower with two.
    filter: Option<String>,
    /// So many messages the server sends ahead.
    ahead: usize,
    forgotten_after: Duration,
    consumer: Option<Consumer>,
    retry: Duration,
    /// An entry that cannot be read, after those that can.
    broken: Option<LogError>,
    ended: bool,
}

/// A message with its position.
pub(crate) struct Raw {
    pub(crate) position: Position,
    pub(crate) message: Message,
}

struct Consumer {
    messages: Messages,
    /// How many messages it has delivered; the server counts along.
    delivered: u64,
}

/// Why a consumer is replaced.
type Trouble = Box<dyn Error + Send + Sync>;

impl Follow {
    pub(crate) fn new(stream: StreamId, source: Stream<()>, connection: &Connection, from: Position) -> Self {
        Self {
            stream,
            source,
            reconnects: connection.reconnects(),
            next: from.max(Position::START.next()),
            filter: None,
            ahead: AHEAD_MESSAGES,
            forgotten_after: FORGOTTEN_AFTER,
            consumer: None,
            retry: FIRST_RETRY,
            broken: None,
            ended: false,
        }
    }

    /// Only records whose subjects match a pattern.
    pub(crate) fn matching(mut self, filter: String) -> Self {
        self.filter = Some(filter);
        self
    }

    /// The stream that the port promises.
    pub(crate) fn into_entries(self) -> Entries {
        stream::unfold(self, async |mut follow| {
            if follow.ended {
                return None;
            }
            let batch = follow.batch(BATCH).await;
            follow.ended = batch.is_err();
            Some((batch, follow))
        })
        .boxed()
    }

    /// The entries up to `end`, which are known to be there, but at most `limit`.
    pub(crate) async fn page(mut self, end: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        let mut page = Vec::new();
        self.for_a_page(limit);
        let enough_at = self.filter.is_some().then(|| Instant::now() + FILTERED_PAGE);
        let enough = |page: &Vec<Entry>| {
            page.len() >= limit || !page.is_empty() && enough_at.is_some_and(|at| Instant::now() >= at)
        };
        while !enough(&page) && self.next <= end {
            match tokio::time::timeout(PAGE_TIMEOUT, self.batch(limit - page.len())).await {
                Ok(Ok(entries)) => page.extend(entries),
                Ok(Err(error)) if page.is_empty() => return Err(error),
                Err(_) if page.is_empty() => return Err(self.unreadable()),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(page)
    }

    /// The messages up to `end`, which are known to be there, but at most `limit`.
    pub(crate) async fn raw_page(mut self, end: Position, limit: usize) -> Result<Vec<Raw>, LogError> {
        let mut page = Vec::new();
        self.for_a_page(limit);
        while page.len() < limit && self.next <= end {
            match tokio::time::timeout(PAGE_TIMEOUT, self.fresh(limit - page.len())).await {
                Ok(messages) => page.extend(messages),
                Err(_) if page.is_empty() => return Err(self.unreadable()),
                Err(_) => break,
            }
        }
        Ok(page)
    }

    fn for_a_page(&mut self, limit: usize) {
        self.ahead = limit.clamp(1, AHEAD_MESSAGES);
        self.forgotten_after = PAGE_TIMEOUT;
    }

    fn unreadable(&self) -> LogError {
        LogError::Unavailable(format!("{} cannot be read", self.stream))
    }

    /// The next entries, as soon as there are any; up to the first that cannot be decoded.
    async fn batch(&mut self, limit: usize) -> Result<Vec<Entry>, LogError> {
        if let Some(broken) = self.broken.take() {
            return Err(broken);
        }
        let messages = self.fresh(limit).await;
        let mut entries = Vec::with_capacity(messages.len());
        for Raw { position, message } in messages {
            match entry::decode(&message.subject, position.0, &message.payload) {
                Ok(entry) => entries.push(entry),
                Err(error) if entries.is_empty() => return Err(error),
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            }
        }
        Ok(entries)
    }

    /// The next messages that were not delivered before, as soon as there are any.
    async fn fresh(&mut self, limit: usize) -> Vec<Raw> {
        loop {
            match self.receive(limit).await {
                Ok(mut messages) => {
                    self.retry = FIRST_RETRY;
                    messages.retain(|raw| raw.position >= self.next);
                    if let Some(last) = messages.last() {
                        self.next = last.position.next();
                        return messages;
                    }
                }
                Err(trouble) => self.replace_after(trouble).await,
            }
        }
    }

    /// Waits for a message, then takes what is there besides.
    async fn receive(&mut self, limit: usize) -> Result<Vec<Raw>, Trouble> {
        if self.consumer.is_none() {
            self.reconnects.mark_unchanged();
            self.consumer = Some(self.consume().await?);
        }
        let Some(consumer) = &mut self.consumer else { return Ok(Vec::new()) };
        let first = tokio::select! {
            biased;
            first = consumer.messages.next() => first.ok_or("the messages ended")??,
            changed = self.reconnects.changed() => {
                changed?;
                return Err("the connection was made anew".into());
            }
        };
        let mut received = vec![consumer.number(first)?];
        while received.len() < limit {
            match consumer.messages.next().now_or_never() {
                Some(Some(Ok(message))) => received.push(consumer.number(message)?),
                // Whatever else it is comes again when there is nothing to deliver before.
                Some(Some(Err(_)) | None) | None => break,
            }
        }
        Ok(received)
    }

    async fn consume(&self) -> Result<Consumer, Trouble> {
        let config = Config {
            description: Some("stackwave follower".to_owned()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next.0 },
            filter_subject: self.filter.clone().unwrap_or_default(),
            ack_policy: AckPolicy::None,
            max_deliver: 1,
            inactive_threshold: self.forgotten_after,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        };
        let messages = self
            .source
            .create_consumer(config)
            .await?
            .stream()
            .max_messages_per_batch(self.ahead)
            .max_bytes_per_batch(AHEAD_BYTES)
            .expires(PULL_EXPIRY)
            .heartbeat(HEARTBEAT)
            .messages()
            .await?;
        Ok(Consumer { messages, delivered: 0 })
    }

    async fn replace_after(&mut self, trouble: Trouble) {
        let had_one = self.consumer.take().is_some();
        if had_one {
            tracing::debug!(stream = %self.stream, next = %self.next, %trouble, "a follower starts again");
            return;
        }
        if self.retry == FIRST_RETRY {
            tracing::warn!(stream = %self.stream, %trouble, "the event log cannot be followed; trying again");
        }
        tokio::time::sleep(self.retry).await;
        self.retry = (self.retry * 2).min(LAST_RETRY);
    }
}

impl Consumer {
    /// The message with its position; trouble when one before it was lost on its way.
    fn number(&mut self, message: Message) -> Result<Raw, Trouble> {
        let info = message.info()?;
        if info.consumer_sequence != self.delivered + 1 {
            return Err(format!("message {} came after {}", info.consumer_sequence, self.delivered).into());
        }
        self.delivered = info.consumer_sequence;
        let position = Position(info.stream_sequence);
        Ok(Raw { position, message })
    }
}
