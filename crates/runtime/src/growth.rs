//! Keeping a log from growing for ever: checkpoints, from which folding may start, and purges of what lies before one
//! (design §3.4).
//!
//! 1. [`checkpoint::write`] writes the state of a partition down, as a blob, and tells of it in the partition's stream.
//! 2. [`purge::plan`] looks what a purge would remove and whether anything before the point is still needed.
//! 3. Whoever purges archives what is removed, and only then [`purge::carry_out`] removes it.
//!
//! Folding survives it: [`crate::start`] begins at the checkpoint. The last record of each subject whose appends are
//! checked stays, so that decisions and claims go on. The configuration is never purged.

pub mod checkpoint;
pub mod purge;
