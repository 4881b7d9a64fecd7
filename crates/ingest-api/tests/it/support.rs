//! The service behind real HTTP, on a log in memory.

pub(crate) mod memory_log;

use async_trait::async_trait;
use memory_log::MemoryLog;
use reqwest::StatusCode;
use serde_json::{Value, json};
use stackwave_domain::{
    Event, Fragment, GitRef, InstallationId, RepositoryId, RepositoryName, StreamId, Subject, Timestamp,
    WorkspaceId,
    event::{ApiKeyRegistered, RepositoryRegistered, UploadReceived},
};
use stackwave_event_log::{Append, EventLog};
use stackwave_github::port::{CallError, Repositories, RepositoryFound};
use stackwave_ingest_api::Config;
use stackwave_runtime::{ConfigView, Core, Health, Ids, SystemClock, registry, stow};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) const KEY: &str = "key-of-default";
pub(crate) const OTHER_KEY: &str = "key-of-another-workspace";
pub(crate) const REPOSITORY: RepositoryId = RepositoryId(4_217);
pub(crate) const PARTITION: StreamId = StreamId::Partition(0);

/// What GitHub answers when it is asked for a repository.
#[derive(Default)]
pub(crate) struct FakeGitHub {
    answers: Mutex<BTreeMap<String, Result<RepositoryFound, CallError>>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Repositories for FakeGitHub {
    async fn by_name(&self, name: &RepositoryName) -> Result<RepositoryFound, CallError> {
        assert_ne!(name.name, "panics", "ordered by the test");
        self.asked.lock().unwrap().push(name.to_string());
        let answer = self.answers.lock().unwrap().get(&name.to_string()).cloned();
        match answer {
            Some(Err(CallError::Unavailable(why))) if why == "for ever" => std::future::pending().await,
            Some(answer) => answer,
            None => Err(CallError::NotFound(name.to_string())),
        }
    }

    async fn all(&self) -> Result<Vec<RepositoryFound>, CallError> {
        Ok(Vec::new())
    }
}

impl FakeGitHub {
    pub(crate) fn answer(&self, name: &str, answer: Result<RepositoryFound, CallError>) {
        self.answers.lock().unwrap().insert(name.to_owned(), answer);
    }
}

pub(crate) fn found(id: u64, owner: &str, name: &str) -> RepositoryFound {
    RepositoryFound {
        id: RepositoryId(id),
        name: RepositoryName::new(owner, name),
        default_branch: GitRef::new("main"),
        installation: InstallationId(7),
    }
}

/// A running service.
pub(crate) struct Service {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) core: Core,
    pub(crate) github: Arc<FakeGitHub>,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
}

