//! What lists show, in the words of domain and engine. A row holds everything about one thing that a list tells, as it
//! was at the last record that touched it.

use stackwave_domain::{
    CommandId, CommitSha, CredentialId, DeliveryId, Digest, DispatchId, GitRef, Position, PrNumber,
    RepositoryId, RunId, StackKey, StreamId, Timestamp, WorkflowFile, WorkflowRunId, WorkspaceId,
    event::Trigger,
};
use stackwave_engine::view::{RunPhase, Status};

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Where.
    pub repository: RepositoryId,
    /// The stream that tells of it.
    pub stream: StreamId,
    /// Where the stream says that it was opened.
    pub opened: Position,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it stopped to dispatch; none while it goes on.
    pub stopped_at: Option<Timestamp>,
    /// Why it runs.
    pub trigger: Trigger,
    /// The trigger was inferred from a look.
    pub inferred: bool,
    /// Its workflows change infrastructure.
    pub mutating: bool,
    /// Which run of the same trigger, from 1.
    pub generation: u32,
    /// The pull request.
    pub pull_request: Option<PrNumber>,
    /// The trigger's commit.
    pub head_sha: CommitSha,
    /// The commit that workflows check out.
    pub sha: CommitSha,
    /// The branch or tag on which workflows start.
    pub git_ref: GitRef,
    /// The pull request's own branch; none when it is not known, and for runs of no pull request.
    pub head_ref: Option<GitRef>,
    /// How it stands.
    pub status: RunPhase,
    /// Why it stopped; none where the status says it all.
    pub reason: Option<String>,
    /// How many stacks stand how; only what occurs, in the order of the statuses.
    pub totals: Vec<(Status, u32)>,
}

/// A stack within a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackRow {
    /// The run.
    pub run: RunId,
    /// Where.
    pub repository: RepositoryId,
    /// Which stack.
    pub key: StackKey,
    /// How it stands.
    pub status: Status,
    /// Why; none where the status says it all.
    pub reason: Option<String>,
    /// The run's workflows change infrastructure.
    pub mutating: bool,
    /// The dispatch attempt, from 1; 0 before it was released.
    pub attempt: u32,
    /// Its newest workflow run; none before one is known.
    pub workflow_run: Option<WorkflowRunRow>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// When its workflow run began, by GitHub's clock.
    pub started_at: Option<Timestamp>,
    /// When its workflow run concluded, by GitHub's clock.
    pub concluded_at: Option<Timestamp>,
}

/// A workflow run at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRunRow {
    /// GitHub's id.
    pub id: WorkflowRunId,
    /// The workflow's file name.
    pub workflow: WorkflowFile,
    /// GitHub's attempt; more than 1 after a re-run.
    pub attempt: u32,
    /// Its page, when it is known.
    pub html_url: Option<String>,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRow {
    /// Where.
    pub repository: RepositoryId,
    /// Its number.
    pub number: PrNumber,
    /// Its title, when a webhook told it.
    pub title: Option<String>,
    /// Whether it is open.
    pub open: bool,
    /// Whether it was merged.
    pub merged: bool,
    /// The head commit.
    pub head_sha: CommitSha,
    /// The head branch, when it is known.
    pub head_ref: Option<GitRef>,
    /// The branch that it is for.
    pub base_ref: GitRef,
    /// When GitHub last changed it, as far as we were told.
    pub updated_at: Timestamp,
    /// Its newest run.
    pub latest_run: Option<RunId>,
    /// How many runs it has had.
    pub run_count: u32,
}

