//! What a scenario begins with.

use super::{API_KEY, Inner, PATIENCE, REPOSITORY, WEBHOOK_SECRET, World, servers::Servers, workflows};
use crate::journal::Journal;
use stackwave_event_log::EventLog;
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_github_sim::{ContentType, GitHub, Host, NewRepository, RunMode, SimConfig, WebhookConfig};
use stackwave_testkit::{
    nats::{NatsServer, server_binary},
    process::Environment,
};
use std::{
    path::Path,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

/// The log, and how the roles are spread over processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One process on SQLite.
    Sqlite,
    /// One process on JetStream.
    JetStream,
    /// A process a role on JetStream.
    Apart,
    /// Three processes with all roles on JetStream.
    Replicas,
}

impl Shape {
    /// Whether what it needs is there; says so when a test is skipped.
    #[must_use]
    pub fn is_possible(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::JetStream | Self::Apart | Self::Replicas => server_binary().is_some(),
        }
    }
}

/// How a world is set up; everything has a default.
pub struct Setup {
    shape: Shape,
    sim: SimConfig,
    repository: NewRepository,
    settings: Environment,
    refusals: bool,
    reachable: bool,
    patience: Duration,
}

impl Setup {
    /// Workflow runs succeed at once, the repository has a plan and an apply workflow.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let webhooks = WebhookConfig { secret: WEBHOOK_SECRET.to_owned(), ..WebhookConfig::default() };
        Self {
            shape,
            sim: SimConfig { webhooks, ..SimConfig::default() },
            repository: NewRepository::new(REPOSITORY)
                .workflow("tf-plan.yaml", workflows::PLAN)
                .workflow("tf-apply.yaml", workflows::APPLY),
            settings: Environment::new(),
            refusals: false,
            reachable: true,
            patience: PATIENCE,
        }
    }

    /// Everything random follows from it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.sim.seed = seed;
        self
    }

    /// Workflow runs succeed after this time.
    #[must_use]
    pub fn job_time(mut self, job_time: Duration) -> Self {
        self.sim.runs = RunMode::Automatic { job_time };
        self
    }

    /// Workflow runs stay queued until the scenario moves them on.
    #[must_use]
    pub fn runs_by_hand(mut self) -> Self {
        self.sim.runs = RunMode::Manual;
        self
    }

    /// Another kind of GitHub.
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.sim.host = host;
        self
    }

    /// The form of GitHub's webhooks.
    #[must_use]
    pub fn webhooks(mut self, form: ContentType) -> Self {
        self.sim.webhooks.content_type = form;
        self
    }

    /// Another workflow file.
    #[must_use]
    pub fn workflow(mut self, name: &str, yaml: &str) -> Self {
        self.repository = self.repository.workflow(name, yaml);
        self
    }

    /// Without this workflow file.
    #[must_use]
    pub fn without_workflow(mut self, name: &str) -> Self {
        self.repository.files.remove(&format!(".github/workflows/{name}"));
        self
    }

    /// A setting of the processes.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// GitHub refuses requests in this scenario, and shall.
    #[must_use]
    pub fn with_refusals(mut self) -> Self {
        self.refusals = true;
        self
    }

    /// How long the scenario waits for one thing: longer where lost webhooks cost 20 s each.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// GitHub cannot be reached at the start.
    #[must_use]
    pub fn without_github(mut self) -> Self {
        self.reachable = false;
        self
    }

    /// Starts everything.
    pub async fn start(self) -> World {
        install_crypto();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let github = GitHub::start(self.sim).await.expect("the simulated GitHub");
        let repo = github.add_repository(self.repository);
        github.set_reachable(self.reachable);
        let nats = match self.shape {
            Shape::Sqlite => None,
            Shape::JetStream | Shape::Apart | Shape::Replicas => {
                Some(NatsServer::start().await.expect("a nats-server"))
            }
        };
        let database = folder.path().join("stackwave.db");
        let mut settings = environment(&github, folder.path());
        let log = nats.as_ref().map_or_else(|| format!("sqlite:{}", database.display()), NatsServer::url);
        settings.insert("STACKWAVE_LOG".to_owned(), log);
        let read_model = folder.path().join("read-model.db").display().to_string();
        settings.insert("STACKWAVE_READ_MODEL".to_owned(), read_model);
        settings.extend(self.settings);
        let url = nats.as_ref().map(NatsServer::url);
        let servers = Servers::start(self.shape, settings, folder, nats).await;
        servers.tell(&github);
        let log: Arc<dyn EventLog> = match url {
            None => SqliteLog::open_read_only(&database).expect("the log"),
            Some(url) => NatsLog::connect(NatsOptions::new(url)).await.expect("the log"),
        };
        let inner = Inner {
            servers,
            journal: Journal::follow(log).await,
            client: reqwest::Client::new(),
            graphs: Mutex::default(),
            refusals: self.refusals,
            patience: self.patience,
        };
        World { github, repo, inner: Arc::new(inner) }
    }
}

fn environment(github: &GitHub, folder: &Path) -> Environment {
    let key = folder.join("app.pem");
    std::fs::write(&key, github.private_key_pem()).expect("a file in the folder");
    let app = stackwave_github_sim::App::default().id.to_string();
    let key = key.display().to_string();
    [
        ("STACKWAVE_GITHUB_API_URL", github.url()),
        ("STACKWAVE_GITHUB_APP_ID", &app),
        ("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &key),
        ("STACKWAVE_GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("STACKWAVE_BOOTSTRAP_API_KEY", API_KEY),
        ("STACKWAVE_DISPATCH_GRACE", "2s"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The one TLS provider, of which the HTTP client wants to know although nothing here speaks TLS.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It can fail only when it was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
