//! The loop that follows one partition, folds each record once, and asks every actor of the process what is due.
//!
//! It is level-triggered (design §1): an actor looks at state, never at the record that woke it. A repository is asked
//! about when one of its records was folded, when an actor poked it, and when an answer said to ask again.

use crate::{
    config_view::ConfigView,
    core::Core,
    halts,
    leases::Acting,
    ledger::Ledger,
    observer::Observer,
    snapshots::{Keeper, SnapshotPolicy},
    start, stow,
};
use futures::StreamExt as _;
use stackwave_domain::{Entry, Position, RepositoryId, StreamId, Timestamp};
use stackwave_engine::{
    Config, State,
    state::{Class, RepositoryState},
};
use stackwave_event_log::{Entries, LogError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// One of the four that act (design §1).
pub trait Actor: Send + 'static {
    /// Its role, for logs.
    fn name(&self) -> &'static str;

    /// Looks at one repository, starts what is due in tasks of its own, and returns at once: with the moment at which
    /// it wants to be asked again although nothing was folded.
    fn act(&mut self, turn: &Turn<'_>) -> Option<Timestamp>;
}

/// What an actor sees of one repository.
pub struct Turn<'a> {
    /// The partition's stream.
    pub stream: StreamId,
    /// The repository's state.
    pub repository: &'a RepositoryState,
    /// The configuration.
    pub config: &'a Config,
    /// The later of the clock and the repository's newest record.
    pub now: Timestamp,
    /// For decisions and claims.
    pub ledger: &'a Ledger,
    /// Asks for another turn, from a task.
    pub poke: &'a Poke,
}

/// Asks for another turn of a repository. Cheap to clone into tasks.
#[derive(Clone)]
pub struct Poke(mpsc::UnboundedSender<RepositoryId>);

impl Poke {
    /// The repository shall be asked about again soon.
    pub fn ask_again(&self, repository: RepositoryId) {
        // Nobody listens after the end; then there is nothing left to ask.
        let _ = self.0.send(repository);
    }
}

/// A handle to one folded partition. Cheap to clone.
#[derive(Clone)]
pub struct PartitionView {
    stream: StreamId,
    state: Arc<RwLock<State>>,
    position: watch::Receiver<Position>,
}

impl PartitionView {
    /// Which partition.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Reads something out of the state.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        // Folding is total: a lock is never left by a panic with half a record folded.
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the state holds everything up to a position.
    pub async fn wait_for(&self, position: Position) {
        let mut watch = self.position.clone();
        // The sender lives until the process drains.
        let _ = watch.wait_for(|folded| *folded >= position).await;
    }

    /// Wakes whenever something was folded.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }
}

/// Who is asked about a partition, and who looks at it.
#[derive(Default)]
pub struct PartitionOptions {
    /// They are asked what is due.
    pub actors: Vec<Box<dyn Actor>>,
    /// They see each record once.
    pub observers: Vec<Box<dyn Observer>>,
    /// In which roles this process acts for the partition; an actor's role is its name.
    pub acting: Acting,
    /// When snapshots of the state are stored.
    pub snapshots: SnapshotPolicy,
}

impl From<Vec<Box<dyn Actor>>> for PartitionOptions {
    fn from(actors: Vec<Box<dyn Actor>>) -> Self {
        Self { actors, ..Self::default() }
    }
}

/// Starts to follow a partition with these actors and observers. Returns at once; nobody acts before everything that
/// was in the stream has been folded.
#[must_use]
pub fn start(
    core: Core,
    stream: StreamId,
    options: impl Into<PartitionOptions>,
) -> (PartitionView, tokio::task::JoinHandle<()>) {
    let PartitionOptions { actors, observers, acting, snapshots } = options.into();
    let state = Arc::new(RwLock::new(State::default()));
    let (moved, position) = watch::channel(Position::START);
    let view = PartitionView { stream, state: Arc::clone(&state), position };
    let (poke, pokes) = mpsc::unbounded_channel();
    let partition = Partition {
        part: format!("partition {stream}"),
        ledger: Ledger::new(core.clone(), poke.clone()),
        keeper: Keeper::new(Arc::clone(&core.log), stream, snapshots),
        config: core.config.clone(),
        core,
        stream,
        state,
        moved,
        actors,
        observers,
        acting,
        poke: Poke(poke),
        dirty: BTreeSet::new(),
        timers: BTreeMap::new(),
        asked_to: Position::START,
        caught_up: None,
        told_caught_up: false,
        folded: Vec::new(),
    };
    // Before the task first runs, somebody may ask whether the process is ready.
    partition.core.health.not_ready(&partition.part, IS_READ);
    // The process waits for it before it ends: the last thing that it does is to store a snapshot.
    let tasks = partition.core.tasks.clone();
    (view, tasks.spawn(partition.run(pokes)))
}

