//! A dispatcher over a real log, with a scripted GitHub and a clock that a test moves.

use crate::github::Script;
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_dispatcher::Config;
use stackwave_domain::{
    Digest, Entry, Event, Position, Record, RecordId, RepositoryId, RepositoryName, RunId, RunPlan, StackKey,
    StreamId, Subject, Timestamp, WorkspaceId,
    digest::Stored,
    event::{PullRequestObserved, RepositoryRegistered, RunOpened, Source, StackReleased, Trigger},
    fragment::WorkflowCall,
    plan::{PlannedStack, Verdict},
};
use stackwave_engine::state::RepositoryState;
use stackwave_event_log::{
    Append, AppendError, Appended, Asides, Entries, EventLog, Filter, Leases, LogError, RawRecord, Snapshots,
    Upkeep,
};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{Clock, ConfigView, Core, Health, Ids, PartitionView, partition};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);
pub(crate) const STREAM: StreamId = StreamId::Partition(0);

/// A clock that runs, and can be put forward.
pub(crate) struct MovableClock {
    start: std::time::Instant,
    ahead: Mutex<Duration>,
}

impl MovableClock {
    pub(crate) fn put_forward(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        "2026-06-09T10:00:00Z".parse::<Timestamp>().unwrap() + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed() + *self.ahead.lock().unwrap()
    }
}

/// Where the process is stopped for a minute, and what another one appends meanwhile.
#[derive(Default)]
pub(crate) struct Stops {
    /// Right after a claim was acknowledged.
    pub(crate) after_claim: AtomicBool,
    /// Right after the ledger was looked at.
    pub(crate) after_look: Mutex<Option<Append>>,
    /// How often it was looked at.
    pub(crate) looks: watch::Sender<u32>,
}

/// For how long the process is stopped.
const STOPPED_FOR: Duration = Duration::from_secs(60);

/// A log that other processes may write to as well.
struct Shared {
    log: Arc<SqliteLog>,
    clock: Arc<MovableClock>,
    stops: Arc<Stops>,
}

#[async_trait]
impl EventLog for Shared {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let claims = append.record.events.iter().any(|event| matches!(event, Event::DispatchClaimed(_)));
        let appended = self.log.append(append).await;
        if claims && self.stops.after_claim.swap(false, Ordering::SeqCst) {
            self.clock.put_forward(STOPPED_FOR);
        }
        appended
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.log.read(stream, from, limit).await
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        self.log.read_of(stream, filter, from, limit).await
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.log.read_raw(stream, from, limit).await
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        self.log.follow(stream, from).await
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        let last = self.log.last(subject).await;
        if *subject == Subject::ledger(STREAM, REPOSITORY) {
            let meanwhile = self.stops.after_look.lock().unwrap().take();
            if let Some(append) = meanwhile {
                self.log.append(append).await.unwrap();
                self.clock.put_forward(STOPPED_FOR);
            }
            self.stops.looks.send_modify(|looks| *looks += 1);
        }
        last
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        self.log.first_position(stream).await
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        self.log.last_position(stream).await
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        self.log.put_blob(bytes).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        self.log.get_blob(digest).await
    }

    fn snapshots(&self) -> &dyn Snapshots {
        self.log.snapshots()
    }

    fn leases(&self) -> &dyn Leases {
        self.log.leases()
    }

    fn asides(&self) -> &dyn Asides {
        self.log.asides()
    }

    fn upkeep(&self) -> &dyn Upkeep {
        self.log.upkeep()
    }

    fn partitions(&self) -> u16 {
        self.log.partitions()
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}

pub(crate) struct World {
    pub(crate) github: Arc<Script>,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) core: Core,
    pub(crate) view: PartitionView,
    pub(crate) stops: Arc<Stops>,
    folder: Arc<tempfile::TempDir>,
}

impl World {
    /// A dispatcher with a repository, an open pull request and a run of these components, none released.
    pub(crate) async fn start(config: Config, exclusive: bool, components: &[&str]) -> Self {
        Self::start_for(config, exclusive, components, "opened").await
    }

    /// As [`World::start`], with the run of an activity.
    pub(crate) async fn start_for(
        config: Config,
        exclusive: bool,
        components: &[&str],
        activity: &str,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let sqlite = SqliteLog::open(folder.path().join("log.db"), 1).unwrap();
        let clock = Arc::new(MovableClock { start: std::time::Instant::now(), ahead: Mutex::default() });
        let stops = Arc::new(Stops::default());
        let log: Arc<dyn EventLog> = if exclusive {
            sqlite
        } else {
            Arc::new(Shared { log: sqlite, clock: Arc::clone(&clock), stops: Arc::clone(&stops) })
        };
        let world = Self::over(config, log, clock, Arc::new(Script::default()), stops, folder).await;
        world.register().await;
        world.append(Subject::github(STREAM, REPOSITORY, "pull_request"), vec![pull_request().into()]).await;
        world.append(Subject::ledger(STREAM, REPOSITORY), vec![run(components, activity).into()]).await;
        world
    }

