//! A log in a file, written as orchestrator, dispatcher and commenter would: decided and claimed from the state.

use stackwave_domain::{
    CommentId, CommitSha, CredentialId, Digest, Entry, Event, Fragment, InstallationId, Position, PrNumber,
    Record, RecordId, RepositoryId, RepositoryName, StackKey, StreamId, Subject, Timestamp, WorkflowRunId,
    WorkspaceId,
    digest::{BlobRef, Stored},
    event::{
        ApiKeyRegistered, CheckpointWritten, CommentPosted, DispatchAccepted, DispatchClaimed,
        PullRequestObserved, RepositoryRegistered, Source, UploadReceived, WorkflowRunObserved,
    },
    fragment::{AffectedStack, FragmentBuilder, ProSettings, WorkflowCall},
    record::Basis,
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{
    Config, ENGINE_VERSION, State,
    due::{due_decisions, due_dispatches, inputs_for},
    state::{RepositoryState, Run},
};
use stackwave_event_log::{Append, EventLog, is_checked};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_replay::{Ask, CollectError, Depth, Recording, Wanted, collect};
use std::sync::Arc;

pub(crate) const ACME: RepositoryId = RepositoryId(42);
pub(crate) const OTHER: RepositoryId = RepositoryId(43);
pub(crate) const STREAM: StreamId = StreamId::Partition(0);

pub(crate) struct World {
    pub(crate) log: Arc<dyn EventLog>,
    _folder: tempfile::TempDir,
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    records: u64,
    workflow_runs: u64,
    deliveries: u64,
    /// Plans go to the blob store, as large ones do.
    pub(crate) stows: bool,
    /// The version that decides.
    pub(crate) engine: u32,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("stackwave.db"), 1).unwrap();
        let mut world = Self {
            log,
            _folder: folder,
            state: State::default(),
            config: Config::default(),
            now: "2026-11-24T10:00:00Z".parse().unwrap(),
            records: 0,
            workflow_runs: 9_000,
            deliveries: 0,
            stows: false,
            engine: ENGINE_VERSION,
        };
        for (id, name) in [(ACME, "infra"), (OTHER, "other")] {
            let registered = RepositoryRegistered {
                repository: id,
                name: RepositoryName::new("acme", name),
                default_branch: "main".into(),
                installation: Some(InstallationId(1)),
                workspace: WorkspaceId::default_workspace(),
            };
            world.configure(Subject::config("repository", &id.to_string()), registered.into()).await;
        }
        world
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    }

    fn record(&mut self, actor: &str, events: Vec<Event>) -> Record {
        self.records += 1;
        self.pass(1);
        Record::new(RecordId::new(format!("r{}", self.records)), self.now, actor, events)
    }

    pub(crate) async fn configure(&mut self, subject: Subject, event: Event) {
        let record = self.record("test", vec![event]);
        let appended = self.log.append(Append::any(subject.clone(), record.clone())).await.unwrap();
        self.config.apply(&Entry { position: appended.receipt.position, subject, record });
    }

    pub(crate) async fn register_key(&mut self, hash: &str) {
        let key = ApiKeyRegistered {
            credential: CredentialId::new("key_1"),
            workspace: WorkspaceId::default_workspace(),
            name: "ci".to_owned(),
            hash: Digest::from_hex(hash),
            at: self.now,
            expires_at: None,
        };
        self.configure(Subject::config("api_key", "key_1"), key.into()).await;
    }

    async fn append(&mut self, subject: Subject, record: Record) -> Position {
        let appended = self.log.append(Append::any(subject.clone(), record.clone())).await.unwrap();
        let position = appended.receipt.position;
        let mut record = record;
        let mut blobs = std::collections::BTreeMap::new();
        for blob in record.missing_blobs() {
            blobs.insert(blob.digest.clone(), self.log.get_blob(&blob.digest).await.unwrap().unwrap());
        }
        record.hydrate(|blob| blobs.get(&blob.digest).map(|bytes| bytes.to_vec())).unwrap();
        self.state.apply(&Entry { position, subject, record });
        position
    }

    /// Something that the outside told.
    pub(crate) async fn tell(&mut self, subject: Subject, actor: &str, event: impl Into<Event>) -> Position {
        let record = self.record(actor, vec![event.into()]);
        self.append(subject, record).await
    }

    pub(crate) async fn github(&mut self, repository: RepositoryId, event: &str, content: impl Into<Event>) {
        self.tell(Subject::github(STREAM, repository, event), "webhook-receiver", content).await;
    }

    pub(crate) async fn result(&mut self, event: impl Into<Event>) {
        self.tell(Subject::dispatch(STREAM, ACME), "dispatcher", event).await;
    }

    pub(crate) fn webhook(&mut self) -> Source {
        self.deliveries += 1;
        Source::Webhook { delivery: format!("delivery-{}", self.deliveries).into() }
    }

    pub(crate) fn repository(&self) -> &RepositoryState {
        self.state.repository(ACME).unwrap()
    }

    /// The newest run.
    pub(crate) fn run(&self) -> &Run {
        self.repository().runs.values().max_by_key(|run| run.opened.1).unwrap()
    }

    // What people and Atmos do.

    pub(crate) async fn pull(&mut self, repository: RepositoryId, number: u64, action: &str, head: &str) {
        let source = self.webhook();
        let updated_at = self.now;
        let pull = PullRequestObserved {
            source,
            action: Some(action.to_owned()),
            number: PrNumber(number),
            open: true,
            merged: false,
            merged_at: None,
            merge_commit_sha: None,
            head_sha: CommitSha::new(head),
            head_ref: "feature".into(),
            base_ref: "main".into(),
            before: None,
            title: Some(format!("Change {number}")),
            updated_at,
        };
        self.github(repository, "pull_request", pull).await;
        self.decide(repository).await;
    }

    pub(crate) async fn upload(&mut self, repository: RepositoryId, head: &str, fragment: Fragment) {
        let digest = Digest::of_parts(&[head, fragment.graph_digest().as_str()]);
        let upload = UploadReceived {
            workspace: WorkspaceId::default_workspace(),
            credential: CredentialId::new("key_1"),
            repository: RepositoryName::new("acme", "infra"),
            head_sha: head.into(),
            base_sha: "base".into(),
            raw: BlobRef { digest: digest.clone(), bytes: 1 },
            digest,
            received_at: self.now,
            client: None,
            batch: None,
            fragment: Stored::inline(fragment),
        };
        self.tell(Subject::upload(STREAM, repository), "ingest-api", upload).await;
        self.decide(repository).await;
    }

    // What the roles do.

    /// Everything that is due is decided.
    pub(crate) async fn decide(&mut self, repository: RepositoryId) {
        loop {
            let state = self.state.repository(repository).unwrap();
            let (now, cause) = (self.now.max(state.last_at), state.last_position());
            let mut due = due_decisions(state, &self.config, now).now;
            if due.is_empty() {
                return;
            }
            if self.stows {
                for event in &mut due {
                    let Event::RunOpened(opened) = event else { continue };
                    let bytes = serde_json::to_vec(opened.plan.get().unwrap().as_ref()).unwrap();
                    let size = bytes.len() as u64;
                    let digest = self.log.put_blob(bytes.into()).await.unwrap();
                    opened.plan = Stored::Blob(BlobRef { digest, bytes: size });
                }
            }
            let basis = Basis { engine: self.engine, now, config: self.config.position() };
            let record = self.record("orchestrator", due).caused_by(cause).decided_from(basis);
            self.append(Subject::ledger(STREAM, repository), record).await;
        }
    }

    /// Everything that is released is claimed; what was claimed.
    pub(crate) async fn claim(&mut self) -> Vec<DispatchClaimed> {
        let state = self.repository();
        let cause = state.last_position();
        let claims: Vec<DispatchClaimed> = due_dispatches(state, 100)
            .into_iter()
            .map(|candidate| {
                let inputs = inputs_for(&candidate, None);
                DispatchClaimed {
                    title: Some(format!("{} {}", candidate.key, candidate.dispatch)),
                    dispatch: candidate.dispatch,
                    run: candidate.run,
                    key: candidate.key,
                    attempt: candidate.attempt,
                    claimant: "p1".into(),
                    workflow: candidate.call.workflow,
                    git_ref: candidate.git_ref,
                    inputs,
                }
            })
            .collect();
        if !claims.is_empty() {
            let events = claims.iter().cloned().map(Event::from).collect();
            let record = self.record("dispatcher", events).caused_by(cause);
            self.append(Subject::ledger(STREAM, ACME), record).await;
        }
        claims
    }

    /// Something else on the ledger, with what it was made from.
    pub(crate) async fn claimed_from(&mut self, ledger: Subject, event: impl Into<Event>) {
        let cause = self.repository().last_position();
        let record = self.record("dispatcher", vec![event.into()]).caused_by(cause);
        self.append(ledger, record).await;
    }

    /// GitHub takes a dispatch; its workflow run is queued.
    pub(crate) async fn accept(&mut self, claimed: &DispatchClaimed) -> WorkflowRunId {
        self.workflow_runs += 1;
        let run = WorkflowRunId(self.workflow_runs);
        let accepted = DispatchAccepted {
            dispatch: claimed.dispatch.clone(),
            epoch: 1,
            workflow_run: Some(run),
            html_url: None,
        };
        self.result(accepted).await;
        self.workflow_run(claimed, run, 1, RunStatus::Queued, None).await;
        run
    }

    /// Claims what is released, and GitHub takes it.
    pub(crate) async fn dispatch(&mut self) {
        for claimed in self.claim().await {
            self.accept(&claimed).await;
        }
    }

    pub(crate) async fn workflow_run(
        &mut self,
        claimed: &DispatchClaimed,
        run: WorkflowRunId,
        attempt: u32,
        status: RunStatus,
        conclusion: Option<Conclusion>,
    ) {
        let known = self.repository().workflow_runs.get(&run);
        let created_at = known.map_or(self.now, |known| known.created_at);
        let observed = WorkflowRunObserved {
            source: self.webhook(),
            run,
            attempt,
            workflow: claimed.workflow.clone(),
            title: claimed.title.clone().unwrap_or_default(),
            event: "workflow_dispatch".to_owned(),
            status,
            conclusion,
            head_branch: Some(claimed.git_ref.clone()),
            head_sha: "base".into(),
            actor: Some("stackwave[bot]".to_owned()),
            created_at,
            updated_at: self.now,
            html_url: format!("https://github.example/acme/infra/actions/runs/{run}"),
        };
        self.github(ACME, "workflow_run", observed).await;
    }

    /// A stack's newest workflow run starts, goes on for so long, and ends; what follows is decided and dispatched.
    pub(crate) async fn run_for(&mut self, stack: &str, seconds: i64, conclusion: Conclusion) {
        let (claimed, run) = self.newest(stack);
        let attempt = self.repository().workflow_runs[&run].attempt;
        self.workflow_run(&claimed, run, attempt, RunStatus::InProgress, None).await;
        self.pass(seconds);
        self.workflow_run(&claimed, run, attempt, RunStatus::Completed, Some(conclusion)).await;
        self.decide(ACME).await;
        self.dispatch().await;
    }

    pub(crate) async fn rerun(&mut self, stack: &str) {
        let (claimed, run) = self.newest(stack);
        let attempt = self.repository().workflow_runs[&run].attempt + 1;
        self.pass(1);
        self.workflow_run(&claimed, run, attempt, RunStatus::Queued, None).await;
    }

    pub(crate) fn newest(&self, stack: &str) -> (DispatchClaimed, WorkflowRunId) {
        let key = key(stack);
        let dispatches = self.repository().dispatches.values().filter(|it| it.claimed.key == key);
        let newest = dispatches.max_by_key(|it| it.at.1).unwrap();
        (newest.claimed.as_ref().clone(), newest.workflow_run.unwrap())
    }

    /// The commenter edits the comment, whatever it says.
    pub(crate) async fn comment(&mut self, number: u64) {
        let number = PrNumber(number);
        let digest = Digest::of(self.records.to_string().as_bytes());
        let posted = CommentPosted { number, comment: CommentId(7), digest, found: false };
        let workspace = WorkspaceId::default_workspace();
        self.tell(Subject::comment(STREAM, ACME, &workspace, number), "commenter", posted).await;
    }

    /// Folds the log anew, after records that were appended past the state.
    pub(crate) async fn refold(&mut self) {
        let mut state = State::default();
        let mut from = Position::START.next();
        loop {
            let page = self.log.read(STREAM, from, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            from = last.position.next();
            page.iter().for_each(|entry| drop(state.apply(entry)));
        }
        self.state = state;
    }

    /// Writes the state down and removes what it stands for; up to where.
    pub(crate) async fn checkpoint_and_purge(&mut self) -> Position {
        let at = self.state.position();
        self.checkpoint_and_purge_through(at).await
    }

    /// Writes the state down and removes some of what it stands for.
    pub(crate) async fn checkpoint_and_purge_through(&mut self, through: Position) -> Position {
        let at = self.state.position();
        let bytes = self.state.to_snapshot().unwrap();
        let size = bytes.len() as u64;
        let digest = self.log.put_blob(bytes.into()).await.unwrap();
        let written = CheckpointWritten { at, format: 1, engine: 1, state: BlobRef { digest, bytes: size } };
        self.tell_quietly(Subject::checkpoint(STREAM).unwrap(), written).await;
        self.log.upkeep().purge(STREAM, through, is_checked).await.unwrap();
        at
    }

    async fn tell_quietly(&mut self, subject: Subject, event: impl Into<Event>) {
        let record = self.record("test", vec![event.into()]);
        let appended = self.log.append(Append::any(subject.clone(), record.clone())).await.unwrap();
        self.state.apply(&Entry { position: appended.receipt.position, subject, record });
    }

    // What is collected.

    pub(crate) async fn collect(&self, wanted: Wanted, depth: Depth) -> Result<Recording, CollectError> {
        let repository = if matches!(wanted, Wanted::Run(_)) { None } else { Some(ACME) };
        collect(&self.log, &self.config, &Ask { repository, wanted, depth }).await
    }

    /// The newest run, whole.
    pub(crate) async fn recording(&self) -> Recording {
        self.collect(Wanted::Run(self.run().id.clone()), Depth::Whole).await.unwrap()
    }
}

pub(crate) fn key(name: &str) -> StackKey {
    StackKey::new("dev", name)
}

/// `vpc > eks > app; dns`: one stack a name, planned when a pull request is opened or pushed to.
pub(crate) fn graph(notation: &str) -> Fragment {
    graph_with(notation, &[])
}

/// As [`graph`], with these inputs besides.
pub(crate) fn graph_with(notation: &str, inputs: &[(&str, &str)]) -> Fragment {
    let mut builder = FragmentBuilder::default();
    for chain in notation.split(';') {
        let keys: Vec<StackKey> = chain.split('>').map(|name| key(name.trim())).collect();
        for key in &keys {
            let call = WorkflowCall {
                workflow: "plan.yaml".into(),
                inputs: [("component", key.component.as_str())]
                    .iter()
                    .chain(inputs)
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            };
            let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
            for activity in ["pull_request.opened", "pull_request.synchronize"] {
                pro.add_call(activity, call.clone());
            }
            builder.add(AffectedStack {
                key: key.clone(),
                directly_affected: true,
                deleted: None,
                pro: Some(pro),
            });
        }
        for pair in keys.windows(2) {
            builder.edge(&pair[0], &pair[1]);
        }
    }
    builder.build()
}
