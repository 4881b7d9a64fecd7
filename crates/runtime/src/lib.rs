//! What every service needs and none should write twice: the clock and ids (the only places that may ask for them),
//! health, the view of the configuration, and the loop that follows a partition, folds it once and asks each actor
//! what is due ([`partition`]).

pub mod batcher;
pub mod clock;
pub mod config_view;
pub mod core;
pub mod credential_use;
pub mod growth;
mod halts;
pub mod health;
pub mod ids;
pub mod leases;
pub mod ledger;
pub mod observer;
mod outcome;
pub mod partition;
pub mod registry;
pub mod snapshots;
pub mod start;
pub mod stow;

pub use self::{
    clock::{Clock, SystemClock},
    config_view::ConfigView,
    core::Core,
    credential_use::CredentialUse,
    health::Health,
    ids::Ids,
    leases::{Acting, LeaseView, MemberView},
    ledger::Ledger,
    observer::Observer,
    outcome::Outcome,
    partition::{Actor, PartitionOptions, PartitionView, Poke, Turn},
};
