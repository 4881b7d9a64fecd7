//! What the log of these tests holds.

use super::super::*;
use crate::cli::ConfigFile;
use serde_json::Value;
use stackwave_domain::{
    CommitSha, CredentialId, Digest, DispatchId, Event, Fragment, GitRef, Inputs, InstallationId, Position,
    PrNumber, ProcessId, Record, RecordId, RepositoryId, RepositoryName, RunId, RunPlan, StackKey, StreamId,
    Subject, Timestamp, WorkflowFile, WorkflowRunId, WorkspaceId,
    digest::{BlobRef, Stored},
    event::{
        Batch, CommentClaimed, DispatchAccepted, DispatchClaimed, PullRequestObserved, PushObserved,
        RepositoryRegistered, RunEnded, RunOpened, RunOutcome, Source, StackReleased, Trigger,
        UploadReceived, WorkflowRunObserved,
    },
    fragment::{AffectedStack, WorkflowCall},
    plan::{PlannedStack, Verdict},
    workflow::{Conclusion, RunStatus},
};
use stackwave_event_log::Append;
use stackwave_event_log_sqlite::SqliteLog;

pub(in crate::log) const ACME: RepositoryId = RepositoryId(42);
pub(in crate::log) const OTHER: RepositoryId = RepositoryId(43);
pub(in crate::log) const STREAM: StreamId = StreamId::Partition(0);

/// A log with two repositories, and with two pull requests in the first: #7 with two stacks, #8 with one.
pub(in crate::log) struct Story {
    log: Arc<SqliteLog>,
    path: std::path::PathBuf,
    seconds: std::sync::atomic::AtomicI64,
    _folder: tempfile::TempDir,
}

impl Story {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path, 1).unwrap();
        let story = Self { log, path, seconds: 0.into(), _folder: folder };
        for (id, name) in [(ACME, "infra"), (OTHER, "site")] {
            story
                .add(Subject::config("repository", &id.to_string()), vec![registered(id, name).into()])
                .await;
        }
        story
    }

    pub(in crate::log) async fn told() -> Self {
        let story = Self::new().await;
        let [vpc, app] = [StackKey::new("dev", "vpc"), StackKey::new("dev", "eks/app")];
        let upload = Subject::upload(STREAM, ACME);
        let github = |event| Subject::github(STREAM, ACME, event);
        let ledger = || Subject::ledger(STREAM, ACME);
        let results = || Subject::dispatch(STREAM, ACME);
        story.add(upload.clone(), vec![uploaded("seven-1", Some((0, 2)), &[&vpc]).into()]).await;
        story.add(upload.clone(), vec![uploaded("seven-2", Some((1, 2)), &[&app]).into()]).await;
        story.add(upload, vec![uploaded("eight", None, &[&vpc]).into()]).await;
        for number in [7, 8] {
            story.add(github("pull_request"), vec![pull(number).into()]).await;
        }
        let seven = Digest::of_parts(&[Digest::of(b"seven-1").as_str(), Digest::of(b"seven-2").as_str()]);
        story.add(ledger(), vec![opened("seven", 7, seven, &[&app, &vpc]).into()]).await;
        story.add(ledger(), vec![opened("eight", 8, Digest::of(b"eight"), &[&vpc]).into()]).await;
        // One record with the decisions and claims of both runs.
        let released = |run: &str| StackReleased { run: RunId::new(run), key: vpc.clone(), attempt: 1 };
        let both = vec![released("seven").into(), released("eight").into()];
        story.add(ledger(), both).await;
        let claims = vec![claimed("swd_7", "seven", &vpc).into(), claimed("swd_8", "eight", &vpc).into()];
        story.add(ledger(), claims).await;
        // The webhook outruns the acceptance.
        story.add(github("workflow_run"), vec![concluded(107).into()]).await;
        story.add(results(), vec![accepted("swd_7", 107).into(), accepted("swd_8", 108).into()]).await;
        story.add(github("workflow_run"), vec![concluded(108).into()]).await;
        story.add(ledger(), vec![claimed("swd_9", "seven", &app).into()]).await;
        let ended = RunEnded { run: RunId::new("eight"), outcome: RunOutcome::Succeeded };
        story.add(ledger(), vec![ended.into()]).await;
        let comment = CommentClaimed { number: PrNumber(7), claimant: ProcessId::new("p") };
        let subject = Subject::comment(STREAM, ACME, &WorkspaceId::default_workspace(), PrNumber(7));
        story.add(subject, vec![comment.into()]).await;
        story.add(Subject::github(STREAM, OTHER, "push"), vec![push().into()]).await;
        story
    }

    /// One record, a second after the one before.
    pub(in crate::log) async fn add(&self, subject: Subject, events: Vec<Event>) -> Position {
        let second = self.seconds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        let record = Record::new(RecordId::new(format!("r{second}")), at, "test", events);
        self.log.append(Append::any(subject, record)).await.unwrap().receipt.position
    }

    /// A reader beside the process that serves.
    pub(in crate::log) fn reader(&self) -> Arc<dyn EventLog> {
        SqliteLog::open_read_only(&self.path).unwrap()
    }

    /// The log itself, for whoever writes to it.
    pub(in crate::log) fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log) as _
    }

    pub(in crate::log) async fn show(&self, filter: Filter, limit: Option<usize>) -> anyhow::Result<String> {
        let mut out = Vec::new();
        show(&self.reader(), &ShowOptions { filter, limit }, &mut out).await?;
        Ok(String::from_utf8(out)?)
    }

    /// The names of the events that a filter leaves, with what it prints of them.
    pub(in crate::log) async fn events(&self, filter: Filter) -> Vec<String> {
        let printed = self.show(Filter { json: true, ..filter }, None).await.unwrap();
        printed
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                format!("{} {}", line["position"], line["event"].as_str().unwrap())
            })
            .collect()
    }
}

