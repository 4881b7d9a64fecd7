//! What a simulated GitHub is at its start.

use std::time::Duration;

use crate::clock::Clock;

/// Settings of a simulated GitHub. Every field has a default, so a test names only what it cares about:
/// `SimConfig { seed: 7, ..SimConfig::default() }`.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Ids, commit hashes and every random fault follow from it. The same seed and the same calls give the same GitHub.
    pub seed: u64,
    /// Port on 127.0.0.1; `0` takes a free one.
    pub port: u16,
    /// Which kind of host it plays.
    pub host: Host,
    /// Where `html_url` fields point. Nothing answers there.
    pub web_url: String,
    /// The GitHub App under test.
    pub app: App,
    /// Id of the first installation of the App.
    pub installation_id: u64,
    /// Organization that has the App installed.
    pub account: String,
    /// How webhooks leave.
    pub webhooks: WebhookConfig,
    /// What a workflow run does when no test says otherwise.
    pub runs: RunMode,
    /// How long an installation token lives (one hour at GitHub).
    pub token_life: Duration,
    /// Requests per hour and installation that the primary rate limit grants. It is enforced.
    pub hourly_limit: u32,
    /// Whose time it is.
    pub clock: Clock,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            port: 0,
            host: Host::Dotcom,
            web_url: "https://github.com".into(),
            app: App::default(),
            installation_id: 51_000_001,
            account: "acme".into(),
            webhooks: WebhookConfig::default(),
            runs: RunMode::Automatic { job_time: Duration::ZERO },
            token_life: Duration::from_secs(3600),
            hourly_limit: 15_000,
            clock: Clock::system(),
        }
    }
}

/// Which kind of GitHub answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// github.com: knows `return_run_details` and both API versions, 25 inputs a dispatch.
    Dotcom,
    /// GitHub Enterprise Server before 3.21: refuses `return_run_details` with 400, answers dispatches with 204,
    /// allows 10 inputs, serves its API under `/api/v3` and has no rate limits.
    OldGhes,
}

impl Host {
    /// Path in front of every REST route.
    #[must_use]
    pub fn api_prefix(self) -> &'static str {
        match self {
            Self::Dotcom => "",
            Self::OldGhes => "/api/v3",
        }
    }

    /// The version that `x-github-enterprise-version` names, when the host is an Enterprise Server.
    #[must_use]
    pub fn enterprise_version(self) -> Option<&'static str> {
        match self {
            Self::Dotcom => None,
            Self::OldGhes => Some("3.19.2"),
        }
    }

    pub(crate) fn inputs_limit(self) -> usize {
        match self {
            Self::Dotcom => 25,
            Self::OldGhes => 10,
        }
    }

    pub(crate) fn knows_run_details(self) -> bool {
        match self {
            Self::Dotcom => true,
            Self::OldGhes => false,
        }
    }
}

/// The GitHub App under test.
#[derive(Clone, Debug)]
pub struct App {
    /// App id; accepted as `iss` of a JWT, as a number or a string.
    pub id: u64,
    /// Client id; accepted as `iss` too.
    pub client_id: String,
    /// The App acts as `<slug>[bot]`.
    pub slug: String,
    /// Permissions that every installation grants, as (name, level).
    pub permissions: Vec<(String, String)>,
}

impl Default for App {
    fn default() -> Self {
        let permissions = [
            ("actions", "write"),
            ("checks", "write"),
            ("contents", "read"),
            ("issues", "read"),
            ("merge_queues", "read"),
            ("metadata", "read"),
            ("pull_requests", "write"),
        ];
        Self {
            id: 424_242,
            client_id: "Iv23liStackwaveSim01".into(),
            slug: "stackwave".into(),
            permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).into(),
        }
    }
}

impl App {
    /// Login of the App's bot user.
    #[must_use]
    pub fn bot_login(&self) -> String {
        format!("{}[bot]", self.slug)
    }
}

/// How webhooks leave.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Where they go, `http://…`. `None`: they are logged and not sent until
    /// [`set_webhook_url`](crate::GitHub::set_webhook_url).
    pub url: Option<String>,
    /// Key of `X-Hub-Signature-256`.
    pub secret: String,
    /// Form of the body.
    pub content_type: ContentType,
    /// Events that the App has subscribed to. `installation`, `installation_repositories` and `ping` always come.
    pub events: Vec<String>,
    /// What has to be delivered before what.
    pub order: DeliveryOrder,
    /// Deliveries in flight at once.
    pub connections: usize,
    /// How long the receiver may take; 10 s on github.com.
    pub answer_within: Duration,
    /// Of how many of the newest deliveries the payload is kept.
    pub payloads_kept: usize,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        let events = [
            "check_run",
            "issue_comment",
            "merge_group",
            "pull_request",
            "push",
            "release",
            "workflow_dispatch",
            "workflow_job",
            "workflow_run",
        ];
        Self {
            url: None,
            secret: "It's a Secret to Everybody".into(),
            content_type: ContentType::Json,
            events: events.map(str::to_owned).into(),
            order: DeliveryOrder::Repository,
            connections: 32,
            answer_within: Duration::from_secs(10),
            payloads_kept: 10_000,
        }
    }
}

/// Form of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded` with the field `payload`.
    Form,
}

/// Which webhooks wait for which. One that waits is sent when the one before has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOrder {
    /// All webhooks of a repository go one after the other.
    Repository,
    /// Those of one workflow run, pull request or branch go one after the other, different ones side by side.
    /// This is what a burst at GitHub looks like.
    Subject,
}

/// What a workflow run does when no [outcome](crate::Outcome) is planned for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// It starts at once and succeeds after this time.
    Automatic {
        /// From the start of the run to its conclusion.
        job_time: Duration,
    },
    /// It stays `queued` until a test moves it on.
    Manual,
}
