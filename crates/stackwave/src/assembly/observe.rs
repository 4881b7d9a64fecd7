//! What the parts of a process tell its metrics: glue between those who know nothing of each other.

use super::{GitHubClient, Options, Role};
use stackwave_github_client::{Exchange, ExchangeObserver};
use stackwave_read_model::ReadModel;
use stackwave_runtime::{Acting, Core, PartitionView};
use stackwave_telemetry::{
    Metrics,
    metrics::{self, Budget, GitHubRequest},
    sample::{Sampler, Watched},
};
use std::sync::Arc;

/// Counts exchanges with GitHub.
pub(super) struct Exchanges(pub(super) Arc<Metrics>);

impl ExchangeObserver for Exchanges {
    fn ended(&self, exchange: &Exchange) {
        self.0.github_request(&GitHubRequest {
            method: &exchange.method,
            route: &exchange.route,
            status: exchange.status,
            took: exchange.took,
            installation: exchange.installation.map(|installation| installation.0),
            limit: exchange
                .limit
                .as_ref()
                .map(|limit| (limit.resource.as_str(), limit.remaining, limit.limit)),
        });
    }
}

/// Looks at the process now and then.
pub(super) fn sampler(
    core: &Core,
    options: &Options,
    partitions: &[PartitionView],
    acting: &Acting,
    github: &Arc<GitHubClient>,
    read_model: &ReadModel,
) -> Arc<Sampler> {
    let following = [Role::Orchestrator, Role::Dispatcher, Role::Commenter, Role::Admin];
    let ours = |roles: &[Role]| {
        let ours = roles.iter().filter(|role| options.roles.contains(role));
        ours.map(ToString::to_string).collect::<Vec<_>>()
    };
    let (github, read_model) = (Arc::clone(github), read_model.clone());
    let watched = Watched {
        core: core.clone(),
        partitions: partitions.to_vec(),
        services: ours(&following),
        spread: ours(&following[..3]),
        acting: acting.clone(),
        budgets: Box::new(move || github.budgets().into_iter().map(budget).collect()),
        read_model: Box::new(move || Box::pin(look_at(read_model.clone()))),
    };
    Sampler::new(Arc::clone(&options.metrics), watched)
}

async fn look_at(read_model: ReadModel) -> Option<metrics::ReadModel> {
    let status = read_model.status().await?;
    Some(metrics::ReadModel { progress: status.progress, runs: status.runs, bytes: status.bytes })
}

fn budget(left: stackwave_github_client::BudgetLeft) -> Budget {
    Budget {
        installation: left.installation.map(|installation| installation.0),
        writes: left.writes,
        comments: left.comments,
        in_flight: left.in_flight,
        waiting: left.waiting_dispatches,
        blocked_for: left.blocked_for,
    }
}