/// An upload, whole or one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    /// Where.
    pub repository: RepositoryId,
    /// The workspace of its credential.
    pub workspace: WorkspaceId,
    /// The credential.
    pub credential: CredentialId,
    /// The commit that it describes.
    pub head_sha: CommitSha,
    /// The commit that it was compared with; may be empty.
    pub base_sha: CommitSha,
    /// SHA-256 of the body.
    pub digest: Digest,
    /// When its body had arrived.
    pub received_at: Timestamp,
    /// How many stacks it names.
    pub stacks: u32,
    /// Which chunk of how many, from 1; none for a whole upload.
    pub chunk: Option<(u32, u32)>,
    /// The client's `User-Agent`.
    pub client: Option<String>,
    /// The runs that it opened, oldest first.
    pub runs: Vec<RunId>,
    /// The stream that tells of it.
    pub stream: StreamId,
    /// Its record.
    pub record: Position,
}

/// How a dispatch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DispatchStatus {
    /// It was claimed, and no answer is known yet.
    Sending,
    /// The answer was lost; GitHub is searched before it is sent again.
    Unknown,
    /// GitHub did not take it yet; it is sent later.
    Delayed,
    /// GitHub refused it for good.
    Refused,
    /// Nothing tells which workflow run is its own; a person has to say.
    Undecidable,
    /// GitHub took it, and its workflow run has not concluded.
    Accepted,
    /// Its workflow run concluded.
    Concluded,
}

/// One start of one workflow for one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchRow {
    /// Its id.
    pub id: DispatchId,
    /// The run.
    pub run: RunId,
    /// Where.
    pub repository: RepositoryId,
    /// Which stack.
    pub key: StackKey,
    /// The dispatch attempt, from 1.
    pub attempt: u32,
    /// The claim's epoch, from 1.
    pub epoch: u32,
    /// The workflow's file name.
    pub workflow: WorkflowFile,
    /// How it stands.
    pub status: DispatchStatus,
    /// Why; none where the status says it all.
    pub reason: Option<String>,
    /// Its workflow run; none before one is known.
    pub workflow_run: Option<WorkflowRunRow>,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// The stream that tells of it.
    pub stream: StreamId,
    /// The claim's record.
    pub claim: Position,
}

/// A webhook's delivery that was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// GitHub's GUID of it.
    pub id: DeliveryId,
    /// GitHub's event, such as `workflow_run`.
    pub event: String,
    /// Its action, such as `completed`; none where the event has none, or the log does not tell it.
    pub action: Option<String>,
    /// Where; none for a delivery about an installation.
    pub repository: Option<RepositoryId>,
    /// When it was appended.
    pub received_at: Timestamp,
    /// The stream that tells of it.
    pub stream: StreamId,
    /// Its record.
    pub record: Position,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandStatus {
    /// It is being followed.
    Accepted,
    /// What it asked for was done.
    Done,
    /// It could not be followed when its turn came.
    Refused,
    /// It was taken up, and could not be carried out.
    Failed,
}

/// What a person asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// Its id.
    pub id: CommandId,
    /// `retry`, `cancel`, `resync` or `resolve`.
    pub kind: String,
    /// Where.
    pub repository: RepositoryId,
    /// The run that it is about; none when it is about a repository.
    pub run: Option<RunId>,
    /// The stack that it is about; none when it is about all of them.
    pub key: Option<StackKey>,
    /// The dispatch that it is about.
    pub dispatch: Option<DispatchId>,
    /// Who gave it.
    pub actor: String,
    /// Why, in that person's words.
    pub reason: Option<String>,
    /// When it was appended.
    pub at: Timestamp,
    /// The stream that tells of it.
    pub stream: StreamId,
    /// Its record.
    pub record: Position,
    /// What became of it.
    pub status: CommandStatus,
    /// In words; none where the status says it all.
    pub outcome: Option<String>,
}

/// How the read model does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelStatus {
    /// The version of its tables.
    pub version: u32,
    /// It is being built; lists are refused until it is there, unless an older one answers meanwhile.
    pub building: bool,
    /// How far that is, from 0 to 1.
    pub progress: f64,
    /// How many runs it holds.
    pub runs: u64,
    /// Its size on disk in bytes.
    pub bytes: u64,
}
