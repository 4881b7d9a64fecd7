//! What people command: retry, cancel, resync, resolve.

mod cancels;
mod resolutions;
mod resyncs;
mod retries;
