//! A pull request's story as records: states are built by folding, never by hand.

use stackwave_commenter::render::{Options, render};
use stackwave_domain::{
    BatchId, CommitSha, CredentialId, DeliveryId, Digest, DispatchId, Entry, Event, Fragment, GitRef, Inputs,
    Position, PrNumber, ProcessId, Record, RecordId, RepositoryId, RepositoryName, RunId, StackKey, StreamId,
    Subject, Timestamp, WorkflowFile, WorkflowRunId, WorkspaceId,
    digest::{BlobRef, Stored},
    event::{
        Batch, DispatchAccepted, DispatchClaimed, DispatchRefused, PullRequestObserved, RefusalReason,
        RunClosed, RunEnded, RunOpened, RunOutcome, RunSuperseded, Source, StackReleased, Successor, Trigger,
        UploadReceived, WorkflowRunObserved,
    },
    fragment::{AffectedStack, FragmentBuilder, ProSettings, WorkflowCall},
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{State, identity, planning, state::RepositoryState};
use std::time::Duration;

pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);
pub(crate) const PR: PrNumber = PrNumber(12);
pub(crate) const STREAM: StreamId = StreamId::Partition(0);
const START: &str = "2026-11-24T10:00:00Z";

/// A commit whose id begins with some hex digits.
pub(crate) fn sha(start: &str) -> CommitSha {
    CommitSha::new(format!("{start:0<40}"))
}

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::default_workspace()
}

/// The story so far.
pub(crate) struct Story {
    pub(crate) state: State,
    position: Position,
    at: Timestamp,
    next_run: u64,
}

/// One stack as tests write it: `component@stack`.
pub(crate) fn key(name: &str) -> StackKey {
    let (component, stack) = name.split_once('@').expect("`component@stack`");
    StackKey::new(stack, component)
}

/// Names a stack: as text, or whole.
pub(crate) trait Named {
    fn key(&self) -> StackKey;
}

impl Named for &str {
    fn key(&self) -> StackKey {
        key(self)
    }
}

impl Named for &String {
    fn key(&self) -> StackKey {
        key(self)
    }
}

impl Named for &StackKey {
    fn key(&self) -> StackKey {
        (*self).clone()
    }
}

/// A stack that plans on every plan activity and applies on `merged`.
pub(crate) fn affected(key: StackKey) -> AffectedStack {
    let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
    for (activity, workflow) in [
        ("pull_request.opened", "tf-plan.yaml"),
        ("pull_request.synchronize", "tf-plan.yaml"),
        ("pull_request.merged", "tf-apply.yaml"),
    ] {
        let call = WorkflowCall { workflow: WorkflowFile::new(workflow), inputs: Inputs::default() };
        pro.add_call(activity, call);
    }
    AffectedStack { key, directly_affected: true, deleted: None, pro: Some(pro) }
}

/// A graph from edges (`vpc@dev > eks@dev`) and lone stacks.
pub(crate) fn graph(lines: &[&str]) -> Fragment {
    let mut builder = FragmentBuilder::default();
    for line in lines {
        let names: Vec<StackKey> = line.split('>').map(|name| key(name.trim())).collect();
        for name in &names {
            builder.add(affected(name.clone()));
        }
        for pair in names.windows(2) {
            builder.edge(&pair[0], &pair[1]);
        }
    }
    builder.build()
}

/// The advanced example of the contract in one environment, with a stack that does not run.
pub(crate) fn landing_zone() -> Fragment {
    let mut fragment = graph(&[
        "vpc@plat-ue2-dev > eks/cluster@plat-ue2-dev > eks/istio@plat-ue2-dev",
        "vpc@plat-ue2-dev > rds@plat-ue2-dev",
        "dns@plat-gbl-dev > eks/istio@plat-ue2-dev",
        "dns@plat-gbl-dev > acm@plat-ue2-dev",
    ]);
    let acm = fragment.stacks.iter_mut().find(|stack| stack.key == key("acm@plat-ue2-dev")).unwrap();
    acm.pro = None;
    fragment
}

impl Default for Story {
    fn default() -> Self {
        Self {
            state: State::default(),
            position: Position::START,
            at: START.parse().unwrap(),
            next_run: 1001,
        }
    }
}

