//! A log with a past, written as the services would have written it, but in one transaction.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use stackwave_domain::{
    CommentId, CommitSha, Digest, Event, Fragment, GitRef, InstallationId, Position, PrNumber, ProcessId,
    Record, RecordId, RepositoryId, RepositoryName, RunId, RunPlan, StackKey, StreamId, Subject,
    WorkflowFile, WorkflowRunId, WorkspaceId, codec,
    digest::{BlobRef, Stored},
    event::{
        CommentClaimed, CommentPosted, DispatchAccepted, DispatchClaimed, PullRequestObserved,
        RepositoryRegistered, RunEnded, RunOpened, RunOutcome, Source, StackReleased, Trigger,
        UploadReceived, WorkflowRunObserved,
    },
    fragment::{AffectedStack, ProSettings, WorkflowCall},
    plan::{PlannedStack, Verdict},
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::identity;
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{Clock as _, SystemClock};
use std::{collections::BTreeMap, path::Path};

/// So many repositories share the runs.
const REPOSITORIES: u64 = 40;
/// The finished runs lie in the last two years.
const PAST: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);
/// Records of one run come this far apart.
const STEP: SignedDuration = SignedDuration::from_secs(20);
const STREAM: StreamId = StreamId::Partition(0);

/// What the log shall hold.
pub(crate) struct History {
    /// Plan runs of closed pull requests with one stack each.
    pub(crate) finished: u64,
    /// Plan runs that go on.
    pub(crate) active: u64,
    /// How many stacks each active run has, in a chain of two.
    pub(crate) stacks: u64,
}

/// What it holds.
pub(crate) struct Written {
    pub(crate) finished: u64,
    /// A finished run from the middle, long forgotten by the state.
    pub(crate) old: String,
    /// One of the newest.
    pub(crate) new: String,
}

impl History {
    /// Writes `stackwave.db` into the folder, unless it is there.
    pub(crate) fn write(&self, folder: &Path) -> Result<Written> {
        let now = SystemClock::default().now();
        let path = folder.join("stackwave.db");
        let total = self.finished + self.active;
        let written = Written {
            finished: self.finished,
            old: Plot::new(self.finished / 2, 1, now).run.to_string(),
            new: Plot::new(total.saturating_sub(1), self.stacks, now).run.to_string(),
        };
        if path.exists() {
            eprintln!("`{}` is there already", path.display());
            return Ok(written);
        }
        eprintln!("writing a log of {total} runs");
        drop(SqliteLog::open(&path, 1)?);
        let connection = Connection::open(&path).context("failed to open the log")?;
        connection.execute_batch("PRAGMA synchronous = OFF; DROP INDEX records_by_subject; BEGIN")?;
        let mut writer = Writer { connection: &connection, next: BTreeMap::new() };
        for number in 0..REPOSITORIES {
            writer.config(&registered(number), now)?;
        }
        for number in 0..self.finished {
            let share = i64::try_from(number)? * (PAST.as_secs() / i64::try_from(self.finished)?);
            let at = now.checked_sub(PAST)?.checked_add(SignedDuration::from_secs(share))?;
            Plot::new(number, 1, at).finished(&mut writer)?;
        }
        for number in self.finished..total {
            let at = now.checked_sub(SignedDuration::from_mins(30))?;
            Plot::new(number, self.stacks, at).active(&mut writer)?;
        }
        connection.execute_batch("COMMIT; CREATE INDEX records_by_subject ON records (subject, position)")?;
        Ok(written)
    }
}

fn registered(number: u64) -> RepositoryRegistered {
    RepositoryRegistered {
        repository: RepositoryId(1_000 + number),
        name: RepositoryName::new("acme", format!("infra-{number}")),
        default_branch: GitRef::new("main"),
        installation: Some(InstallationId(7)),
        workspace: WorkspaceId::default_workspace(),
    }
}

struct Writer<'a> {
    connection: &'a Connection,
    next: BTreeMap<String, u64>,
}

impl Writer<'_> {
    fn config(&mut self, registered: &RepositoryRegistered, at: Timestamp) -> Result<()> {
        let subject = Subject::config("repository", &registered.repository.to_string());
        self.append(StreamId::Config, &subject, at, "webhook-receiver", vec![registered.clone().into()])?;
        Ok(())
    }

    fn append(
        &mut self,
        stream: StreamId,
        subject: &Subject,
        at: Timestamp,
        actor: &str,
        events: Vec<Event>,
    ) -> Result<Position> {
        let stream = stream.name();
        let position = self.next.entry(stream.clone()).or_insert(1);
        let record = Record::new(RecordId::new(format!("{stream}-{position}")), at, actor, events);
        let body = String::from_utf8(codec::encode(&record)?)?;
        self.connection
            .prepare_cached(
                "INSERT INTO records (stream, position, subject, message_id, appended_at, body) \
                 VALUES (?1, ?2, ?3, NULL, ?4, ?5)",
            )?
            .execute(params![stream, i64::try_from(*position)?, subject.as_str(), at.to_string(), body])?;
        let landed = Position(*position);
        *position += 1;
        Ok(landed)
    }
}

