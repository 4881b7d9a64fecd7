//! What the admin API asks of the other parts of the process.

use super::Options;
use crate::log::LogNarrator;
use stackwave_admin::{Budget, Process, Sources};
use stackwave_github_client::{BudgetLeft, GitHubClient};
use stackwave_read_model::ReadModel;
use stackwave_runtime::{Acting, Core};
use std::sync::Arc;

pub(super) fn sources(
    core: &Core,
    options: &Options,
    github: &Arc<GitHubClient>,
    acting: &Acting,
    read_model: ReadModel,
) -> Sources {
    let github = Arc::clone(github);
    Sources {
        read_model,
        acting: acting.clone(),
        budgets: Box::new(move || github.budgets().into_iter().map(budget).collect()),
        narrator: Box::new(|| Box::new(LogNarrator::default())),
        process: Process {
            version: env!("CARGO_PKG_VERSION"),
            roles: options.roles.iter().map(ToString::to_string).collect(),
            started_at: core.clock.now(),
            dispatch_enabled: options.dispatch,
        },
    }
}

fn budget(left: BudgetLeft) -> Budget {
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let (remaining, reset_at) =
        left.limit.map_or((None, None), |limit| (Some(limit.remaining), limit.reset_at));
    Budget {
        installation: left.installation,
        writes_per_minute: left.writes_per_minute.unwrap_or(0),
        writes_left: left.writes,
        in_flight: count(left.in_flight),
        waiting: count(left.waiting),
        rate_limit_remaining: remaining,
        rate_limit_reset_at: reset_at,
        blocked_for: Some(left.blocked_for).filter(|wait| !wait.is_zero()),
        longest_wait: left.longest_wait,
    }
}
