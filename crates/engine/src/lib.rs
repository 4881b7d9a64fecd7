//! The engine.
pub mod config;
pub mod due;
pub mod graph;
pub mod identity;
pub mod planning;
pub mod state;
mod template;
pub mod view;
pub use config::Config;

/// The version of the decisions that this engine makes. A logged decision of another version always wins.
pub const ENGINE_VERSION: u32 = 1;

pub use state::State;
