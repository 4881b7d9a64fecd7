//! One process that comments, on a log that others may share.

use super::github::FakeGitHub;
use crate::scenario::{REPOSITORY, STREAM, opened, workspace};
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_commenter::{Config, actor};
use stackwave_domain::{
    Digest, Entry, Event, Fragment, GitRef, InstallationId, Position, PrNumber, RepositoryName, RunId,
    StreamId, Subject,
    event::{RepositoryRegistered, RunClosed, RunOpened},
};
use stackwave_engine::state::RepositoryState;
use stackwave_event_log::{
    Append, AppendError, Appended, Asides, Entries, EventLog, Filter, Leases, LogError, RawRecord, Snapshots,
    Upkeep,
};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{ConfigView, Core, Health, Ids, PartitionView, SystemClock, partition, registry};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A log in a folder of its own.
pub(crate) struct TestLog {
    pub(crate) log: Arc<dyn EventLog>,
    _folder: TempDir,
}

impl TestLog {
    /// A log that only one process writes.
    pub(crate) fn exclusive() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("log.sqlite"), 1).unwrap();
        Self { log, _folder: folder }
    }

    /// A log that says of itself that others may write it too.
    pub(crate) fn shared() -> Self {
        let Self { log, _folder } = Self::exclusive();
        Self { log: Arc::new(Shared(log)), _folder }
    }

    /// Opens a run for a pull request, and gives its place.
    pub(crate) async fn open_run(&self, number: PrNumber, head: &str, fragment: &Fragment) -> RunId {
        let mut run = opened("opened", head, fragment);
        run.pull_request = Some(number);
        self.open_as(run).await
    }

    pub(crate) async fn open_as(&self, mut run: RunOpened) -> RunId {
        let number = run.pull_request.expect("runs of these tests have one");
        run.run = RunId::new(format!("{}-{number}", run.run));
        let id = run.run.clone();
        self.append(Subject::ledger(STREAM, REPOSITORY), run.into()).await;
        id
    }

    /// Closes a run: its comment has something new to say.
    pub(crate) async fn close_run(&self, run: &RunId, reason: &str) -> Position {
        let closed = RunClosed { run: run.clone(), reason: reason.to_owned() };
        self.append(Subject::ledger(STREAM, REPOSITORY), closed.into()).await
    }

    pub(crate) async fn append(&self, subject: Subject, event: Event) -> Position {
        let clock: &dyn stackwave_runtime::Clock = &SystemClock::default();
        let record = stackwave_domain::Record::new(Ids::default().record(), clock.now(), "test", vec![event]);
        self.log.append(Append::any(subject, record)).await.unwrap().receipt.position
    }

    /// Everything that the log holds of comments, oldest first.
    pub(crate) async fn comment_events(&self) -> Vec<Event> {
        let entries = self.log.read(STREAM, Position(1), 1_000).await.unwrap();
        let of_comments = entries.into_iter().filter(|entry| entry.subject.kind().starts_with("comment."));
        of_comments.flat_map(|entry| entry.record.events).collect()
    }
}

/// A process whose only role is to comment.
pub(crate) struct Process {
    pub(crate) core: Core,
    pub(crate) view: PartitionView,
}

/// Paces of milliseconds, so that tests wait for events and not for time.
pub(crate) fn quick() -> Config {
    let short = Duration::from_millis(1);
    Config { pace: short, retry: short, ..Config::default() }
}

impl Process {
    /// One that knows the repository.
    pub(crate) async fn start(log: &TestLog, github: &Arc<FakeGitHub>, config: Config) -> Self {
        let process = Self::start_unregistered(log, github, config).await;
        process.register().await;
        process
    }

    pub(crate) async fn start_unregistered(log: &TestLog, github: &Arc<FakeGitHub>, config: Config) -> Self {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let view = ConfigView::start(Arc::clone(&log.log), &health, shutdown.clone()).await.unwrap();
        let core = Core {
            log: Arc::clone(&log.log),
            clock: Arc::new(SystemClock::default()),
            ids: Ids::default(),
            health,
            config: view,
            shutdown,
            tasks: TaskTracker::new(),
        };
        let actor = actor(core.clone(), Arc::clone(github) as _, config);
        let (view, _) = partition::start(core.clone(), STREAM, vec![actor]);
        Self { core, view }
    }

    pub(crate) async fn register(&self) {
        let repository = RepositoryRegistered {
            repository: REPOSITORY,
            name: RepositoryName::new("acme", "infra"),
            default_branch: GitRef::new("main"),
            installation: Some(InstallationId(7)),
            workspace: workspace(),
        };
        registry::register_repository(&self.core, "test", repository).await.unwrap();
    }

    /// Waits until the state that this process has folded says something.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&RepositoryState) -> bool) {
        let mut changes = self.view.changes();
        let wait = async {
            loop {
                changes.mark_unchanged();
                if self.view.read(|state| state.repository(REPOSITORY).is_some_and(&holds)) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), wait).await.is_ok(), "{what}");
    }

    /// Waits until the log says that the comment of a pull request was posted with this text.
    pub(crate) async fn until_posted(&self, github: &FakeGitHub, number: PrNumber) {
        self.until("the comment is recorded as it stands", |state| {
            let says = state.comments.get(&(workspace(), number)).and_then(|comment| comment.says.clone());
            let stands = github.read(|held| held.of(number).first().map(|body| Digest::of(body.as_bytes())));
            says.is_some() && says == stands
        })
        .await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.core.shutdown.cancel();
    }
}

/// A log of which nobody knows who else writes it.
struct Shared(Arc<dyn EventLog>);

#[async_trait]
impl EventLog for Shared {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.0.append(append).await
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.0.read(stream, from, limit).await
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.0.read_of(stream, filter, from, limit).await
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.0.read_raw(stream, from, limit).await
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        self.0.follow(stream, from).await
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        self.0.last(subject).await
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        self.0.first_position(stream).await
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        self.0.last_position(stream).await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        self.0.put_blob(bytes).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        self.0.get_blob(digest).await
    }

    fn snapshots(&self) -> &dyn Snapshots {
        self.0.snapshots()
    }

    fn leases(&self) -> &dyn Leases {
        self.0.leases()
    }

    fn asides(&self) -> &dyn Asides {
        self.0.asides()
    }

    fn upkeep(&self) -> &dyn Upkeep {
        self.0.upkeep()
    }

    fn partitions(&self) -> u16 {
        self.0.partitions()
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}
