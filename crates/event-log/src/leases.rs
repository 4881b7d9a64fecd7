//! Who works on what, and who is there: for speed only. What is right is decided by the log's position checks, so a lease
//! that is lost, doubled or late costs conflicts and nothing else (design §7).

mod local;

pub use local::LocalLeases;

use crate::LogError;
use async_trait::async_trait;
use stackwave_domain::{ProcessId, Timestamp};
use std::time::{Duration, Instant};

/// A lease as its holder has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Who holds it.
    pub holder: ProcessId,
    /// Since when, by the holder's clock.
    pub since: Timestamp,
    /// Which of the lease's versions this is; of no meaning to the holder.
    pub revision: u64,
    /// Until when nobody else can get it, by this process's monotonic clock.
    pub valid_until: Instant,
}

impl Lease {
    /// Whether it is certainly still ours. Once it is not, somebody else may have it, also when no renewal was refused.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        Instant::now() < self.valid_until
    }
}

/// A lease as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// What it is for.
    pub name: String,
    /// Who holds it.
    pub holder: ProcessId,
    /// Since when, by the holder's clock.
    pub since: Timestamp,
}

/// A process that says that it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As what, such as a role.
    pub group: String,
    /// Which process.
    pub process: ProcessId,
    /// Since when, by its clock.
    pub since: Timestamp,
    /// What people want to know of it: host, version, ….
    pub about: String,
}

/// Why there is no lease.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody has it; ask again later.
    #[error("the process {by} holds it")]
    Held {
        /// Who.
        by: ProcessId,
    },
    /// It was ours and is no more: it ended before it was renewed. Acquire it again.
    #[error("it ended before it was renewed")]
    Lost,
    /// Nobody answers. What one holds it holds until [`Lease::valid_until`].
    #[error("the leases are out of reach: {0}")]
    Unavailable(String),
}

/// Leases and members. Names and groups may be any text. No call takes longer than a few seconds.
#[async_trait]
pub trait Leases: Send + Sync {
    /// How long a lease, and a member, lasts after its last renewal. Renew three times as often.
    fn ttl(&self) -> Duration;

    /// Takes a lease unless another process has it. Its own holder gets it again, as with [`Leases::renew`]. `now` is
    /// for people to see since when it is held.
    ///
    /// # Errors
    /// [`LeaseError::Held`] or [`LeaseError::Unavailable`].
    async fn acquire(&self, name: &str, holder: &ProcessId, now: Timestamp) -> Result<Lease, LeaseError>;

    /// Makes a lease last on; returns it as it is now.
    ///
    /// # Errors
    /// [`LeaseError::Lost`], or [`LeaseError::Unavailable`]: then it may have been renewed, and may be renewed again.
    async fn renew(&self, lease: &Lease) -> Result<Lease, LeaseError>;

    /// Gives a lease back, so that another process need not wait until it ends. One that was lost meanwhile is left alone.
    ///
    /// # Errors
    /// The log is out of reach; the lease ends by itself.
    async fn release(&self, lease: Lease) -> Result<(), LogError>;

    /// All leases that somebody holds, by name.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn held(&self) -> Result<Vec<HeldLease>, LogError>;

    /// Says that a process is there, for another [`Leases::ttl`]; `since` stays as it was said first.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn announce(&self, member: &Member) -> Result<(), LogError>;

    /// Says that a process is no longer there.
    ///
    /// # Errors
    /// The log is out of reach; the member goes by itself.
    async fn leave(&self, group: &str, process: &ProcessId) -> Result<(), LogError>;

    /// Who is there, by group and process; of all groups without one.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn members(&self, group: Option<&str>) -> Result<Vec<Member>, LogError>;
}
