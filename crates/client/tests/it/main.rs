//! The verbs against a server that gives prepared answers and keeps what it was asked.

#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod asking;
mod events;
mod failures;
mod fake;
mod lists;
mod parsing;
mod rpcs;
mod secrets;
mod tls;
mod verbs;
