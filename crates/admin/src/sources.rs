//! What the service asks of other parts of the process. Whoever wires the process fills it in.

use stackwave_domain::{Entry, Event, InstallationId, RunId, Timestamp};
use stackwave_read_model::ReadModel;
use stackwave_runtime::Acting;
use std::time::Duration;

/// Where answers come from, beside the log and the folded partitions.
pub struct Sources {
    /// The lists.
    pub read_model: ReadModel,
    /// Who acts for which partition.
    pub acting: Acting,
    /// What is left of GitHub's limits, by installation.
    pub budgets: Box<dyn Fn() -> Vec<Budget> + Send + Sync>,
    /// Makes who tells records in words.
    pub narrator: Box<dyn Fn() -> Box<dyn Narrator> + Send + Sync>,
    /// This process.
    pub process: Process,
}

/// This process, as `System.GetStatus` tells it.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its version.
    pub version: &'static str,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// Whether workflows are started.
    pub dispatch_enabled: bool,
}

/// The budget of one installation in this process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// Whose; none for calls of the App itself.
    pub installation: Option<InstallationId>,
    /// Writes a minute; 0 = not paced.
    pub writes_per_minute: u32,
    /// Writes that may go at once; none when not paced.
    pub writes_left: Option<f64>,
    /// Requests that are under way.
    pub in_flight: u32,
    /// Requests that wait for their turn.
    pub waiting: u32,
    /// GitHub's own count of what is left of this hour.
    pub rate_limit_remaining: Option<u64>,
    /// When GitHub's count starts anew.
    pub rate_limit_reset_at: Option<Timestamp>,
    /// How long GitHub's limit still holds; none when none does.
    pub blocked_for: Option<Duration>,
    /// How long the one that waits longest has waited.
    pub longest_wait: Option<Duration>,
}

/// Tells records in words, and knows which run they belong to. One is made for each stream of events, and sees its
/// records in their order.
pub trait Narrator: Send + Sync {
    /// Learns from a record what later ones refer to.
    fn add(&mut self, entry: &Entry);

    /// What an event says, in a line for people.
    fn summary(&self, entry: &Entry, event: &Event) -> String;

    /// Whether an event belongs to a run, as far as the records that were added tell.
    fn is_about(&self, entry: &Entry, event: &Event, run: &RunId) -> bool;
}
