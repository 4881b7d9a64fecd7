//! The admin API over a real socket, with the generated client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod commands;
mod credentials;
mod events;
mod health;
mod hostile;
mod inventory;
mod reflection;
mod replicas;
mod runs;
mod support;
mod system;
mod tls;
