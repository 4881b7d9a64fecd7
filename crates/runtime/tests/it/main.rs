//! The partition loop over real logs: where it starts, who sees what, who acts, and what may be purged.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod growth;
mod halts;
mod leases;
mod nats;
mod observers;
mod snapshots;
mod world;