/// What happens to one pull request.
struct Plot {
    number: u64,
    at: Timestamp,
    repository: RepositoryId,
    name: RepositoryName,
    pull: PrNumber,
    sha: CommitSha,
    run: RunId,
    stacks: u64,
}

impl Plot {
    fn new(number: u64, stacks: u64, at: Timestamp) -> Self {
        let mixed = u128::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let sha = format!("{mixed:032x}{number:08x}");
        let pull = 1 + number / REPOSITORIES;
        Self {
            number,
            at,
            repository: RepositoryId(1_000 + number % REPOSITORIES),
            name: RepositoryName::new("acme", format!("infra-{}", number % REPOSITORIES)),
            pull: PrNumber(pull),
            run: RunId::new(format!("pr{pull}-opened-{}-{number:012x}", &sha[..7])),
            sha: CommitSha::new(sha),
            stacks,
        }
    }

    /// One stack; it succeeds, the comment says so, and the pull request is closed.
    fn finished(mut self, writer: &mut Writer<'_>) -> Result<()> {
        self.open(writer)?;
        self.dispatched(writer, 0)?;
        self.concluded(writer, 0)?;
        let ended = RunEnded { run: self.run.clone(), outcome: RunOutcome::Succeeded };
        self.ledger(writer, "orchestrator", vec![ended.into()])?;
        self.commented(writer)?;
        self.pull_request(writer, "closed", false)
    }

    /// The first half of the stacks is dispatched, half of those succeeded, and the rest waits for them.
    fn active(mut self, writer: &mut Writer<'_>) -> Result<()> {
        self.open(writer)?;
        for index in 0..self.stacks.div_ceil(2) {
            self.dispatched(writer, index)?;
            if index % 2 == 1 {
                self.concluded(writer, index)?;
            }
        }
        self.commented(writer)
    }

    fn open(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        self.pull_request(writer, "opened", true)?;
        let fragment = self.fragment();
        let digest = Digest::of(self.run.as_str().as_bytes());
        let upload = UploadReceived {
            workspace: WorkspaceId::default_workspace(),
            credential: "bootstrap-0123456789ab".into(),
            repository: self.name.clone(),
            head_sha: self.sha.clone(),
            base_sha: CommitSha::new("1".repeat(40)),
            digest: digest.clone(),
            raw: BlobRef { digest: digest.clone(), bytes: 2_000 },
            received_at: self.at,
            client: Some("Atmos/1.220.0".to_owned()),
            batch: None,
            fragment: Stored::inline(fragment.clone()),
        };
        let at = self.tick()?;
        writer.append(
            STREAM,
            &Subject::upload(STREAM, self.repository),
            at,
            "ingest-api",
            vec![upload.into()],
        )?;
        let opened = RunOpened {
            run: self.run.clone(),
            workspace: WorkspaceId::default_workspace(),
            trigger: Trigger::new("pull_request", "opened"),
            inferred: false,
            generation: 1,
            pull_request: Some(self.pull),
            release: None,
            head_sha: self.sha.clone(),
            sha: self.sha.clone(),
            git_ref: GitRef::new("main"),
            upload: digest,
            merged_at: None,
            plan: Stored::inline(plan(&fragment)),
        };
        let mut events = vec![opened.into()];
        for index in 0..self.stacks.div_ceil(2) {
            events.push(StackReleased { run: self.run.clone(), key: self.key(index), attempt: 1 }.into());
        }
        self.ledger(writer, "orchestrator", events)
    }

    fn dispatched(&mut self, writer: &mut Writer<'_>, index: u64) -> Result<()> {
        let claimed = DispatchClaimed {
            dispatch: self.dispatch(index),
            run: self.run.clone(),
            key: self.key(index),
            attempt: 1,
            claimant: ProcessId::new("dispatcher-1"),
            workflow: workflow(),
            git_ref: GitRef::new("main"),
            inputs: self.call(index).inputs,
            title: None,
        };
        self.ledger(writer, "dispatcher", vec![claimed.into()])?;
        let accepted = DispatchAccepted {
            dispatch: self.dispatch(index),
            epoch: 1,
            workflow_run: Some(self.workflow_run(index)),
            html_url: Some(self.html_url(index)),
        };
        let at = self.tick()?;
        let subject = Subject::dispatch(STREAM, self.repository);
        writer.append(STREAM, &subject, at, "dispatcher", vec![accepted.into()])?;
        self.observed(writer, index, RunStatus::InProgress, None)
    }

    fn concluded(&mut self, writer: &mut Writer<'_>, index: u64) -> Result<()> {
        self.observed(writer, index, RunStatus::Completed, Some(Conclusion::Success))
    }

