//! Processes over one log, each with an orchestrator and an observer that remembers what it saw.

use futures::future::BoxFuture;
use stackwave_domain::{
    CommitSha, Digest, Entry, Event, Fragment, GitRef, Inputs, InstallationId, Position, PrNumber, Record,
    RepositoryId, RepositoryName, StackKey, StreamId, Subject, Timestamp, WorkspaceId,
    digest::{BlobRef, Stored},
    event::{PullRequestObserved, RepositoryRegistered, Source, UploadReceived},
    fragment::{AffectedStack, FragmentBuilder, ProSettings, WorkflowCall},
};
use stackwave_engine::State;
use stackwave_event_log::{Append, EventLog};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{
    Acting, ConfigView, Core, Health, Ids, Observer, PartitionOptions, PartitionView, SystemClock, partition,
    snapshots::SnapshotPolicy,
};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);
pub(crate) const STREAM: StreamId = StreamId::Partition(0);

/// What no test should wait for.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "it never came about: {what}");
}

/// A SQLite log in a folder that goes with it.
pub(crate) struct Sqlite {
    folder: tempfile::TempDir,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn open(&self) -> Arc<SqliteLog> {
        SqliteLog::open(self.folder.path().join("log.db"), 1).unwrap()
    }
}

/// What an observer saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) started_from: BTreeMap<StreamId, Position>,
    pub(crate) positions: BTreeMap<StreamId, Vec<Position>>,
    /// How often it was told that a stream's past is over.
    pub(crate) caught_up: BTreeMap<StreamId, usize>,
    /// Batches of the past, and how often the loop waited before one.
    pub(crate) past: usize,
    pub(crate) waits: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Witness {
    fn name(&self) -> &'static str {
        "witness"
    }

    fn started_from(&mut self, stream: StreamId, position: Position, state: &State) {
        assert_eq!(state.position(), position);
        let before = self.0.lock().unwrap().started_from.insert(stream, position);
        assert_eq!(before, None, "it starts once");
    }

    fn folded(&mut self, stream: StreamId, state: &State, entries: &[Entry]) {
        assert_eq!(state.position(), entries.last().unwrap().position);
        let positions = entries.iter().map(|entry| entry.position);
        let mut seen = self.0.lock().unwrap();
        if !seen.caught_up.contains_key(&stream) {
            assert!(seen.waits > seen.past, "it was waited for before the past went on");
            seen.past += 1;
        }
        seen.positions.entry(stream).or_default().extend(positions);
    }

    fn room(&mut self, stream: StreamId) -> Option<BoxFuture<'static, ()>> {
        assert!(!self.seen().caught_up.contains_key(&stream), "what is new waits for nobody");
        let seen = Arc::clone(&self.0);
        Some(Box::pin(async move {
            tokio::task::yield_now().await;
            seen.lock().unwrap().waits += 1;
        }))
    }

    fn caught_up(&mut self, stream: StreamId, _: &State) {
        *self.0.lock().unwrap().caught_up.entry(stream).or_default() += 1;
    }
}

/// How a process is started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub(crate) snapshots: SnapshotPolicy,
    /// Nobody acts: what is in the log is all that is ever in it.
    pub(crate) passive: bool,
}

/// One process.
pub(crate) struct Process {
    pub(crate) core: Core,
    pub(crate) views: Vec<PartitionView>,
    pub(crate) witness: Witness,
    pub(crate) acting: Acting,
}

impl Process {
    pub(crate) async fn start(log: Arc<dyn EventLog>, how: How) -> Self {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let core = Core {
            config: ConfigView::start_with(Arc::clone(&log), &health, shutdown.clone(), how.snapshots)
                .await
                .unwrap(),
            clock: Arc::new(SystemClock::default()),
            ids: Ids::default(),
            tasks: TaskTracker::new(),
            log,
            health,
            shutdown,
        };
        let (witness, acting) = (Witness::default(), Acting::start(&core, &["orchestrator"], "a test"));
        let views = (0..core.log.partitions()).map(|number| {
            let mut options = PartitionOptions {
                observers: vec![Box::new(witness.clone())],
                acting: acting.clone(),
                snapshots: how.snapshots,
                ..PartitionOptions::default()
            };
            if !how.passive {
                options.actors.push(stackwave_orchestrator::actor(core.clone()));
            }
            partition::start(core.clone(), StreamId::Partition(number), options).0
        });
        let views: Vec<PartitionView> = views.collect();
        Self { core, views, witness, acting }
    }

    /// Drains, as at a signal.
    pub(crate) async fn stop(self) {
        self.core.shutdown.cancel();
        self.core.tasks.close();
        tokio::time::timeout(DEADLINE, self.core.tasks.wait()).await.expect("the process drains");
    }

    pub(crate) fn view(&self) -> &PartitionView {
        &self.views[0]
    }