struct Partition {
    part: String,
    core: Core,
    config: ConfigView,
    stream: StreamId,
    state: Arc<RwLock<State>>,
    moved: watch::Sender<Position>,
    ledger: Ledger,
    actors: Vec<Box<dyn Actor>>,
    observers: Vec<Box<dyn Observer>>,
    acting: Acting,
    keeper: Keeper,
    poke: Poke,
    dirty: BTreeSet<RepositoryId>,
    timers: BTreeMap<RepositoryId, Timestamp>,
    asked_to: Position,
    /// The position that has to be folded before anybody acts; none while it is not known.
    caught_up: Option<Position>,
    /// The observers were told that it is reached.
    told_caught_up: bool,
    /// What was folded and not yet shown to the observers.
    folded: Vec<Entry>,
}

/// Why a partition is not ready at first.
const IS_READ: &str = "is being read";

/// Clocks may differ by this much before it is told.
const TOLERATED_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// How long to wait before following again after an error.
const FOLLOW_AGAIN: Duration = Duration::from_millis(500);

impl Partition {
    async fn run(mut self, mut pokes: mpsc::UnboundedReceiver<RepositoryId>) {
        let shutdown = self.core.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = self.start() => {},
        }
        while !shutdown.is_cancelled() {
            self.core.health.not_ready(&self.part, IS_READ);
            let error = tokio::select! {
                () = shutdown.cancelled() => break,
                error = self.follow(&mut pokes) => error,
            };
            tracing::error!(%error, stream = %self.stream, "the partition cannot be followed; trying again");
            self.core.health.not_ready(&self.part, error.to_string());
            tokio::time::sleep(FOLLOW_AGAIN).await;
        }
        let state = || self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
        let position = *self.moved.borrow();
        self.keeper.store_at_end(position, state).await;
    }

    /// Takes up the newest state that is written down, however long that takes to read.
    async fn start(&mut self) {
        let start = loop {
            self.core.health.not_ready(&self.part, IS_READ);
            match start::newest(self.core.log.as_ref(), self.stream).await {
                Ok(start) => break start,
                Err(error) => {
                    tracing::error!(%error, stream = %self.stream, "the partition cannot be read; trying again");
                    self.core.health.not_ready(&self.part, error.to_string());
                    tokio::time::sleep(FOLLOW_AGAIN).await;
                }
            }
        };
        tracing::debug!(stream = %self.stream, from = ?start.origin, "the partition is folded");
        let position = start.origin.position();
        self.keeper.start(start.tip);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = start.state;
        self.moved.send_replace(position);
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        for repository in state.repositories() {
            if let Some(why) = &repository.halted {
                halts::tell(&self.config, position, repository.id, why);
            }
        }
        for observer in &mut self.observers {
            observer.started_from(self.stream, position, &state);
        }
    }

    async fn follow(&mut self, pokes: &mut mpsc::UnboundedReceiver<RepositoryId>) -> LogError {
        self.caught_up = None;
        let mut entries = match self.open().await {
            Ok(entries) => entries,
            Err(error) => return error,
        };
        let mut config = self.config.changes();
        let mut acting = self.acting.changes();
        loop {
            // Who acts goes before who looks: a dispatch waits for no read model.
            self.ask();
            self.show();
            self.wait_for_observers().await;
            if self.keeper.is_due() {
                let copy = self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
                self.keeper.store(copy.position(), copy);
            }
            let wait = self.until_next_timer();
            tokio::select! {
                biased;
                batch = entries.next() => match batch {
                    Some(Ok(batch)) => if let Err(error) = self.fold(batch).await { return error },
                    Some(Err(error)) => return error,
                    None => return LogError::Unavailable("the stream ended".to_owned()),
                },
                Some(repository) = pokes.recv() => {
                    self.dirty.insert(repository);
                    while let Ok(repository) = pokes.try_recv() {
                        self.dirty.insert(repository);
                    }
                },
                Ok(()) = config.changed() => self.dirty_all(),
                Ok(()) = acting.changed() => self.dirty_all(),
                () = tokio::time::sleep(wait) => {},
            }
        }
    }

    async fn open(&mut self) -> Result<Entries, LogError> {
        let log = Arc::clone(&self.core.log);
        let folded = *self.moved.borrow();
        if start::is_behind(log.as_ref(), self.stream, folded).await? {
            tracing::warn!(stream = %self.stream, position = %folded, "records were purged before they were folded");
            self.start().await;
        }
        let from = self.moved.borrow().next();
        let entries = log.follow(self.stream, from).await?;
        let goal = log.last_position(self.stream).await?;
        self.caught_up = Some(goal);
        self.told_caught_up = false;
        Ok(entries)
    }

    async fn fold(&mut self, mut batch: Vec<Entry>) -> Result<(), LogError> {
        stow::hydrate(&self.core.log, &mut batch).await?;
        let Some(last) = batch.last() else { return Ok(()) };
        self.keeper.folded(batch.len(), &last.record.id);
        let last = last.position;
        self.tell_skew(&batch);
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for entry in &batch {
                let repository = entry.subject.repository();
                let halted = |state: &State| repository.and_then(|id| state.repository(id)?.halted.clone());
                let was_halted = halted(&state).is_some();
                for (event, class) in entry.record.events.iter().zip(state.apply(entry)) {
                    if let Class::Impossible(why) = class {
                        tracing::warn!(position = %entry.position, event = event.name(), why, "an impossible record");
                    }
                }
                if let (Some(repository), Some(why), false) = (repository, halted(&state), was_halted) {
                    halts::tell(&self.config, entry.position, repository, &why);
                }
            }
        }
        self.moved.send_replace(last);
        self.folded = batch;
        Ok(())
    }

    /// A record from the future: the clocks of its writer and of this machine differ. No decision depends on it
    /// (design §6), but people should know.
    fn tell_skew(&self, batch: &[Entry]) {
        let now = self.core.clock.now();
        let ahead = batch.iter().map(|entry| entry.record.at.duration_since(now)).max().unwrap_or_default();
        if ahead > TOLERATED_SKEW {
            self.core
                .health
                .detail("clock", format!("a record is {} s ahead of this machine's clock", ahead.as_secs()));
        }
    }

    fn dirty_all(&mut self) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.dirty.extend(state.repositories().map(|repository| repository.id));
    }

    fn is_caught_up(&self) -> bool {
        let position = *self.moved.borrow();
        self.caught_up.is_some_and(|goal| position >= goal)
    }

    /// Asks every actor about every repository for which something may be due.
    fn ask(&mut self) {
        if !self.is_caught_up() || self.core.shutdown.is_cancelled() {
            return;
        }
        self.core.health.ready(&self.part);
        self.acting.is_ready(self.stream);
        // What is dirty now is asked about again once this process begins to act.
        let acts = |actor: &&mut Box<dyn Actor>| self.acting.acts(actor.name(), self.stream);
        let mut actors: Vec<&mut Box<dyn Actor>> = self.actors.iter_mut().filter(acts).collect();
        let now = self.core.clock.now();
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.extend(state.changed_since(self.asked_to));
        self.asked_to = state.position();
        dirty.extend(self.timers.iter().filter(|(_, at)| **at <= now).map(|(repository, _)| *repository));
        for id in dirty {
            let Some(repository) = state.repository(id) else { continue };
            self.timers.remove(&id);
            let now = now.max(repository.last_at);
            let again_at = self.config.read(|config| {
                let turn = Turn {
                    stream: self.stream,
                    repository,
                    config,
                    now,
                    ledger: &self.ledger,
                    poke: &self.poke,
                };
                actors.iter_mut().filter_map(|actor| actor.act(&turn)).min()
            });
            if let Some(at) = again_at {
                self.timers.insert(id, at);
            }
        }
    }

    /// Shows the observers what was folded since they last looked.
    fn show(&mut self) {
        let batch = std::mem::take(&mut self.folded);
        let news = self.is_caught_up() && !self.told_caught_up;
        self.told_caught_up |= news;
        if self.observers.is_empty() || (batch.is_empty() && !news) {
            return;
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        for observer in &mut self.observers {
            if !batch.is_empty() {
                observer.folded(self.stream, &state, &batch);
            }
            if news {
                observer.caught_up(self.stream, &state);
            }
        }
    }

    /// What happened long ago may be folded faster than an observer can take it.
    async fn wait_for_observers(&mut self) {
        if self.is_caught_up() {
            return;
        }
        for observer in &mut self.observers {
            let Some(room) = observer.room(self.stream) else { continue };
            tokio::select! {
                () = self.core.shutdown.cancelled() => return,
                () = room => {},
            }
        }
    }

    fn until_next_timer(&self) -> Duration {
        let Some(next) = self.timers.values().min() else { return Duration::from_secs(60) };
        let wait = next.duration_since(self.core.clock.now());
        // A moment in the past is due now; a millisecond keeps the loop from spinning on a clock that stands still.
        Duration::try_from(wait).unwrap_or_default().max(Duration::from_millis(1))
    }
}