impl Story {
    /// Folds events as one record, a second after the last, and returns them.
    pub(crate) fn tell(&mut self, subject: Subject, events: Vec<Event>) {
        self.position = self.position.next();
        self.at += Duration::from_secs(1);
        let id = RecordId::new(format!("r{}", self.position));
        let record = Record::new(id, self.at, "test", events);
        self.state.apply(&Entry { position: self.position, subject, record });
    }

    pub(crate) fn repository(&self) -> &RepositoryState {
        self.state.repository(REPOSITORY).expect("something was told")
    }

    pub(crate) fn decide(&mut self, event: impl Into<Event>) {
        self.tell(Subject::ledger(STREAM, REPOSITORY), vec![event.into()]);
    }

    fn observe(&mut self, event: impl Into<Event>) {
        self.tell(Subject::github(STREAM, REPOSITORY, "test"), vec![event.into()]);
    }

    /// Opens a run.
    pub(crate) fn open(&mut self, activity: &str, head: &str, fragment: &Fragment) -> RunId {
        self.open_with(activity, head, fragment, |_| {})
    }

    pub(crate) fn open_with(
        &mut self,
        activity: &str,
        head: &str,
        fragment: &Fragment,
        change: impl FnOnce(&mut RunOpened),
    ) -> RunId {
        let mut opened = opened(activity, head, fragment);
        change(&mut opened);
        let run = opened.run.clone();
        self.decide(opened);
        run
    }

    /// A stack's only dispatch.
    fn dispatch(&self, run: &RunId, key: &StackKey) -> (DispatchId, WorkflowFile) {
        let known = &self.repository().runs[run];
        let workflow = WorkflowFile::new(if known.is_mutating() { "tf-apply.yaml" } else { "tf-plan.yaml" });
        (identity::dispatch_id(run, key, &workflow, 1), workflow)
    }

    pub(crate) fn release(&mut self, run: &RunId, name: impl Named) {
        self.decide(StackReleased { run: run.clone(), key: name.key(), attempt: 1 });
    }

    pub(crate) fn claim(&mut self, run: &RunId, name: impl Named) {
        let key = name.key();
        self.release(run, &key);
        let (dispatch, workflow) = self.dispatch(run, &key);
        self.decide(DispatchClaimed {
            dispatch,
            run: run.clone(),
            key,
            attempt: 1,
            claimant: ProcessId::new("dispatcher"),
            workflow,
            git_ref: GitRef::new("main"),
            inputs: Inputs::default(),
            title: None,
        });
    }

    /// GitHub refuses a stack's dispatch.
    pub(crate) fn refuse(&mut self, run: &RunId, name: impl Named, message: &str) {
        let key = name.key();
        self.claim(run, &key);
        let (dispatch, _) = self.dispatch(run, &key);
        let refused = DispatchRefused {
            dispatch,
            epoch: 1,
            status: 422,
            reason: RefusalReason::InputNotDeclared,
            message: message.to_owned(),
        };
        self.tell(Subject::dispatch(STREAM, REPOSITORY), vec![refused.into()]);
    }

    /// GitHub takes a stack's dispatch and names its workflow run.
    pub(crate) fn accept(&mut self, run: &RunId, name: impl Named) -> WorkflowRunId {
        let key = name.key();
        self.claim(run, &key);
        let workflow_run = WorkflowRunId(self.next_run);
        self.next_run += 1;
        let (dispatch, _) = self.dispatch(run, &key);
        let accepted =
            DispatchAccepted { dispatch, epoch: 1, workflow_run: Some(workflow_run), html_url: None };
        self.tell(Subject::dispatch(STREAM, REPOSITORY), vec![accepted.into()]);
        workflow_run
    }

    pub(crate) fn observe_run(
        &mut self,
        run: WorkflowRunId,
        attempt: u32,
        status: RunStatus,
        conclusion: Option<Conclusion>,
    ) {
        let observed = WorkflowRunObserved {
            source: webhook(),
            run,
            attempt,
            workflow: WorkflowFile::new("tf.yaml"),
            title: String::new(),
            event: "workflow_dispatch".to_owned(),
            status,
            conclusion,
            head_branch: None,
            head_sha: sha("f00"),
            actor: None,
            created_at: self.at,
            updated_at: self.at,
            html_url: format!("https://github.com/acme/infra/actions/runs/{run}"),
        };
        self.observe(observed);
    }

