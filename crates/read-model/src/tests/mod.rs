//! The tables against the state, in the engine's own scenarios.

pub(crate) mod compare;
pub(crate) mod model;
mod search;
