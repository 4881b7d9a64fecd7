//! What goes over the wire, for metrics: each exchange, and what the budgets have left.

use crate::{GitHubClient, http::Answer};
use stackwave_domain::{InstallationId, Timestamp};
use std::time::Duration;

/// One exchange with GitHub that ended, with an answer or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The HTTP method.
    pub method: String,
    /// The path with its variable parts in braces, so that there are few: `/repos/{owner}/{repo}/pulls/{id}`.
    pub route: String,
    /// In whose name; none for the App itself.
    pub installation: Option<InstallationId>,
    /// The answer's status; none when there was no answer.
    pub status: Option<u16>,
    /// From the first byte sent to the last one read.
    pub took: Duration,
    /// What GitHub says of its limit.
    pub limit: Option<RateLimit>,
}

/// GitHub's own count.
///
/// Source: GitHub Docs "Rate limits for the REST API", headers `x-ratelimit-…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// `core`, `search`, ….
    pub resource: String,
    /// Requests left until the reset.
    pub remaining: u64,
    /// Requests between two resets.
    pub limit: u64,
    /// When the count starts anew.
    pub reset_at: Option<Timestamp>,
}

impl RateLimit {
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
        Some(Self {
            resource: answer.header("x-ratelimit-resource").unwrap_or("core").to_owned(),
            remaining: number("x-ratelimit-remaining")?,
            limit: number("x-ratelimit-limit")?,
            reset_at: number("x-ratelimit-reset")
                .and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok()),
        })
    }
}

/// Sees each exchange. Called from the task that made it, which waits: it returns at once.
pub trait ExchangeObserver: Send + Sync {
    /// An exchange ended.
    fn ended(&self, exchange: &Exchange);
}

/// What one budget has left.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetLeft {
    /// Whose; none for the App itself.
    pub installation: Option<InstallationId>,
    /// Writes that may go at once; none where the host is not paced. Below zero after writes that could not wait.
    pub writes: Option<f64>,
    /// Likewise for comments; the scarcest of the budgets that they have.
    pub comments: Option<f64>,
    /// Calls that are in flight.
    pub in_flight: u64,
    /// Writes a minute that this process may send; none where the host is not paced.
    pub writes_per_minute: Option<u32>,
    /// Writes of any kind that wait for the budget.
    pub waiting: u64,
    /// How long the one that waits longest has waited.
    pub longest_wait: Option<Duration>,
    /// GitHub's own count, as its last answer said.
    pub limit: Option<RateLimit>,
    /// Dispatches that wait for the budget.
    pub waiting_dispatches: u64,
    /// How long a limit of GitHub still holds; zero when none does.
    pub blocked_for: Duration,
}

impl GitHubClient {
    /// What every budget that was used has left now.
    #[must_use]
    pub fn budgets(&self) -> Vec<BudgetLeft> {
        self.inner.budgets.left()
    }
}

/// The parts of paths that are ours to know; everything else is somebody's.
const WORDS: [&str; 22] = [
    "repos",
    "app",
    "installation",
    "installations",
    "access_tokens",
    "repositories",
    "actions",
    "workflows",
    "runs",
    "dispatches",
    "cancel",
    "issues",
    "comments",
    "pulls",
    "commits",
    "contents",
    ".github",
    "hook",
    "config",
    "deliveries",
    "attempts",
    "check-runs",
];

/// A path below the base URL with its variable parts in braces, and without its query.
pub(crate) fn route(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut route = String::with_capacity(path.len());
    for (index, segment) in path.split('/').skip(1).enumerate() {
        route.push('/');
        let repository = path.starts_with("/repos/");
        route.push_str(match (repository, index) {
            (true, 1) => "{owner}",
            (true, 2) => "{repo}",
            _ if WORDS.contains(&segment) => segment,
            _ if segment.bytes().all(|byte| byte.is_ascii_digit()) => "{id}",
            _ => "{name}",
        });
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_nothing_of_anybody() {
        for (path, expected) in [
            ("/repos/acme/infra/pulls/7", "/repos/{owner}/{repo}/pulls/{id}"),
            ("/repos/repos/42/pulls?per_page=100", "/repos/{owner}/{repo}/pulls"),
            (
                "/repos/acme/infra/actions/workflows/tf-plan.yaml/dispatches",
                "/repos/{owner}/{repo}/actions/workflows/{name}/dispatches",
            ),
            (
                "/repos/acme/infra/contents/.github/workflows/tf.yaml?ref=main",
                "/repos/{owner}/{repo}/contents/.github/workflows/{name}",
            ),
            ("/repos/a/b/commits/0af7651/pulls", "/repos/{owner}/{repo}/commits/{name}/pulls"),
            ("/app/installations/9/access_tokens", "/app/installations/{id}/access_tokens"),
            ("/app", "/app"),
        ] {
            assert_eq!(route(path), expected);
        }
    }
}
