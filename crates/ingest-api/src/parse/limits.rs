//! How much one upload may say.

/// Bounds on reading one upload. Bytes are bounded before, by the body limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of dependents below a top-level entry.
    pub depth: usize,
    /// Entries visited: top-level entries and dependents, repeats included.
    pub entries: usize,
    /// Configured workflow inputs over all different settings.
    pub inputs: usize,
    /// Chunks of one upload.
    pub chunks: u32,
}

impl Default for Limits {
    /// The limits of the contract (§5.2), and generous ones where it names none.
    fn default() -> Self {
        Self { depth: 1_000, entries: 1_000_000, inputs: 1_000_000, chunks: 10_000 }
    }
}
