//! The service over real HTTP, on a log in memory.

mod recorded;
mod support;
