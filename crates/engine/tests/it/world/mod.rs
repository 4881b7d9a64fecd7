//! A simulated world for scenarios: a log in memory, one process of ours, a toy GitHub, and time that stands still
//! until somebody moves it. After every record the state is checked; a process can be cut at any record.

pub(crate) mod github;
pub(crate) mod graph;
mod process;

use github::{GitHub, Pull, Titles, later, whole_second};
use graph::{Graph, key};
use process::Memory;
use stackwave_domain::{
    CommitSha, CredentialId, Digest, Entry, Event, InstallationId, Position, PrNumber, Record, RecordId,
    RepositoryId, RepositoryName, StreamId, Subject, Timestamp, WorkflowRunId, WorkspaceId,
    digest::{BlobRef, Stored},
    event::{Batch, RepositoryRegistered, Source, UploadReceived, WorkflowRunObserved},
    record::Basis,
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{
    Config, ENGINE_VERSION, State,
    check::Violation,
    state::{RepositoryState, Run},
    view::{self, Status},
};
use std::collections::BTreeSet;

pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);
const STREAM: StreamId = StreamId::Partition(0);

/// What happens to webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Now,
    /// They wait in the outbox.
    Held,
    Lost,
}

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Right after this record.
    After(usize),
    /// Right before our record of this number lands: what it tells has happened, and is not told.
    Before(usize),
}