    /// A stack's workflow runs.
    pub(crate) fn start(&mut self, run: &RunId, name: impl Named) -> WorkflowRunId {
        let id = self.accept(run, name);
        self.observe_run(id, 1, RunStatus::InProgress, None);
        id
    }

    /// A stack's workflow ran and ended.
    pub(crate) fn finish(&mut self, run: &RunId, name: impl Named, conclusion: Conclusion) -> WorkflowRunId {
        let id = self.accept(run, name);
        self.observe_run(id, 1, RunStatus::Completed, Some(conclusion));
        id
    }

    pub(crate) fn supersede(&mut self, run: &RunId, by: Successor) {
        self.decide(RunSuperseded { run: run.clone(), by });
    }

    pub(crate) fn close(&mut self, run: &RunId, reason: &str) {
        self.decide(RunClosed { run: run.clone(), reason: reason.to_owned() });
    }

    pub(crate) fn end(&mut self, run: &RunId, outcome: RunOutcome) {
        self.decide(RunEnded { run: run.clone(), outcome });
    }

    /// The pull request is open with this head.
    pub(crate) fn pull(&mut self, head: &str) {
        self.observe(pull(head, self.at));
    }

    /// One chunk of an upload.
    pub(crate) fn chunk(&mut self, head: &str, index: u32, total: u32) {
        let chunk = chunk(head, index, total, self.at);
        self.tell(Subject::upload(STREAM, REPOSITORY), vec![chunk.into()]);
    }

    /// The comment as it stands, an hour later.
    pub(crate) fn comment(&self) -> String {
        self.comment_with(true)
    }

    pub(crate) fn comment_with(&self, dispatch: bool) -> String {
        self.comment_after(dispatch, Duration::from_secs(3600)).expect("something to say")
    }

    pub(crate) fn comment_after(&self, dispatch: bool, wait: Duration) -> Option<String> {
        let name = RepositoryName::new("acme", "infra");
        let options = Options {
            dispatch,
            repository: Some(&name),
            web_url: "https://github.com/",
            now: self.at + wait,
        };
        render(self.repository(), PR, &workspace(), &options)
    }
}

/// A run as the orchestrator opens it.
pub(crate) fn opened(activity: &str, head: &str, fragment: &Fragment) -> RunOpened {
    let trigger = Trigger::new("pull_request", activity);
    let head_sha = sha(head);
    let key = identity::RunKey {
        workspace: &workspace(),
        repository: REPOSITORY,
        trigger: &trigger,
        pull_request: Some(PR),
        release: None,
        head_sha: &head_sha,
        generation: 1,
    };
    RunOpened {
        run: key.id(),
        workspace: workspace(),
        trigger: trigger.clone(),
        inferred: false,
        generation: 1,
        pull_request: Some(PR),
        release: None,
        head_sha: head_sha.clone(),
        sha: head_sha.clone(),
        git_ref: GitRef::new("main"),
        upload: fragment.graph_digest(),
        merged_at: None,
        plan: Stored::inline(planning::plan(fragment, &trigger, &head_sha)),
    }
}

/// The pull request is open with this head.
pub(crate) fn pull(head: &str, at: Timestamp) -> PullRequestObserved {
    PullRequestObserved {
        source: webhook(),
        action: Some("opened".to_owned()),
        number: PR,
        open: true,
        merged: false,
        merged_at: None,
        merge_commit_sha: None,
        head_sha: sha(head),
        head_ref: GitRef::new("feature"),
        base_ref: GitRef::new("main"),
        before: None,
        title: None,
        updated_at: at,
    }
}

/// One chunk of an upload.
pub(crate) fn chunk(head: &str, index: u32, total: u32, received_at: Timestamp) -> UploadReceived {
    let digest = Digest::of(&index.to_be_bytes());
    UploadReceived {
        workspace: workspace(),
        credential: CredentialId::new("ci"),
        repository: RepositoryName::new("acme", "infra"),
        head_sha: sha(head),
        base_sha: sha("ba5e"),
        digest: digest.clone(),
        raw: BlobRef { digest, bytes: 1 },
        received_at,
        client: None,
        batch: Some(Batch { id: BatchId::new("batch"), index, total }),
        fragment: Stored::inline(graph(&["vpc@dev"])),
    }
}

pub(crate) fn webhook() -> Source {
    Source::Webhook { delivery: DeliveryId::new("d") }
}
