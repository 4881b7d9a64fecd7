//! From the log to GitHub, on a real log, with a GitHub that can be told to fail.

mod budget;
mod failures;
mod github;
mod posting;
mod process;
mod rivals;
