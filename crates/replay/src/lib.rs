//! Replay: what a log said, folded again, one record at a time.
//!
//! A [`Recording`] holds the records of one repository that tell of a run, a pull request or all of it. It is collected
//! from either event log ([`collect`]) or read from a file that was exported on another machine ([`read`], [`write()`]),
//! and is the same either way: what could be a secret is withheld when it is collected ([`withhold`]). A [`Player`] goes
//! through it forward and back; [`verify()`] decides again what was decided; [`diff()`] compares two runs.
//!
//! Nothing here can send anything: there is no port to GitHub, and the log is only read.

mod about;
mod base;
mod cloudevents;
mod collect;
mod diff;
mod due;
mod file;
mod find;
mod json;
mod player;
mod recording;
mod verify;
mod withhold;

pub use base::BaseError;
pub use cloudevents::{CloudEvent, cloud_events, write_cloud_events};

pub use collect::{Ask, CollectError, Depth, Wanted, collect};

pub use diff::{Change, Diff, Side, Stack, Story, Timings, diff};
pub use due::{DueAction, due_actions};
pub use file::{FORMAT, FileError, read, write};
pub use find::{Found, find_run, runs_that_begin_with};
pub use player::{Moment, Player};
pub use recording::{About, Recording};
pub use verify::{Difference, Report, verify};
pub use withhold::{EXPORTED, WITHHELD, withhold};