pub(crate) struct World {
    pub(crate) log: Vec<Entry>,
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) github: GitHub,
    pub(crate) now: Timestamp,
    pub(crate) delivery: Delivery,
    /// GitHub's webhooks of a dispatch come before its answer is in the log.
    pub(crate) webhooks_first: bool,
    /// The inputs that every workflow declares; none when the files cannot be read.
    pub(crate) declares: Option<BTreeSet<String>>,
    pub(crate) claims_at_once: usize,
    /// All that happens happens within one second.
    pub(crate) same_second: bool,
    /// The log of this scenario holds what our rules would never decide.
    pub(crate) allow_violations: bool,
    pub(crate) cut: Option<Cut>,
    /// The state is checked after every record.
    pub(crate) checked: bool,
    process: u32,
    memory: Memory,
    next_wake: Option<Timestamp>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            log: Vec::new(),
            state: State::default(),
            config: Config::default(),
            github: GitHub::default(),
            now: "2026-11-24T10:00:00Z".parse().unwrap(),
            delivery: Delivery::Now,
            webhooks_first: false,
            declares: Some(["atmos_pro_run_id", "sha"].map(str::to_owned).into()),
            claims_at_once: 100,
            same_second: false,
            allow_violations: false,
            cut: None,
            checked: true,
            process: 1,
            memory: Memory::default(),
            next_wake: None,
        };
        world.config.apply(&Entry {
            position: Position(1),
            subject: Subject::config("repository", "42"),
            record: Record::new(
                RecordId::new("c1"),
                world.now,
                "test",
                vec![
                    RepositoryRegistered {
                        repository: REPOSITORY,
                        name: RepositoryName::new("acme", "infra"),
                        default_branch: "main".into(),
                        installation: Some(InstallationId(1)),
                        workspace: WorkspaceId::default_workspace(),
                    }
                    .into(),
                ],
            ),
        });
        world
    }

    // Pull requests.

    fn tick(&mut self) {
        if !self.same_second {
            self.now = later(self.now, 1);
        }
    }

    fn change_pull(&mut self, number: u64, action: &str, change: impl FnOnce(&mut Pull, Timestamp)) {
        self.tick();
        let number = PrNumber(number);
        let at = whole_second(self.now);
        let pull = self.github.pulls.get_mut(&number).unwrap();
        let before = pull.head.clone();
        change(pull, at);
        pull.updated_at = at;
        let before = (before != pull.head).then_some(before);
        self.github.tell_pull(number, action, before);
        self.settle();
    }

    pub(crate) fn open_pull(&mut self, number: u64, head: &str) {
        let pull =
            Pull { head: head.into(), open: true, merged_at: None, merge_commit: None, updated_at: self.now };
        self.github.pulls.insert(PrNumber(number), pull);
        self.change_pull(number, "opened", |_, _| {});
    }

    pub(crate) fn push(&mut self, number: u64, head: &str) {
        self.change_pull(number, "synchronize", |pull, _| pull.head = head.into());
    }

    pub(crate) fn merge(&mut self, number: u64) {
        self.change_pull(number, "closed", |pull, at| {
            pull.open = false;
            pull.merged_at = Some(at);
            pull.merge_commit = Some(CommitSha::new(format!("merge-{number}")));
        });
    }

    pub(crate) fn close(&mut self, number: u64) {
        self.change_pull(number, "closed", |pull, _| pull.open = false);
    }

    pub(crate) fn reopen(&mut self, number: u64) {
        self.change_pull(number, "reopened", |pull, _| pull.open = true);
    }

    pub(crate) fn act_on_pull(&mut self, number: u64, action: &str) {
        self.change_pull(number, action, |_, _| {});
    }

    // Uploads.

    pub(crate) fn upload(&mut self, sha: &str, graph: &Graph) {
        self.upload_in(sha, graph, None);
    }

    pub(crate) fn chunk(&mut self, sha: &str, batch: &str, index: u32, total: u32, graph: &Graph) {
        self.upload_in(sha, graph, Some(Batch { id: batch.into(), index, total }));
    }

    fn upload_in(&mut self, sha: &str, graph: &Graph, batch: Option<Batch>) {
        self.tick();
        let fragment = graph.fragment();
        let digest = Digest::of_parts(&[sha, fragment.graph_digest().as_str()]);
        let upload = UploadReceived {
            workspace: WorkspaceId::default_workspace(),
            credential: CredentialId::new("key"),
            repository: RepositoryName::new("acme", "infra"),
            head_sha: sha.into(),
            base_sha: "base".into(),
            raw: BlobRef { digest: digest.clone(), bytes: 1 },
            digest,
            received_at: self.now,
            client: None,
            batch,
            fragment: Stored::inline(fragment),
        };
        self.append(Subject::upload(STREAM, REPOSITORY), "ingest-api", vec![upload.into()]);
        self.settle();
    }

    // Merge groups and releases.

    pub(crate) fn merge_group(&mut self, sha: &str, number: u64, action: &str) {
        self.tick();
        let reason = (action == "destroyed").then_some("dequeued");
        self.github.tell_merge_group(sha, PrNumber(number), action, reason);
        self.settle();
    }

    pub(crate) fn release(&mut self, release: u64, sha: &str, actions: &[&str]) {
        self.tick();
        self.github.tags.insert(release, sha.into());
        let at = whole_second(self.now);
        for action in actions {
            self.github.tell_release(release, action, at);
        }
        self.settle();
    }

    // Workflow runs.

    /// The newest workflow run of a stack.
    pub(crate) fn workflow_run(&self, stack: &str) -> WorkflowRunId {
        let key = key(stack);
        let mut runs = self.github.runs.iter().rev().filter(|(_, run)| run.claimed.key == key);
        *runs
            .next()
            .unwrap_or_else(|| panic!("{stack} was not dispatched; dispatched: {}", self.dispatched()))
            .0
    }

    pub(crate) fn change_run(&mut self, stack: &str, status: RunStatus, conclusion: Option<Conclusion>) {
        self.tick();
        let id = self.workflow_run(stack);
        self.github.change(id, status, conclusion, self.now);
        self.settle();
    }

    pub(crate) fn start(&mut self, stack: &str) {
        self.change_run(stack, RunStatus::InProgress, None);
    }

    pub(crate) fn finish(&mut self, stack: &str) {
        self.conclude(stack, Conclusion::Success);
    }

    pub(crate) fn fail(&mut self, stack: &str) {
        self.conclude(stack, Conclusion::Failure);
    }

    pub(crate) fn conclude(&mut self, stack: &str, conclusion: Conclusion) {
        self.change_run(stack, RunStatus::Completed, Some(conclusion));
    }

    pub(crate) fn rerun(&mut self, stack: &str) {
        self.tick();
        let id = self.workflow_run(stack);
        self.github.rerun(id, self.now);
        self.settle();
    }

    /// Everything that runs succeeds, until nothing runs.
    pub(crate) fn finish_all(&mut self) {
        loop {
            let open = self.github.runs.iter().find(|(_, run)| run.status != RunStatus::Completed);
            let Some((id, _)) = open else { return };
            let id = *id;
            self.tick();
            self.github.change(id, RunStatus::Completed, Some(Conclusion::Success), self.now);
            self.settle();
        }
    }

    /// Somebody else starts the workflow, on the same branch and with a title like ours.
    pub(crate) fn somebody_starts(&mut self, actor: &str) {
        let observed = WorkflowRunObserved {
            source: Source::Webhook { delivery: format!("of {actor}").into() },
            run: WorkflowRunId(5_000 + actor.len() as u64),
            attempt: 1,
            workflow: "plan.yaml".into(),
            title: "plan.yaml".to_owned(),
            event: "workflow_dispatch".to_owned(),
            status: RunStatus::InProgress,
            conclusion: None,
            head_branch: Some("main".into()),
            head_sha: "base".into(),
            actor: Some(actor.to_owned()),
            created_at: self.now,
            updated_at: self.now,
            html_url: String::new(),
        };
        self.deliver("workflow_run", observed.into());
    }

    // The process.

    /// Delivers what is in the outbox and does all that is due. Time moves only while GitHub is being searched.
    pub(crate) fn settle(&mut self) {
        self.settle_until(later(self.now, 600));
    }

    fn settle_until(&mut self, deadline: Timestamp) {
        for _ in 0..100_000 {
            self.deliver_webhooks();
            self.next_wake = None;
            if self.log.is_empty() || self.act() {
                if self.log.is_empty() {
                    return;
                }
                continue;
            }
            match self.next_wake {
                Some(at) if at <= deadline && self.is_recovering() => self.now = at.max(later(self.now, 1)),
                Some(_) | None => return,
            }
        }
        panic!("the process never comes to rest; the last record: {:#?}", self.log.last());
    }

    /// Time passes, and what becomes due is done.
    pub(crate) fn pass(&mut self, seconds: i64) {
        let until = later(self.now, seconds);
        loop {
            self.settle_until(until);
            match self.next_wake {
                Some(at) if at < until => self.now = at.max(later(self.now, 1)),
                Some(_) | None => break,
            }
        }
        self.now = self.now.max(until);
        self.settle();
    }

    /// The process is killed and starts again: what it remembered is gone.
    pub(crate) fn restart(&mut self) {
        self.process += 1;
        self.memory = Memory::default();
        let refolded = fold(&self.log);
        assert!(refolded == self.state, "folding again gives another state");
        self.state = refolded;
    }

    fn wake(&mut self, at: Option<Timestamp>) {
        self.next_wake = stackwave_engine::due::earlier(self.next_wake, at);
    }

    pub(crate) fn deliver_webhooks(&mut self) {
        match self.delivery {
            Delivery::Now => {
                for (event, content) in std::mem::take(&mut self.github.outbox) {
                    self.deliver(&event, content);
                }
            }
            Delivery::Held => {}
            Delivery::Lost => self.github.outbox.clear(),
        }
    }

    /// Delivers one webhook.
    pub(crate) fn deliver(&mut self, event: &str, content: Event) {
        self.append_observation(event, "webhook-receiver", vec![content]);
    }

    // The log.

    fn append_observation(&mut self, event: &str, actor: &str, events: Vec<Event>) {
        self.append(Subject::github(STREAM, REPOSITORY, event), actor, events);
    }

    fn append_result(&mut self, event: Event) {
        self.append(Subject::dispatch(STREAM, REPOSITORY), "dispatcher", vec![event]);
    }

    pub(crate) fn append_ledger(&mut self, actor: &str, events: Vec<Event>) -> bool {
        self.append(Subject::ledger(STREAM, REPOSITORY), actor, events)
    }

    /// Appends a record and folds it; false when the process died before it landed.
    fn append(&mut self, subject: Subject, actor: &str, events: Vec<Event>) -> bool {
        let number = self.log.len() + 1;
        let ours = matches!(actor, "orchestrator" | "dispatcher");
        if ours && self.cut == Some(Cut::Before(number)) {
            self.cut = None;
            self.restart();
            return false;
        }
        let mut record = Record::new(RecordId::new(format!("r{number}")), self.now, actor, events);
        if ours {
            record.cause = Some(self.last_position());
        }
        if actor == "orchestrator" {
            let now = self.now;
            record.basis = Some(Basis { engine: ENGINE_VERSION, now, config: self.config.position() });
        }
        let entry = Entry { position: Position(number as u64), subject, record };
        self.log.push(entry);
        self.fold_last();
        if self.cut == Some(Cut::After(number)) {
            self.cut = None;
            self.restart();
        }
        true
    }

    fn fold_last(&mut self) {
        let entry = self.log.last().unwrap();
        self.state.apply(entry);
        if self.checked
            && let Err(violations) = self.repository().check()
        {
            let violations: Vec<String> = violations
                .iter()
                .filter(|violation| !self.allow_violations || matches!(violation, Violation::Structure(_)))
                .map(ToString::to_string)
                .collect();
            assert!(violations.is_empty(), "{violations:#?} after {entry:#?}");
        }
    }

    // What can be seen.

    pub(crate) fn repository(&self) -> &RepositoryState {
        self.state.repository(REPOSITORY).expect("something was appended")
    }

    /// The newest run of an activity.
    pub(crate) fn run(&self, activity: &str) -> &Run {
        let runs = self.repository().runs.values().filter(|run| run.trigger.activity == activity);
        runs.max_by_key(|run| run.opened.1).unwrap_or_else(|| panic!("no run of {activity}: {}", self.runs()))
    }

    /// `opened running, synchronize superseded`, in the order of the log.
    pub(crate) fn runs(&self) -> String {
        let mut runs: Vec<&Run> = self.repository().runs.values().collect();
        runs.sort_by_key(|run| run.opened.1);
        let words: Vec<String> = runs
            .into_iter()
            .map(|run| {
                let status = view::run_view(self.repository(), run).status;
                format!("{} {}", run.trigger.activity, format!("{status:?}").to_lowercase())
            })
            .collect();
        words.join(", ")
    }

    pub(crate) fn status(&self, activity: &str, stack: &str) -> Status {
        let run = self.run(activity);
        let index = run.find(&key(stack)).unwrap_or_else(|| panic!("no stack {stack}"));
        view::run_view(self.repository(), run).stacks[index].status
    }

    pub(crate) fn reason(&self, activity: &str, stack: &str) -> String {
        let run = self.run(activity);
        let index = run.find(&key(stack)).unwrap_or_else(|| panic!("no stack {stack}"));
        view::run_view(self.repository(), run).stacks[index].reason.clone().unwrap_or_default()
    }

    /// `plan:vpc plan:app apply:vpc`: what GitHub took, in its order.
    pub(crate) fn dispatched(&self) -> String {
        let words: Vec<String> = self
            .github
            .runs
            .values()
            .map(|run| {
                let workflow = run.claimed.workflow.as_str().trim_end_matches(".yaml");
                format!("{workflow}:{}", graph::name(&run.claimed.key))
            })
            .collect();
        words.join(" ")
    }

    /// What GitHub took, in its order. After a cut some are sent later than others.
    pub(crate) fn assert_dispatched(&self, expected: &str) {
        let dispatched = self.dispatched();
        if self.process == 1 {
            assert_eq!(dispatched, expected);
        } else {
            let sorted = |words: &str| {
                let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
                words.sort();
                words
            };
            assert_eq!(sorted(&dispatched), sorted(expected));
        }
    }

    /// What a scenario came to: every dispatch that GitHub took, and every stack's status.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut dispatches: Vec<String> =
            self.github.runs.values().map(|run| run.claimed.dispatch.to_string()).collect();
        dispatches.sort();
        let stacks = self
            .repository()
            .runs
            .values()
            .map(|run| {
                let view = view::run_view(self.repository(), run);
                let stacks =
                    view.stacks.iter().map(|stack| (graph::name(&stack.key), stack.status)).collect();
                (run.id.to_string(), format!("{:?}", view.status), stacks)
            })
            .collect();
        Outcome { dispatches, runs: stacks }
    }

    /// What must hold at the end of every scenario.
    pub(crate) fn end(&self) {
        let mut dispatches = BTreeSet::new();
        for run in self.github.runs.values() {
            assert!(dispatches.insert(&run.claimed.dispatch), "{} was started twice", run.claimed.key);
        }
        if self.github.titles != Titles::Alike && self.repository().halted.is_none() {
            let open: Vec<_> = self.repository().open_claims().collect();
            assert!(open.is_empty(), "claims are left open: {open:#?}");
        }
        let again = fold(&self.log);
        assert!(again == self.state, "folding again gives another state");
        assert_eq!(format!("{again:?}"), format!("{:?}", self.state), "folding again gives other bytes");
    }
}

/// The end of a scenario, as far as a cut must not change it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) dispatches: Vec<String>,
    pub(crate) runs: Vec<RunOutcome>,
}

/// A run's id, how it stands, and how its stacks do.
pub(crate) type RunOutcome = (String, String, Vec<(String, Status)>);

pub(crate) fn fold(log: &[Entry]) -> State {
    let mut state = State::default();
    for entry in log {
        state.apply(entry);
    }
    state
}
