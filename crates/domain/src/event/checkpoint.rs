//! Where folding may start instead of at the stream's beginning.

use crate::{Position, digest::BlobRef};
use serde::{Deserialize, Serialize};

/// The state of a partition was written down: folding it and then the records after `at` is folding all of them. What
/// lies at or before `at` may be purged (design §3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointWritten {
    /// The state holds every record up to and including this one.
    pub at: Position,
    /// How the state is written. Every later version reads every format that was ever used.
    pub format: u32,
    /// The engine that folded it.
    pub engine: u32,
    /// The state.
    pub state: BlobRef,
}
