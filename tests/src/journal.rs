//! A replica in the test: the log as it grows, folded.

use futures::StreamExt as _;
use stackwave_domain::{Digest, Entry, Event, Position, StreamId};
use stackwave_engine::{
    State,
    state::{Class, RepositoryState},
};
use stackwave_event_log::EventLog;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

const PARTITION: StreamId = StreamId::Partition(0);

/// The log of one world, followed from its beginning.
pub struct Journal {
    log: Arc<dyn EventLog>,
    replica: Arc<Mutex<Replica>>,
    moved: watch::Receiver<Position>,
    following: Vec<JoinHandle<()>>,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Replica {
    /// The folded state.
    pub state: State,
    /// Every record of the repositories, in order.
    pub entries: Vec<Entry>,
    /// Every record of the configuration, in order.
    pub config: Vec<Entry>,
    /// Records that cannot follow from what came before, in words.
    pub impossible: Vec<String>,
}

impl Journal {
    /// Begins to follow.
    pub async fn follow(log: Arc<dyn EventLog>) -> Self {
        let replica = Arc::new(Mutex::new(Replica::default()));
        let (move_to, moved) = watch::channel(Position::START);
        let move_to = Arc::new(move_to);
        let mut following = Vec::new();
        for stream in [PARTITION, StreamId::Config] {
            let entries = log.follow(stream, Position::START).await.expect("the log should be followed");
            let (log, replica, move_to) = (Arc::clone(&log), Arc::clone(&replica), Arc::clone(&move_to));
            following.push(tokio::spawn(async move {
                let mut entries = entries;
                while let Some(batch) = entries.next().await {
                    let batch = match batch {
                        Ok(batch) => hydrated(&log, batch).await,
                        Err(error) => panic!("the log cannot be followed: {error}"),
                    };
                    lock(&replica).take(stream, batch);
                    move_to.send_modify(|position| *position = position.next());
                }
            }));
        }
        Self { log, replica, moved, following }
    }

    /// Reads what was folded so far.
    pub fn read<T>(&self, read: impl FnOnce(&Replica) -> T) -> T {
        read(&lock(&self.replica))
    }

    /// Waits until what was folded gives something.
    pub async fn wait_for<T>(
        &self,
        within: Duration,
        mut find: impl FnMut(&Replica) -> Option<T>,
    ) -> Option<T> {
        let mut moved = self.moved.clone();
        let waiting = async {
            loop {
                moved.mark_unchanged();
                if let Some(found) = self.read(&mut find) {
                    return Some(found);
                }
                moved.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, waiting).await.ok().flatten()
    }

    /// Waits until everything that is in the log at this moment was folded.
    pub async fn catch_up(&self, within: Duration) {
        let last = self.log.last_position(PARTITION).await.expect("the log's last position");
        let folded = self.wait_for(within, |replica| (replica.state.position() >= last).then_some(())).await;
        assert!(folded.is_some(), "the log was not read to its end within {within:?}");
    }

    /// The newest events, one a line: for the message of a failing test.
    pub fn story(&self, lines: usize) -> String {
        self.read(|replica| {
            let events = replica.entries.iter().flat_map(|entry| {
                entry.record.events.iter().map(move |event| {
                    let mut text = serde_json::to_string(event).unwrap_or_default();
                    text.truncate(text.char_indices().nth(300).map_or(text.len(), |(at, _)| at));
                    format!("{} {} {}: {text}", entry.position, entry.record.at, entry.record.actor)
                })
            });
            let events: Vec<String> = events.collect();
            let mut story = events[events.len().saturating_sub(lines)..].join("\n");
            for dispatch in replica.state.repositories().flat_map(RepositoryState::in_flight) {
                story += &format!("\nin flight: {} as {:?}", dispatch.claimed.key, dispatch.workflow_run);
            }
            story
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.following.iter().for_each(JoinHandle::abort);
    }
}

impl Replica {
    fn take(&mut self, stream: StreamId, batch: Vec<Entry>) {
        if stream == StreamId::Config {
            self.config.extend(batch);
            return;
        }
        for entry in batch {
            for (event, class) in entry.record.events.iter().zip(self.state.apply(&entry)) {
                if let Class::Impossible(why) = class {
                    self.impossible.push(format!("{} at {}: {why}", event.name(), entry.position));
                }
            }
            self.entries.push(entry);
        }
    }

    /// Every event of the repositories, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.entries.iter().flat_map(|entry| &entry.record.events)
    }
}

async fn hydrated(log: &Arc<dyn EventLog>, mut batch: Vec<Entry>) -> Vec<Entry> {
    for entry in &mut batch {
        let mut blobs: HashMap<Digest, Vec<u8>> = HashMap::new();
        for blob in entry.record.missing_blobs() {
            let bytes = log.get_blob(&blob.digest).await.expect("the blob store").expect("a blob of the log");
            blobs.insert(blob.digest, bytes.to_vec());
        }
        entry.record.hydrate(|blob| blobs.get(&blob.digest).cloned()).expect("a blob that can be read");
    }
    batch
}

fn lock(replica: &Mutex<Replica>) -> MutexGuard<'_, Replica> {
    replica.lock().unwrap_or_else(PoisonError::into_inner)
}
