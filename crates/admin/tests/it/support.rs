//! A process of one role, on a log in a temporary folder.

use secrecy::SecretString;
use stackwave_admin::{Budget, Narrator, Process, ServerTls, Sources};
use stackwave_admin_proto::v1::{GetRunRequest, ListRunsRequest, ListRunsResponse, runs_client::RunsClient};
use stackwave_domain::{
    CommitSha, Digest, Entry, Event, GitRef, InstallationId, Position, PrNumber, RepositoryId,
    RepositoryName, RunId, RunPlan, StackKey, StreamId, Subject, WorkflowFile, WorkspaceId,
    digest::Stored,
    event::{RepositoryRegistered, RunOpened, StackReleased, Trigger},
    fragment::WorkflowCall,
    plan::{PlannedStack, SkipReason, Verdict},
};
use stackwave_event_log::{Append, EventLog};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_read_model::{Place, ReadModel};
use stackwave_runtime::{
    Acting, ConfigView, Core, Health, Ids, PartitionOptions, PartitionView, SystemClock, partition,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

pub(crate) const TOKEN: &str = "correct-horse";
pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const PARTITION: StreamId = StreamId::Partition(0);

/// The running service. Its folder goes when it is dropped.
pub(crate) struct Admin {
    pub(crate) core: Core,
    pub(crate) address: SocketAddr,
    pub(crate) served: tokio::task::JoinHandle<Result<(), stackwave_admin::Error>>,
    partition: PartitionView,
    folder: Arc<tempfile::TempDir>,
}

impl Admin {
    /// Serves with the usual token.
    pub(crate) async fn start() -> Self {
        Self::start_with(Some(TOKEN)).await
    }

    pub(crate) async fn start_with(token: Option<&str>) -> Self {
        Self::start_with_tls(token, None).await
    }

    pub(crate) async fn start_with_tls(token: Option<&str>, tls: Option<ServerTls>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let log = SqliteLog::open(folder.path().join("log.db"), 1).unwrap();
        let admin = Self::on(log, folder, token, tls).await;
        admin.append(Subject::config("repository", "42"), vec![repository().into()]).await;
        admin
    }

    /// Another replica on the same log.
    pub(crate) async fn replica(&self) -> Self {
        Self::on(Arc::clone(&self.core.log), Arc::clone(&self.folder), Some(TOKEN), None).await
    }

    /// On a process that is there already, whatever its log.
    pub(crate) async fn with_core(core: Core) -> Self {
        Self::of(core, Arc::new(tempfile::tempdir().unwrap()), Some(TOKEN), None).await
    }

    async fn on(
        log: Arc<dyn EventLog>,
        folder: Arc<tempfile::TempDir>,
        token: Option<&str>,
        tls: Option<ServerTls>,
    ) -> Self {
        Self::of(core(log).await, folder, token, tls).await
    }

    async fn of(
        core: Core,
        folder: Arc<tempfile::TempDir>,
        token: Option<&str>,
        tls: Option<ServerTls>,
    ) -> Self {
        let place = Place::File(folder.path().join("read-model.db"));
        let read_model = ReadModel::open(&core, &place).await.unwrap();
        let observers = read_model.observer().into_iter().collect();
        let options = PartitionOptions { observers, ..Default::default() };
        let (partition, _) = partition::start(core.clone(), PARTITION, options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = stackwave_admin::Config { token: token.map(SecretString::from), tls, metrics: None };
        let partitions = vec![partition.clone()];
        let sources = sources(read_model.clone());
        let served =
            tokio::spawn(stackwave_admin::serve(core.clone(), settings, sources, partitions, listener));
        let admin = Self { core, address, served, partition, folder };
        admin.ready(&read_model).await;
        admin
    }

    /// Waits until the log was read and the lists are there.
    async fn ready(&self, read_model: &ReadModel) {
        let waited = async {
            while !self.core.health.is_ready()
                || read_model.status().await.is_some_and(|model| model.building)
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.unwrap();
    }

    /// Appends, and waits until the service has folded it.
    pub(crate) async fn append(&self, subject: Subject, events: Vec<Event>) -> Position {
        let record = self.core.record("test", events);
        let stream = subject.stream();
        let position = self.core.log.append(Append::any(subject, record)).await.unwrap().receipt.position;
        if stream == StreamId::Config {
            self.core.config.wait_for(position).await;
        } else {
            self.partition.wait_for(position).await;
        }
        position
    }

    /// Decisions of the repository.
    pub(crate) async fn decide(&self, events: Vec<Event>) {
        self.append(Subject::ledger(PARTITION, REPOSITORY), events).await;
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> RunsClient<Channel> {
        RunsClient::new(self.channel().await)
    }

    /// A page, once the service is ready to answer.
    pub(crate) async fn list(&self, request: ListRunsRequest) -> Result<ListRunsResponse, Status> {
        let mut client = self.client().await;
        let answered = async {
            loop {
                match client.list_runs(authorized(request.clone())).await {
                    Err(status) if status.code() == tonic::Code::Unavailable => {}
                    answer => return answer.map(tonic::Response::into_inner),
                }
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap()
    }

    /// Waits until a filter leaves these runs, in this order: lists follow the log within moments.
    pub(crate) async fn shows(&self, request: ListRunsRequest, expected: &[&str]) {
        let mut seen = Vec::new();
        let shown = async {
            while seen != expected {
                let runs = self.list(request.clone()).await.unwrap().runs;
                seen = runs.into_iter().map(|run| run.id).collect();
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, shown).await.is_ok();
        assert!(in_time, "{seen:?} instead of {expected:?}");
    }

    pub(crate) async fn get(&self, id: &str) -> Result<stackwave_admin_proto::v1::GetRunResponse, Status> {
        let request = GetRunRequest { run_id: id.to_owned(), ..Default::default() };
        let mut client = self.client().await;
        let answered = async {
            loop {
                match client.get_run(authorized(request.clone())).await {
                    Err(status) if status.code() == tonic::Code::Unavailable => {}
                    answer => return answer.map(tonic::Response::into_inner),
                }
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap()
    }
}

/// A call with the usual token.
pub(crate) fn authorized<T>(message: T) -> Request<T> {
    with_header(message, &format!("Bearer {TOKEN}"))
}

pub(crate) fn with_header<T>(message: T, header: &str) -> Request<T> {
    let mut request = Request::new(message);
    let header: MetadataValue<Ascii> = header.parse().unwrap();
    request.metadata_mut().insert("authorization", header);
    request
}

/// What a process has.
pub(crate) async fn core(log: Arc<dyn EventLog>) -> Core {
    let (health, shutdown) = (Health::default(), CancellationToken::new());
    let config = ConfigView::start(log.clone(), &health, shutdown.clone()).await.unwrap();
    Core {
        log,
        clock: Arc::new(SystemClock::default()),
        ids: Ids::default(),
        health,
        config,
        shutdown,
        tasks: TaskTracker::new(),
    }
}

pub(crate) fn sources(read_model: ReadModel) -> Sources {
    Sources {
        read_model,
        acting: Acting::always(),
        budgets: Box::new(|| {
            vec![Budget {
                installation: Some(InstallationId(7)),
                writes_per_minute: 150,
                writes_left: Some(19.5),
                blocked_for: Some(Duration::from_secs(30)),
                ..Budget::default()
            }]
        }),
        narrator: Box::new(|| Box::new(Words::default())),
        process: Process {
            version: "1.2.3",
            roles: vec!["admin".to_owned()],
            started_at: stackwave_domain::Timestamp::UNIX_EPOCH,
            dispatch_enabled: true,
        },
    }
}

/// Says the name of an event, and knows runs by their own records and their uploads.
#[derive(Default)]
struct Words {
    uploads: BTreeMap<Digest, RunId>,
}

impl Narrator for Words {
    fn add(&mut self, entry: &Entry) {
        for event in &entry.record.events {
            if let Event::RunOpened(opened) = event {
                self.uploads.insert(opened.upload.clone(), opened.run.clone());
            }
        }
    }

    fn summary(&self, _: &Entry, event: &Event) -> String {
        format!("about {}", event.name())
    }

    fn is_about(&self, _: &Entry, event: &Event, run: &RunId) -> bool {
        match event {
            Event::RunOpened(opened) => opened.run == *run,
            Event::StackReleased(released) => released.run == *run,
            Event::UploadReceived(upload) => self.uploads.get(&upload.digest) == Some(run),
            _ => false,
        }
    }
}

pub(crate) fn repository() -> RepositoryRegistered {
    RepositoryRegistered {
        repository: REPOSITORY,
        name: RepositoryName::new("acme", "infra"),
        default_branch: GitRef::new("main"),
        installation: Some(InstallationId(1)),
        workspace: WorkspaceId::default_workspace(),
    }
}

/// A run of a pull request: `vpc/dev`, and `app/dev` below it, and `docs/dev`, which is skipped.
pub(crate) fn opened(id: &str, pull_request: u64) -> RunOpened {
    let stack = |component: &str, verdict: Verdict| PlannedStack {
        key: StackKey::new("dev", component),
        directly_affected: component == "vpc",
        verdict,
    };
    let call = WorkflowCall { workflow: WorkflowFile::new("plan.yaml"), inputs: Default::default() };
    let plan = RunPlan {
        stacks: vec![
            stack("app", Verdict::Dispatch(vec![call.clone()])),
            stack("docs", Verdict::Skip(SkipReason::Disabled)),
            stack("vpc", Verdict::Dispatch(vec![call])),
        ],
        edges: BTreeSet::from([(2, 0)]),
        warnings: vec!["something odd".to_owned()],
    };
    RunOpened {
        run: RunId::new(id),
        workspace: WorkspaceId::default_workspace(),
        trigger: Trigger::new("pull_request", "opened"),
        inferred: false,
        generation: 1,
        pull_request: Some(PrNumber(pull_request)),
        release: None,
        head_sha: CommitSha::new("9f2c1d7a"),
        sha: CommitSha::new("9f2c1d7b"),
        git_ref: GitRef::new("main"),
        upload: Digest::of(id.as_bytes()),
        merged_at: None,
        plan: Stored::inline(plan),
    }
}

/// The run's `vpc/dev` may go.
pub(crate) fn released(id: &str) -> StackReleased {
    StackReleased { run: RunId::new(id), key: StackKey::new("dev", "vpc"), attempt: 1 }
}
