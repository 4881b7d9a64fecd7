//! The engine.
pub mod config;
pub use config::Config;