    /// Waits until the first partition is folded up to its end.
    pub(crate) async fn catch_up(&self) {
        let end = self.core.log.last_position(STREAM).await.unwrap();
        tokio::time::timeout(DEADLINE, self.view().wait_for(end)).await.expect("it catches up");
        until("the process is ready", || async { self.core.health.is_ready() }).await;
    }

    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        until(what, || async { self.view().read(&is_so) }).await;
    }
}

/// Appends an observation to a log.
pub(crate) async fn append(log: &dyn EventLog, subject: Subject, events: Vec<Event>) -> Position {
    let record = Record::new(Ids::default().record(), now(), "test", events);
    log.append(Append::any(subject, record)).await.unwrap().receipt.position
}

fn now() -> Timestamp {
    stackwave_runtime::Clock::now(&SystemClock::default())
}

/// Registers the repository.
pub(crate) async fn register(log: &dyn EventLog, repository: RepositoryId) {
    let registered = RepositoryRegistered {
        repository,
        name: RepositoryName::new("acme", format!("infra-{repository}")),
        default_branch: "main".into(),
        installation: Some(InstallationId(7)),
        workspace: WorkspaceId::default_workspace(),
    };
    let subject = Subject::config("repository", &repository.to_string());
    append(log, subject, vec![registered.into()]).await;
}

/// A commit of a pull request.
pub(crate) fn head(number: u64) -> CommitSha {
    CommitSha::new(format!("{number:040x}"))
}

/// Tells that a pull request was opened.
pub(crate) async fn open_pull(log: &dyn EventLog, repository: RepositoryId, number: u64) -> Position {
    tell_pull(log, repository, number, "opened").await
}

/// Tells that a pull request was closed without a merge.
pub(crate) async fn close_pull(log: &dyn EventLog, repository: RepositoryId, number: u64) -> Position {
    tell_pull(log, repository, number, "closed").await
}

async fn tell_pull(log: &dyn EventLog, repository: RepositoryId, number: u64, action: &str) -> Position {
    let stream = StreamId::of_repository(repository, log.partitions());
    let observed = PullRequestObserved {
        source: Source::Webhook { delivery: Ids::default().record().as_str().into() },
        action: Some(action.to_owned()),
        number: PrNumber(number),
        open: action == "opened",
        merged: false,
        merged_at: None,
        head_sha: head(number),
        before: None,
        base_ref: GitRef::from("main"),
        head_ref: GitRef::from("feature"),
        merge_commit_sha: None,
        title: None,
        updated_at: now(),
    };
    append(log, Subject::github(stream, repository, "pull_request"), vec![observed.into()]).await
}

/// Uploads two stacks, one after the other, for a pull request.
pub(crate) async fn upload(log: &dyn EventLog, repository: RepositoryId, number: u64) -> Position {
    let stream = StreamId::of_repository(repository, log.partitions());
    let raw = log.put_blob(format!("the upload of {number}").into_bytes().into()).await.unwrap();
    let received = UploadReceived {
        workspace: WorkspaceId::default_workspace(),
        credential: "key-1".into(),
        repository: RepositoryName::new("acme", format!("infra-{repository}")),
        head_sha: head(number),
        base_sha: head(0),
        digest: Digest::of(&number.to_be_bytes()),
        raw: BlobRef { digest: raw, bytes: 16 },
        received_at: now(),
        client: None,
        batch: None,
        fragment: Stored::inline(fragment()),
    };
    append(log, Subject::upload(stream, repository), vec![received.into()]).await
}

fn fragment() -> Fragment {
    let mut builder = FragmentBuilder::default();
    let (vpc, eks) = (StackKey::new("dev", "vpc"), StackKey::new("dev", "eks"));
    for key in [&vpc, &eks] {
        let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
        let call = WorkflowCall { workflow: "plan.yaml".into(), inputs: Inputs::default() };
        pro.add_call("pull_request.opened", call);
        builder.add(AffectedStack {
            key: key.clone(),
            directly_affected: true,
            deleted: None,
            pro: Some(pro),
        });
    }
    builder.edge(&vpc, &eks);
    builder.build()
}

/// A pull request with its upload: whoever acts opens a run and releases its first stack.
pub(crate) async fn plan(log: &dyn EventLog, repository: RepositoryId, number: u64) {
    open_pull(log, repository, number).await;
    upload(log, repository, number).await;
}

/// Whether the run of a pull request has its first stack released.
pub(crate) fn is_released(state: &State, repository: RepositoryId, number: u64) -> bool {
    state.repository(repository).is_some_and(|repository| {
        repository.runs_of_pull(PrNumber(number)).iter().any(|run| run.unclaimed().next().is_some())
    })
}

/// Everything that the log says, folded from the beginning.
pub(crate) async fn folded(log: &Arc<dyn EventLog>) -> State {
    let mut state = State::default();
    let mut from = Position(1);
    loop {
        let mut page = log.read(STREAM, from, 1024).await.unwrap();
        stackwave_runtime::stow::hydrate(log, &mut page).await.unwrap();
        let Some(last) = page.last() else { return state };
        from = last.position.next();
        page.iter().for_each(|entry| drop(state.apply(entry)));
    }
}