impl Service {
    /// With two API keys and the repositories `acme/landing-zone` and `acme/infra` known.
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let service = Self::on(MemoryLog::new(), config).await;
        register_key(&service.core, KEY, "default").await;
        register_key(&service.core, OTHER_KEY, "another").await;
        service.register_repository(REPOSITORY.0, "acme", "landing-zone", "default").await;
        service.register_repository(99, "acme", "infra", "default").await;
        service
    }

    /// Another process on the same log.
    pub(crate) async fn restarted(&self) -> Self {
        Self::on(self.log.clone(), Config::default()).await
    }

    async fn on(log: Arc<MemoryLog>, config: Config) -> Self {
        let shutdown = CancellationToken::new();
        let health = Health::default();
        let view = ConfigView::start(log.clone(), &health, shutdown.clone()).await.unwrap();
        let core = Core {
            log: log.clone(),
            clock: Arc::new(SystemClock::default()),
            ids: Ids::default(),
            health,
            config: view,
            shutdown,
            tasks: TaskTracker::new(),
        };
        let github = Arc::new(FakeGitHub::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let repositories: Arc<dyn Repositories> = github.clone();
        tokio::spawn(stackwave_ingest_api::run(core.clone(), config, Some(repositories), listener));
        Self { log, core, github, base, client: client() }
    }

    /// Posts a body to `/api/v1/affected-stacks` with the default workspace's key.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request("/api/v1/affected-stacks").bearer_auth(KEY);
        Answer::of(request.header("content-type", "application/json").body(body).send().await.unwrap()).await
    }

    pub(crate) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    pub(crate) async fn register_repository(&self, id: u64, owner: &str, name: &str, workspace: &str) {
        let repository = RepositoryRegistered {
            repository: RepositoryId(id),
            name: RepositoryName::new(owner, name),
            default_branch: GitRef::new("main"),
            installation: Some(InstallationId(7)),
            workspace: WorkspaceId::new(workspace),
        };
        registry::register_repository(&self.core, "test", repository).await.unwrap();
    }

    /// Appends to the configuration and waits until the service knows it.
    pub(crate) async fn append_config(&self, subject: Subject, event: Event) {
        let record = self.core.record("test", vec![event]);
        let appended = self.log.append(Append::any(subject, record)).await.unwrap();
        self.core.config.wait_for(appended.receipt.position).await;
    }

    /// The uploads in the repositories' partition, whole.
    pub(crate) async fn uploads(&self) -> Vec<UploadReceived> {
        self.uploads_in(PARTITION).await
    }

    pub(crate) async fn uploads_in(&self, stream: StreamId) -> Vec<UploadReceived> {
        let mut entries = self.log.entries(stream);
        let log: Arc<dyn EventLog> = self.log.clone();
        stow::hydrate(&log, &mut entries).await.unwrap();
        let events = entries.into_iter().flat_map(|entry| entry.record.events);
        events
            .filter_map(|event| match event {
                Event::UploadReceived(upload) => Some(upload),
                _ => None,
            })
            .collect()
    }

    pub(crate) async fn only_fragment(&self) -> Arc<Fragment> {
        let uploads = self.uploads().await;
        assert_eq!(uploads.len(), 1);
        uploads[0].fragment.get().unwrap().clone()
    }

    pub(crate) async fn raw(&self, upload: &UploadReceived) -> String {
        let bytes = self.log.get_blob(&upload.raw.digest).await.unwrap().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.core.shutdown.cancel();
    }
}

/// An answer whose envelope was checked.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {status} {text}"));
        assert_eq!(body["status"], json!(status.as_u16()), "{body}");
        assert_eq!(body["success"], json!(status == StatusCode::OK), "{body}");
        assert_eq!(body["traceId"].as_str().map(str::len), Some(32), "{body}");
        assert!(body["request"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
        assert!(body["data"].is_null() || body["data"].is_object(), "{body}");
        if status != StatusCode::OK {
            assert!(body["errorMessage"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
            assert!(body["errorTag"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        }
        Self { status: status.as_u16(), body }
    }

    pub(crate) fn message(&self) -> &str {
        self.body["errorMessage"].as_str().unwrap()
    }

    pub(crate) fn field(&self) -> &str {
        self.body["context"]["field"].as_str().unwrap_or_default()
    }
}

/// A body with the given stacks, for `acme/landing-zone`.
pub(crate) fn body(stacks: Value) -> Value {
    json!({
        "head_sha": "72d76fbc60756b9510c0ddcc445fcb74fc9f4d7d",
        "base_sha": "bafd7fab837afa33e8b0d083b8b53eb5bf29d5da",
        "repo_url": "https://github.com/acme/landing-zone.git",
        "repo_name": "landing-zone", "repo_owner": "acme", "repo_host": "github.com",
        "stacks": stacks,
    })
}

/// A request of the real CLI.
pub(crate) fn fixture(name: &str) -> String {
    let path = format!("{}/../../tests/fixtures/atmos/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn edges(fragment: &Fragment) -> Vec<String> {
    let name = |index: &u32| fragment.stacks[*index as usize].key.to_string();
    fragment.edges.iter().map(|(parent, child)| format!("{} -> {}", name(parent), name(child))).collect()
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn register_key(core: &Core, key: &str, workspace: &str) {
    let hash = stackwave_auth::hash_api_key(&key.into());
    let event = ApiKeyRegistered {
        credential: hash.prefix(12).into(),
        workspace: WorkspaceId::new(workspace),
        name: "test".to_owned(),
        hash,
        at: Timestamp::UNIX_EPOCH,
        expires_at: None,
    };
    let subject = Subject::config("api_key", event.credential.as_str());
    let position = registry::register(core, "test", subject, event.into()).await.unwrap();
    core.config.wait_for(position).await;
}
