//! Reads all streams as one: records of a stream in its order, records of different streams by their time.

use futures::{StreamExt as _, stream};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_event_log::{EventLog, LogError, MAX_BATCH};
use std::{collections::VecDeque, sync::Arc};

/// Reads everything that is there when it is made.
pub(super) struct Reader {
    log: Arc<dyn EventLog>,
    cursors: Vec<Cursor>,
}

/// One stream.
struct Cursor {
    stream: StreamId,
    next: Position,
    end: Position,
    read: VecDeque<Entry>,
}

impl Reader {
    pub(super) async fn new(log: &Arc<dyn EventLog>) -> Result<Self, LogError> {
        let partitions = (0..log.partitions()).map(StreamId::Partition);
        let mut cursors = Vec::new();
        for stream in std::iter::once(StreamId::Config).chain(partitions) {
            cursors.push(Cursor::new(stream, log.last_position(stream).await?));
        }
        Ok(Self { log: Arc::clone(log), cursors })
    }

    /// The same records once more, from the beginning.
    pub(super) fn up_to(log: &Arc<dyn EventLog>, other: &Self) -> Self {
        let cursors = other.cursors.iter().map(|cursor| Cursor::new(cursor.stream, cursor.end)).collect();
        Self { log: Arc::clone(log), cursors }
    }

    /// The next record; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Entry>, LogError> {
        for cursor in &mut self.cursors {
            cursor.fill(&self.log).await?;
        }
        let oldest = self
            .cursors
            .iter_mut()
            .filter(|cursor| !cursor.read.is_empty())
            .min_by_key(|cursor| (cursor.read.front().map(|entry| entry.record.at), cursor.stream));
        Ok(oldest.and_then(|cursor| cursor.read.pop_front()))
    }

    /// What is appended from here on, in batches.
    pub(super) async fn follow(self) -> Result<Live, LogError> {
        let mut streams = Vec::new();
        for cursor in &self.cursors {
            streams.push(self.log.follow(cursor.stream, cursor.end.next()).await?);
        }
        Ok(Live(stream::select_all(streams)))
    }
}

impl Cursor {
    fn new(stream: StreamId, end: Position) -> Self {
        Self { stream, next: Position::START.next(), end, read: VecDeque::new() }
    }

    async fn fill(&mut self, log: &Arc<dyn EventLog>) -> Result<(), LogError> {
        if !self.read.is_empty() || self.next > self.end {
            return Ok(());
        }
        let page = log.read(self.stream, self.next, MAX_BATCH).await?;
        self.next = page.last().map_or(self.end, |entry| entry.position).next();
        self.read.extend(page.into_iter().filter(|entry| entry.position <= self.end));
        Ok(())
    }
}

/// What is appended.
pub(super) struct Live(stream::SelectAll<stackwave_event_log::Entries>);

impl Live {
    /// The next records, as soon as there are any.
    pub(super) async fn next(&mut self) -> Result<Vec<Entry>, LogError> {
        match self.0.next().await {
            Some(batch) => batch,
            None => Err(LogError::Unavailable("the streams ended".to_owned())),
        }
    }
}
