//! Recordings of a log that was written as the services write it, with things that went wrong.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod cloud;
mod differing;
mod files;
mod finding;
mod incident;
mod playing;
mod secrets;
mod verifying;
mod world;