    async fn over(
        config: Config,
        log: Arc<dyn EventLog>,
        clock: Arc<MovableClock>,
        github: Arc<Script>,
        stops: Arc<Stops>,
        folder: Arc<tempfile::TempDir>,
    ) -> Self {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let core = Core {
            config: ConfigView::start(Arc::clone(&log), &health, shutdown.clone()).await.unwrap(),
            clock: Arc::clone(&clock) as _,
            ids: Ids::default(),
            tasks: TaskTracker::new(),
            log,
            health,
            shutdown,
        };
        let (actor, slot) = stackwave_dispatcher::actor(core.clone(), github.ports(), config);
        let (view, _) = partition::start(core.clone(), STREAM, vec![actor]);
        slot.set(view.clone());
        Self { github, clock, core, view, stops, folder }
    }

    /// The process ends, and another one starts over the same log.
    pub(crate) async fn restart(self, config: Config) -> Self {
        self.core.shutdown.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
        Self::over(config, self.core.log, self.clock, self.github, self.stops, self.folder).await
    }

    async fn register(&self) {
        let registered = RepositoryRegistered {
            repository: REPOSITORY,
            name: RepositoryName::new("acme", "infra"),
            default_branch: "main".into(),
            installation: Some(stackwave_domain::InstallationId(7)),
            workspace: WorkspaceId::default_workspace(),
        };
        let position = self.append(Subject::config("repository", "42"), vec![registered.into()]).await;
        self.core.config.wait_for(position).await;
    }

    pub(crate) async fn append(&self, subject: Subject, events: Vec<Event>) -> Position {
        let id = RecordId::new(format!("test-{}", self.core.ids.record()));
        let record = Record::new(id, self.core.clock.now(), "test", events);
        self.core.log.append(Append::any(subject, record)).await.unwrap().receipt.position
    }

    pub(crate) async fn release(&self, components: &[&str]) {
        let events = components.iter().map(|component| {
            StackReleased { run: run_id(), key: StackKey::new("dev", component), attempt: 1 }.into()
        });
        self.append(Subject::ledger(STREAM, REPOSITORY), events.collect()).await;
    }

    /// Makes the dispatcher look again, as any record does.
    pub(crate) async fn nudge(&self) {
        self.append(Subject::github(STREAM, REPOSITORY, "pull_request"), vec![pull_request().into()]).await;
    }

    /// Waits until the repository's state is as wanted.
    pub(crate) async fn wait_until(&self, what: &str, wanted: impl Fn(&RepositoryState) -> bool) {
        let mut changes = self.view.changes();
        let waiting = async {
            while !self.view.read(|state| state.repository(REPOSITORY).is_some_and(&wanted)) {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), waiting).await.is_err() {
            let state =
                self.view.read(|state| format!("{:#?}", state.repository(REPOSITORY).map(|r| &r.dispatches)));
            panic!("not so within 20 s: {what}; sent {:?}; {state}", self.github.sent());
        }
    }

    /// The events of the partition with this name.
    pub(crate) async fn events(&self, name: &str) -> Vec<Event> {
        let entries = self.core.log.read(STREAM, Position(1), 10_000).await.unwrap();
        entries
            .into_iter()
            .flat_map(|entry| entry.record.events)
            .filter(|event| event.name() == name)
            .collect()
    }
}

pub(crate) fn run_id() -> RunId {
    RunId::new("pr7-opened")
}

pub(crate) fn pull_request() -> PullRequestObserved {
    PullRequestObserved {
        source: Source::Webhook { delivery: "d1".into() },
        action: Some("opened".to_owned()),
        number: stackwave_domain::PrNumber(7),
        open: true,
        merged: false,
        merged_at: None,
        merge_commit_sha: None,
        head_sha: "9f2c1d7e0b6a4c55d1e83f07a2b94c6d8e10f3a7".into(),
        head_ref: "change".into(),
        base_ref: "main".into(),
        before: None,
        title: None,
        updated_at: "2026-06-09T09:59:00Z".parse().unwrap(),
    }
}

fn run(components: &[&str], activity: &str) -> RunOpened {
    let mut stacks: Vec<PlannedStack> = components
        .iter()
        .map(|component| PlannedStack {
            key: StackKey::new("dev", component),
            directly_affected: true,
            verdict: Verdict::Dispatch(vec![WorkflowCall {
                workflow: "tf-plan.yaml".into(),
                inputs: [("component".to_owned(), (*component).to_owned())].into(),
            }]),
        })
        .collect();
    stacks.sort_by(|a, b| a.key.cmp(&b.key));
    RunOpened {
        run: run_id(),
        workspace: WorkspaceId::default_workspace(),
        trigger: Trigger::new("pull_request", activity),
        inferred: false,
        generation: 1,
        pull_request: Some(stackwave_domain::PrNumber(7)),
        head_sha: pull_request().head_sha,
        sha: pull_request().head_sha,
        git_ref: "main".into(),
        upload: Digest::of(b"upload"),
        merged_at: None,
        release: None,
        plan: Stored::inline(RunPlan { stacks, ..RunPlan::default() }),
    }
}
