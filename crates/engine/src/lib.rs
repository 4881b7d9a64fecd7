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
pub use state::State;
