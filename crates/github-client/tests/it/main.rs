//! The client against a server that answers as each test says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod comments;
mod dispatch;
mod reads;
mod sign_in;
mod simulated;
mod support;
