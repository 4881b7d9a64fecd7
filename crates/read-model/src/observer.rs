//! The live loop's side: each batch that a partition folded becomes rows at once.

use crate::{project::Projector, stores::Stores};
use futures::future::BoxFuture;
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_engine::State;
use stackwave_runtime::Observer;
use std::sync::Arc;

/// So many records may be projected while the partition is still being read, which then waits for the writer: some
/// seconds at most. What is more is left to the catch-up, which folds it once more and keeps nobody waiting.
pub(crate) const FEW: u64 = 1 << 18;

/// The observer of one partition.
pub(crate) struct Live {
    stores: Arc<Stores>,
    /// Records after this are projected here; none before it is known.
    from: Option<Position>,
    /// Records after the file's last that the partition's snapshot holds already, and so does not show.
    gap: Vec<Entry>,
    projector: Option<Projector>,
}

impl Live {
    pub(crate) const fn new(stores: Arc<Stores>) -> Self {
        Self { stores, from: None, gap: Vec::new(), projector: None }
    }

    fn begin(&mut self, stream: StreamId, from: Position) {
        self.from = Some(from);
        self.stores.begin(stream, from);
    }

    /// Projects what is new of the gap and of a batch, as the state tells it now.
    fn project(&mut self, stream: StreamId, state: &State, entries: &[Entry]) {
        let Some(from) = self.from.filter(|from| *from < state.position()) else { return };
        let gap = std::mem::take(&mut self.gap);
        let gap = &gap[..gap.partition_point(|entry| entry.position <= state.position())];
        let known = gap.last().map_or(from, |last| last.position);
        let news = entries.iter().filter(|entry| entry.position > known);
        let projector = self.projector.get_or_insert_with(|| Projector::new(stream, state));
        let changes = projector.project(state, gap.iter().chain(news));
        if changes.upto > Position::START {
            self.stores.push(stream, changes);
        }
    }
}

impl Observer for Live {
    fn name(&self) -> &'static str {
        "read model"
    }

    fn started_from(&mut self, stream: StreamId, position: Position, _: &State) {
        let done = self.stores.current().shared().tracks(|tracks| tracks.get(stream)).done.position;
        let gap = self.stores.take_gap(stream);
        let last = self.stores.last_at_start(stream);
        let few = |from: Position| last.0.saturating_sub(from.0) <= FEW;
        if position <= done && few(done) {
            self.begin(stream, done);
        } else if let Some(gap) = gap {
            self.gap = gap;
            self.begin(stream, done);
        } else if position > done && few(position) {
            self.begin(stream, position);
        }
    }

    fn folded(&mut self, stream: StreamId, state: &State, entries: &[Entry]) {
        self.project(stream, state, entries);
    }

    fn room(&mut self, stream: StreamId) -> Option<BoxFuture<'static, ()>> {
        self.stores.current().room(stream)
    }

    fn caught_up(&mut self, stream: StreamId, state: &State) {
        if self.from.is_none() {
            self.begin(stream, state.position());
        }
        if !self.gap.is_empty() {
            self.project(stream, state, &[]);
        }
    }
}