    fn observed(
        &mut self,
        writer: &mut Writer<'_>,
        index: u64,
        status: RunStatus,
        conclusion: Option<Conclusion>,
    ) -> Result<()> {
        let at = self.tick()?;
        let observed = WorkflowRunObserved {
            source: self.delivery(at),
            run: self.workflow_run(index),
            attempt: 1,
            workflow: workflow(),
            title: format!("plan {} {}", self.key(index), self.dispatch(index)),
            event: "workflow_dispatch".to_owned(),
            status,
            conclusion,
            head_branch: Some(GitRef::new("main")),
            head_sha: self.sha.clone(),
            actor: Some("stackwave[bot]".to_owned()),
            created_at: self.at,
            updated_at: at,
            html_url: self.html_url(index),
        };
        let subject = Subject::github(STREAM, self.repository, "workflow_run");
        writer.append(STREAM, &subject, at, "webhook-receiver", vec![observed.into()])?;
        Ok(())
    }

    fn commented(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        let subject = Subject::comment(STREAM, self.repository, &WorkspaceId::default_workspace(), self.pull);
        let claimed = CommentClaimed { number: self.pull, claimant: ProcessId::new("commenter-1") };
        let at = self.tick()?;
        writer.append(STREAM, &subject, at, "commenter", vec![claimed.into()])?;
        let posted = CommentPosted {
            number: self.pull,
            comment: CommentId(9_000_000 + self.number),
            digest: Digest::of(self.sha.as_str().as_bytes()),
            found: false,
        };
        let at = self.tick()?;
        writer.append(STREAM, &subject, at, "commenter", vec![posted.into()])?;
        Ok(())
    }

    fn pull_request(&mut self, writer: &mut Writer<'_>, action: &str, open: bool) -> Result<()> {
        let at = self.tick()?;
        let observed = PullRequestObserved {
            source: self.delivery(at),
            action: Some(action.to_owned()),
            number: self.pull,
            open,
            merged: false,
            merged_at: None,
            merge_commit_sha: None,
            head_sha: self.sha.clone(),
            head_ref: GitRef::new(format!("feature-{}", self.number)),
            base_ref: GitRef::new("main"),
            before: None,
            title: Some(format!("Change number {}", self.number)),
            updated_at: at,
        };
        let subject = Subject::github(STREAM, self.repository, "pull_request");
        writer.append(STREAM, &subject, at, "webhook-receiver", vec![observed.into()])?;
        Ok(())
    }

    fn ledger(&mut self, writer: &mut Writer<'_>, actor: &str, events: Vec<Event>) -> Result<()> {
        let at = self.tick()?;
        writer.append(STREAM, &Subject::ledger(STREAM, self.repository), at, actor, events)?;
        Ok(())
    }

    fn tick(&mut self) -> Result<Timestamp> {
        self.at = self.at.checked_add(STEP)?;
        Ok(self.at)
    }

    fn delivery(&self, at: Timestamp) -> Source {
        let guid = format!("{:08x}-0000-4000-8000-{:012x}", self.number, at.as_second());
        Source::Webhook { delivery: guid.as_str().into() }
    }

    fn key(&self, index: u64) -> StackKey {
        StackKey::new(format!("plat-{}", self.number % 50), format!("component-{index:02}"))
    }

    fn call(&self, index: u64) -> WorkflowCall {
        let key = self.key(index);
        let inputs = [("component", key.component.to_string()), ("stack", key.stack.to_string())];
        WorkflowCall {
            workflow: workflow(),
            inputs: inputs.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    fn dispatch(&self, index: u64) -> stackwave_domain::DispatchId {
        identity::dispatch_id(&self.run, &self.key(index), &workflow(), 1)
    }

    fn workflow_run(&self, index: u64) -> WorkflowRunId {
        WorkflowRunId(10_000_000_000 + self.number * 100 + index)
    }

    fn html_url(&self, index: u64) -> String {
        format!("https://github.com/{}/actions/runs/{}", self.name, self.workflow_run(index))
    }

    /// The second half of the stacks depends on the first, one on one.
    fn fragment(&self) -> Fragment {
        let stacks = (0..self.stacks).map(|index| {
            let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
            pro.add_call("pull_request.opened", self.call(index));
            AffectedStack {
                key: self.key(index),
                directly_affected: index == 0,
                deleted: None,
                pro: Some(pro),
            }
        });
        let half = u32::try_from(self.stacks.div_ceil(2)).unwrap_or(u32::MAX);
        let all = u32::try_from(self.stacks).unwrap_or(u32::MAX);
        Fragment {
            stacks: stacks.collect(),
            edges: (half..all).map(|child| (child - half, child)).collect(),
            warnings: Vec::new(),
        }
    }
}

fn workflow() -> WorkflowFile {
    WorkflowFile::new("plan.yaml")
}

fn plan(fragment: &Fragment) -> RunPlan {
    let stacks = fragment.stacks.iter().map(|stack| PlannedStack {
        key: stack.key.clone(),
        directly_affected: stack.directly_affected,
        verdict: Verdict::Dispatch(stack.pro.iter().flat_map(|pro| pro.calls.iter().cloned()).collect()),
    });
    RunPlan { stacks: stacks.collect(), edges: fragment.edges.clone(), warnings: Vec::new() }
}
