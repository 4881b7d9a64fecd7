//! The engine in a simulated world: named scenarios, each also cut at every record, and random ones.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod checkpoints;
mod cuts;
mod explaining;
mod forecasting;
mod forgetting;
mod needing;
mod random;
mod scenarios;
mod snapshots;
mod strange;
mod webhooks;
mod world;
