//! A follower: the tail while it keeps up, the file while it is behind, and a bell in between.

use crate::{
    reader::{self, Reader},
    tail::{End, Tail},
};
use futures::{StreamExt as _, stream};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_event_log::{Entries, LogError};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// At most this many entries at once.
const BATCH: usize = 512;
/// How often a log that another process serves is looked at.
const FOREIGN_LOG_POLL: Duration = Duration::from_millis(200);
/// How long to wait after a read that failed, before the next.
const RETRY: Duration = Duration::from_secs(1);

/// The state of a follower between two batches.
pub(crate) struct Follow {
    stream: StreamId,
    next: Position,
    live: Option<(Arc<Tail>, watch::Receiver<End>)>,
    reader: Arc<Reader>,
    ended: bool,
}

impl Follow {
    /// Follows from a position on; without a tail by polling the file.
    pub(crate) fn new(
        stream: StreamId,
        from: Position,
        tail: Option<Arc<Tail>>,
        reader: Arc<Reader>,
    ) -> Self {
        let live = tail.map(|tail| {
            let bell = tail.subscribe();
            (tail, bell)
        });
        Self { stream, next: from.max(Position::START.next()), live, reader, ended: false }
    }

    /// The stream that the port promises.
    pub(crate) fn into_entries(self) -> Entries {
        stream::unfold(self, async |mut follow| {
            if follow.ended {
                return None;
            }
            let batch = follow.batch().await;
            follow.ended = batch.is_err();
            Some((batch, follow))
        })
        .boxed()
    }

    /// The next entries, as soon as there are any.
    async fn batch(&mut self) -> Result<Vec<Entry>, LogError> {
        loop {
            let end = self.live.as_mut().map(|(_, bell)| *bell.borrow_and_update());
            let entries = match self.entries().await {
                Ok(entries) => entries,
                Err(LogError::Unavailable(error)) => {
                    tracing::warn!(stream = %self.stream, error, "the event log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
                Err(error @ (LogError::Corrupt { .. } | LogError::Setup(_))) => return Err(error),
            };
            if let Some(last) = entries.last() {
                self.next = last.position.next();
                return Ok(entries);
            }
            if end.is_some_and(|end| end.closed) {
                return Err(reader::closed());
            }
            self.wait().await;
        }
    }

    async fn entries(&self) -> Result<Vec<Entry>, LogError> {
        if let Some((tail, _)) = &self.live
            && let Some(entries) = tail.since(self.next, BATCH)
        {
            return Ok(entries);
        }
        self.reader.entries(self.stream, self.next, BATCH).await
    }

    async fn wait(&mut self) {
        match &mut self.live {
            // The sender lives in the tail that this follower holds, so the bell cannot be lost.
            Some((_, bell)) => drop(bell.changed().await),
            None => tokio::time::sleep(FOREIGN_LOG_POLL).await,
        }
    }
}
