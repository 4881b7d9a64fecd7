//! The live loop's side: each batch that a partition folded becomes rows at once.

use crate::{project::Projector, stores::Stores};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_engine::State;
use stackwave_runtime::Observer;
use std::sync::Arc;

/// So many records may be projected while the partition is still being read: they wait in memory for the writer. What is
/// more is left to the catch-up, which goes at the writer's pace.
const FEW: u64 = 20_000;

/// The observer of one partition.
pub(crate) struct Live {
    stores: Arc<Stores>,
    /// Records after this are projected here; none before it is known.
    from: Option<Position>,
    projector: Option<Projector>,
}

impl Live {
    pub(crate) const fn new(stores: Arc<Stores>) -> Self {
        Self { stores, from: None, projector: None }
    }

    fn begin(&mut self, stream: StreamId, from: Position) {
        self.from = Some(from);
        self.stores.begin(stream, from);
    }
}

impl Observer for Live {
    fn name(&self) -> &'static str {
        "read model"
    }

    fn started_from(&mut self, stream: StreamId, position: Position, _: &State) {
        let done = self.stores.current().shared().tracks(|tracks| tracks.get(stream)).done.position;
        let from = done.max(position);
        let last = self.stores.last_at_start(stream);
        if last.0.saturating_sub(from.0) <= FEW {
            self.begin(stream, from);
        }
    }

    fn folded(&mut self, stream: StreamId, state: &State, entries: &[Entry]) {
        let Some(from) = self.from else { return };
        let news = entries.partition_point(|entry| entry.position <= from);
        let Some(entries) = entries.get(news..).filter(|entries| !entries.is_empty()) else { return };
        let projector = self.projector.get_or_insert_with(|| Projector::new(stream, state));
        let changes = projector.project(state, entries.iter());
        self.stores.push(stream, changes);
    }

    fn caught_up(&mut self, stream: StreamId, state: &State) {
        if self.from.is_none() {
            self.begin(stream, state.position());
        }
    }
}
