//! What is wrong with an installation, and what to change.
//!
//! Each module judges one side of it from facts that were gathered before: [`log`] the event log, [`app`] the GitHub
//! App, [`workflows`] what a repository's workflow files take against what its stacks would send. Judging is pure.
//! [`gather`] asks GitHub; the executable gathers the rest and prints the [`Report`].

pub mod app;
mod finding;
pub mod gather;
pub mod log;
pub mod workflows;

pub use finding::{Finding, Level, Report};