pub(in crate::log) fn all() -> Filter {
    Filter {
        log: None,
        file: None,
        repository: None,
        pr: None,
        run: None,
        stack: None,
        json: false,
        from: None,
        config: ConfigFile { config: None },
    }
}

fn registered(id: RepositoryId, name: &str) -> RepositoryRegistered {
    RepositoryRegistered {
        repository: id,
        name: RepositoryName::new("acme", name),
        default_branch: GitRef::new("main"),
        installation: Some(InstallationId(1)),
        workspace: WorkspaceId::default_workspace(),
    }
}

fn commit(what: u64) -> CommitSha {
    CommitSha::new(format!("{what:040x}"))
}

fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn webhook() -> Source {
    Source::Webhook { delivery: "d".into() }
}

fn uploaded(body: &str, chunk: Option<(u32, u32)>, keys: &[&StackKey]) -> UploadReceived {
    let stacks = keys.iter().map(|key| AffectedStack {
        key: (*key).clone(),
        directly_affected: true,
        deleted: None,
        pro: None,
    });
    let digest = Digest::of(body.as_bytes());
    UploadReceived {
        workspace: WorkspaceId::default_workspace(),
        credential: CredentialId::new("key"),
        repository: RepositoryName::new("acme", "infra"),
        // Nobody tells of this commit but the upload: what belongs together has to be told by the run.
        head_sha: commit(0),
        base_sha: CommitSha::new(""),
        raw: BlobRef { digest: digest.clone(), bytes: 1 },
        digest,
        received_at: at(),
        client: None,
        batch: chunk.map(|(index, total)| Batch { id: "batch".into(), index, total }),
        fragment: Stored::inline(Fragment { stacks: stacks.collect(), ..Fragment::default() }),
    }
}

fn pull(number: u64) -> PullRequestObserved {
    PullRequestObserved {
        source: webhook(),
        action: Some("opened".to_owned()),
        number: PrNumber(number),
        open: true,
        merged: false,
        merged_at: None,
        merge_commit_sha: None,
        head_sha: commit(number),
        head_ref: GitRef::new("topic"),
        base_ref: GitRef::new("main"),
        before: None,
        title: None,
        updated_at: at(),
    }
}

fn opened(id: &str, number: u64, upload: Digest, keys: &[&StackKey]) -> RunOpened {
    let call = WorkflowCall { workflow: WorkflowFile::new("plan.yaml"), inputs: Inputs::default() };
    let stacks = keys.iter().map(|key| PlannedStack {
        key: (*key).clone(),
        directly_affected: true,
        verdict: Verdict::Dispatch(vec![call.clone()]),
    });
    RunOpened {
        run: RunId::new(id),
        workspace: WorkspaceId::default_workspace(),
        trigger: Trigger::new("pull_request", "opened"),
        inferred: false,
        generation: 1,
        pull_request: Some(PrNumber(number)),
        release: None,
        head_sha: commit(number),
        sha: commit(number),
        git_ref: GitRef::new("main"),
        upload,
        merged_at: None,
        plan: Stored::inline(RunPlan { stacks: stacks.collect(), ..RunPlan::default() }),
    }
}

fn claimed(dispatch: &str, run: &str, key: &StackKey) -> DispatchClaimed {
    DispatchClaimed {
        dispatch: DispatchId::new(dispatch),
        run: RunId::new(run),
        key: key.clone(),
        attempt: 1,
        claimant: ProcessId::new("p"),
        workflow: WorkflowFile::new("plan.yaml"),
        git_ref: GitRef::new("main"),
        inputs: Inputs::default(),
        title: None,
    }
}

pub(in crate::log) fn accepted(dispatch: &str, run: u64) -> DispatchAccepted {
    DispatchAccepted {
        dispatch: DispatchId::new(dispatch),
        epoch: 1,
        workflow_run: Some(WorkflowRunId(run)),
        html_url: None,
    }
}

fn concluded(run: u64) -> WorkflowRunObserved {
    WorkflowRunObserved {
        source: webhook(),
        run: WorkflowRunId(run),
        attempt: 1,
        workflow: WorkflowFile::new("plan.yaml"),
        title: "plan\u{1b}[31m".to_owned(),
        event: "workflow_dispatch".to_owned(),
        status: RunStatus::Completed,
        conclusion: Some(Conclusion::Failure),
        head_branch: None,
        head_sha: commit(1),
        actor: None,
        created_at: at(),
        updated_at: at(),
        html_url: String::new(),
    }
}

pub(in crate::log) fn push() -> PushObserved {
    PushObserved { source: webhook(), git_ref: GitRef::new("main"), before: commit(1), after: commit(2) }
}
