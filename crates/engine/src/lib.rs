//! The engine: what all records say, folded, and what follows from it. Pure: no clock, no randomness, no I/O, no async.
//!
//! [`State::apply`] folds one record after the other. Everything else reads: [`due`] tells what is to be decided, sent,
//! asked and said; [`view`] shows a run to people, [`explain`] says why a stack did or did not go, [`forecast`] when it
//! will be done, and [`check`] verifies what must hold. [`planning`] turns an upload into what a run intends. The configuration is folded apart, in [`Config`],
//! and comes in as an argument. The engine must never know tokio, HTTP, a log's engine or GitHub's JSON.

pub mod check;
pub mod command;
pub mod config;
pub mod due;
pub mod explain;
pub mod forecast;
pub mod graph;
pub mod identity;
pub mod planning;
pub mod state;
mod template;
pub mod view;
pub mod words;

pub use config::Config;
pub use state::State;

/// The version of the decisions that this engine makes. A logged decision of another version always wins.
pub const ENGINE_VERSION: u32 = 1;

/// The version of the fold: raised whenever the same records give another state than before, or a state is written in
/// another way. Snapshots of another version are folded anew; logged decisions do not care.
pub const FOLD_VERSION: u32 = 2;

/// Under which version snapshots are kept.
pub const SNAPSHOT_VERSION: u32 = ENGINE_VERSION * 10_000 + FOLD_VERSION;
