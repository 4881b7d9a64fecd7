//! What happened, for whoever has no part in how it is counted.

use super::Metrics;
use std::time::Duration;

/// A hop between an event outside and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// From an upload's first byte until it is durable.
    UploadAppend,
    /// Likewise for a webhook.
    WebhookAppend,
    /// From a record until the decision that it caused is durable.
    Decision,
    /// From a release until its claim is durable.
    Claim,
    /// GitHub's answer to a dispatch.
    DispatchRequest,
    /// From the webhook with a parent's conclusion until GitHub took a child.
    WebhookToChildDispatch,
    /// From a change until the comment tells it.
    Comment,
}

impl Hop {
    const fn as_str(self) -> &'static str {
        match self {
            Self::UploadAppend => "upload_append",
            Self::WebhookAppend => "webhook_append",
            Self::Decision => "decision",
            Self::Claim => "claim",
            Self::DispatchRequest => "dispatch_request",
            Self::WebhookToChildDispatch => "webhook_to_child_dispatch",
            Self::Comment => "comment",
        }
    }
}

/// One request to GitHub that ended.
#[derive(Clone, Debug)]
pub struct GitHubRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path with its variable parts in braces.
    pub route: &'a str,
    /// The status; none when no answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// In whose name; none for the App itself.
    pub installation: Option<u64>,
    /// The resource, what is left of it, and how much there is, as GitHub says.
    pub limit: Option<(&'a str, u64, u64)>,
}

/// What our own pacing has left.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Whose; none for the App itself.
    pub installation: Option<u64>,
    /// Writes that may go at once; none where the host is not paced.
    pub writes: Option<f64>,
    /// Likewise comments.
    pub comments: Option<f64>,
    /// Requests under way.
    pub in_flight: u64,
    /// Dispatches that wait.
    pub waiting: u64,
    /// How long GitHub's limit still holds.
    pub blocked_for: Duration,
}

/// How the read model does.
#[derive(Clone, Copy, Debug)]
pub struct ReadModel {
    /// How far it is built, from 0 to 1.
    pub progress: f64,
    /// How many runs it holds.
    pub runs: u64,
    /// Its size on disk in bytes.
    pub bytes: u64,
}

/// An installation's label.
fn installation(id: Option<u64>) -> String {
    id.map_or_else(|| "app".to_owned(), |id| id.to_string())
}

pub(crate) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Metrics {
    /// A hop took so long.
    pub fn hop(&self, hop: Hop, took: Duration) {
        self.hop_duration.get_or_create(&vec![("hop", hop.as_str().to_owned())]).observe(took.as_secs_f64());
    }

    /// A request to GitHub ended.
    pub fn github_request(&self, request: &GitHubRequest<'_>) {
        let (method, route) = (("method", request.method.to_owned()), ("route", request.route.to_owned()));
        let status = request.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.github_requests.get_or_create(&vec![method.clone(), route.clone(), ("status", status)]).inc();
        self.github_duration.get_or_create(&vec![method, route]).observe(request.took.as_secs_f64());
        if let Some((resource, remaining, limit)) = request.limit {
            let labels =
                vec![("installation", installation(request.installation)), ("resource", resource.to_owned())];
            self.github_remaining.get_or_create(&labels).set(clamped(remaining));
            self.github_limit.get_or_create(&labels).set(clamped(limit));
        }
        if request.method == "POST" && request.route.ends_with("/dispatches") {
            self.hop(Hop::DispatchRequest, request.took);
        }
    }

    /// What the budgets have left now; those that are not named are gone.
    pub fn budgets(&self, budgets: &[Budget]) {
        self.budget_left.clear();
        for budget in budgets {
            let whose = ("installation", installation(budget.installation));
            for (lane, left) in [("writes", budget.writes), ("comments", budget.comments)] {
                if let Some(left) = left {
                    self.budget_left.get_or_create(&vec![whose.clone(), ("lane", lane.to_owned())]).set(left);
                }
            }
            let whose = vec![whose];
            self.github_in_flight.get_or_create(&whose).set(clamped(budget.in_flight));
            self.dispatches_waiting.get_or_create(&whose).set(clamped(budget.waiting));
            self.github_blocked.get_or_create(&whose).set(budget.blocked_for.as_secs_f64());
        }
    }

    /// How the read model does now.
    pub(crate) fn read_model(&self, model: &ReadModel) {
        let none = Vec::new();
        self.read_model_progress.get_or_create(&none).set(model.progress);
        self.read_model_runs.get_or_create(&none).set(clamped(model.runs));
        self.read_model_bytes.get_or_create(&none).set(clamped(model.bytes));
    }

    /// A webhook was taken.
    #[expect(clippy::disallowed_methods, reason = "a moment for people; nothing is decided from it")]
    pub(crate) fn webhook_came(&self) {
        let now = jiff::Timestamp::now().as_duration().as_secs_f64();
        self.webhook_last.get_or_create(&Vec::new()).set(now);
    }

    /// A batch of spans went out, or did not.
    pub(crate) fn export_ended(&self, sent: bool) {
        let result = if sent { "ok" } else { "failed" };
        self.exports.get_or_create(&vec![("result", result.to_owned())]).inc();
    }
}
