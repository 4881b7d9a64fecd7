//! What some records change in the tables: whole rows, each with the position at which it was touched.

use crate::rows::{CommandRow, DeliveryRow, DispatchRow, PullRow, RunRow, StackRow, UploadRow};
use stackwave_domain::{CommandId, DispatchId, Position, PrNumber, RecordId, RepositoryId, RunId};
use std::collections::BTreeMap;

/// Everything that the records of one stream up to a position change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// The last record that is in it.
    pub(crate) upto: Position,
    /// Its name.
    pub(crate) tip: Option<RecordId>,
    pub(crate) runs: BTreeMap<RunId, RunChange>,
    pub(crate) pulls: BTreeMap<(RepositoryId, PrNumber), At<PullRow>>,
    pub(crate) dispatches: BTreeMap<DispatchId, DispatchChange>,
    pub(crate) commands: BTreeMap<CommandId, At<CommandRow>>,
    pub(crate) uploads: Vec<UploadChange>,
    pub(crate) deliveries: Vec<DeliveryChange>,
    /// Batches that are complete: of which upload their chunks are parts.
    pub(crate) complete: Vec<(Batch, Whole)>,
}

/// A row as it was after this record.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) at: Position,
    pub(crate) row: T,
}

/// A run with those of its stacks that changed.
#[derive(Clone, Debug)]
pub(crate) struct RunChange {
    pub(crate) at: Position,
    pub(crate) row: RunRow,
    /// The upload whose graph it has.
    pub(crate) upload: Whole,
    /// By their index in the plan.
    pub(crate) stacks: BTreeMap<usize, At<StackRow>>,
}

#[derive(Clone, Debug)]
pub(crate) struct DispatchChange {
    pub(crate) at: Position,
    pub(crate) row: DispatchRow,
    /// The stack's index in its run's plan.
    pub(crate) stack: usize,
}

/// An upload's digest, or that of its united chunks, as [`crate::codec::hash63`].
pub(crate) type Whole = i64;

/// A chunked upload's credential and batch id, as [`crate::codec::hash63`].
pub(crate) type Batch = i64;

#[derive(Clone, Debug)]
pub(crate) struct UploadChange {
    /// Its place in its record.
    pub(crate) ordinal: u8,
    pub(crate) row: UploadRow,
    pub(crate) whole: Whole,
    pub(crate) batch: Option<Batch>,
}

#[derive(Clone, Debug)]
pub(crate) struct DeliveryChange {
    /// Its place in its record.
    pub(crate) ordinal: u8,
    pub(crate) row: DeliveryRow,
}

impl Changes {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        let stacks: usize = self.runs.values().map(|run| run.stacks.len()).sum();
        self.runs.len()
            + stacks
            + self.pulls.len()
            + self.dispatches.len()
            + self.commands.len()
            + self.uploads.len()
            + self.deliveries.len()
    }

    /// Takes over what later records of the same stream change.
    pub(crate) fn absorb(&mut self, later: Self) {
        (self.upto, self.tip) = (later.upto, later.tip);
        for (id, mut change) in later.runs {
            if let Some(earlier) = self.runs.remove(&id) {
                let newer = std::mem::replace(&mut change.stacks, earlier.stacks);
                change.stacks.extend(newer);
            }
            self.runs.insert(id, change);
        }
        self.pulls.extend(later.pulls);
        self.dispatches.extend(later.dispatches);
        self.commands.extend(later.commands);
        self.uploads.extend(later.uploads);
        self.deliveries.extend(later.deliveries);
        self.complete.extend(later.complete);
    }
}
