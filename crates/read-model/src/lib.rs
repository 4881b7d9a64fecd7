//! The read model: lists and searches over everything that the event log tells, fast at a million runs.
//!
//! A replica's own SQLite file, projected from the log and never asked by anything that decides. It may be deleted at
//! any time: it is built anew from the log. The status of runs and stacks is the engine's ([`stackwave_engine::view`]);
//! this crate only keeps it in tables.
//!
//! Start with [`ReadModel`]: [`ReadModel::open`], give [`ReadModel::observer`] to each partition, then ask.

mod catch_up;
mod changes;
mod codec;
mod error;
mod model;
mod observer;
mod project;
mod query;
mod read;
mod resume;
mod rows;
mod schema;
mod store;
mod stores;
mod write;

pub use error::{OpenError, ReadError, TokenError};
pub use model::{Place, ReadModel};
pub use project::{dispatch_row, pull_row, run_row, stack_row};
pub use query::{
    CommandsQuery, DeliveriesQuery, DispatchesQuery, Page, PageRequest, PullsQuery, RunsQuery, StacksQuery,
    UploadsQuery,
};
pub use rows::{
    CommandRow, CommandStatus, DeliveryRow, DispatchRow, DispatchStatus, ModelStatus, PullRow, RunRow,
    StackRow, UploadRow, WorkflowRunRow,
};

// The engine's scenarios, against the tables instead of against a killed process.
#[cfg(test)]
#[path = "tests/cuts.rs"]
mod cuts;
#[cfg(test)]
#[expect(dead_code, reason = "the benchmark uses more of it")]
#[path = "../benches/lists/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../engine/tests/it/scenarios/mod.rs"]
mod scenarios;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[expect(dead_code, reason = "the engine's own tests use more of it")]
#[path = "../../engine/tests/it/world/mod.rs"]
mod world;
