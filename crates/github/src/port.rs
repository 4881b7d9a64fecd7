//! What the services ask of GitHub, one small trait a use.

use async_trait::async_trait;
use stackwave_domain::{
    CommentId, CommitSha, DispatchClaim, GitRef, InstallationId, PrNumber, RepositoryId, RepositoryName,
    Timestamp, WorkflowFile, WorkflowRunId,
    event::{PullRequestObserved, RefusalReason, WorkflowRunObserved},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where a call goes: the repository, as the configuration stream knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// GitHub's id.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// The installation whose token is used.
    pub installation: InstallationId,
}

/// A call did not bring what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// GitHub limits us; nothing happened.
    #[error("GitHub limits our calls for {} s", .wait.as_secs())]
    RateLimited {
        /// How long not to call.
        wait: Duration,
    },
    /// 404 or 410: there is no such thing, or we may not see it.
    #[error("GitHub does not know it: {0}")]
    NotFound(String),
    /// Any other definite no.
    #[error("GitHub answered {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
    /// GitHub is out of reach or broken (5xx, time-out, reset). A write may have happened.
    #[error("GitHub is out of reach: {0}")]
    Unavailable(String),
    /// The App cannot sign in: no key, wrong key, suspended installation.
    #[error("the GitHub App cannot sign in: {0}")]
    Unauthorized(String),
}

/// GitHub took a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchAnswer {
    /// The run, where the host tells it.
    pub workflow_run: Option<WorkflowRunId>,
    /// Its page.
    pub html_url: Option<String>,
}

/// GitHub did not take a dispatch, or nobody knows: three next steps, so three variants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// A definite no that will not change by asking again.
    #[error("GitHub refused the dispatch with {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it means.
        reason: RefusalReason,
        /// GitHub's words.
        message: String,
    },
    /// It certainly did not happen (limit, connection refused, no token); send again after the wait.
    #[error("GitHub did not take the dispatch: {reason}")]
    NotSent {
        /// Why.
        reason: String,
        /// How long to wait.
        wait: Duration,
    },
    /// It may have happened (time-out, reset, 5xx): look before sending again.
    #[error("the outcome of the dispatch is unknown: {0}")]
    OutcomeUnknown(String),
}

/// Starting workflows.
#[async_trait]
pub trait Dispatches: Send + Sync {
    /// Waits until the budget allows up to `wanted` dispatches and returns how many may be sent now (at least 1).
    /// Older and applying runs are the caller's to put first.
    async fn budget(&self, installation: InstallationId, wanted: usize) -> usize;

    /// Sends one `workflow_dispatch`, with `return_run_details` where the host knows it, within 10 s in all. When the
    /// host answers 422 for undeclared inputs, `atmos_pro_run_id` and `sha` are dropped and it is sent once more (the
    /// first was certainly not taken).
    ///
    /// Source: GitHub REST "Create a workflow dispatch event".
    ///
    /// # Errors
    /// See [`DispatchError`].
    async fn dispatch(&self, target: &Target, claim: &DispatchClaim)
    -> Result<DispatchAnswer, DispatchError>;
}

/// What a workflow file says about being dispatched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowDefinition {
    /// The inputs that it declares; none when the file could not be read as YAML or has no `workflow_dispatch`.
    pub declared: Option<BTreeSet<String>>,
    /// Its `run-name`.
    pub run_name: Option<String>,
    /// The declared inputs that are required and have no default.
    pub required: BTreeSet<String>,
}

/// Reading workflow files.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// The workflow at a ref, cached by what GitHub says of its freshness.
    ///
    /// # Errors
    /// `NotFound` when the file is not there, or the host does not offer file contents to us.
    async fn definition(
        &self,
        target: &Target,
        workflow: &WorkflowFile,
        git_ref: &GitRef,
    ) -> Result<WorkflowDefinition, CallError>;
}

/// Looking at workflow runs. Observations carry `source: poll` with position 0; the caller puts its own in.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Runs of one workflow that were started by `workflow_dispatch` since a moment, newest first, all pages.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn of_workflow(
        &self,
        target: &Target,
        workflow: &WorkflowFile,
        since: Timestamp,
    ) -> Result<Vec<WorkflowRunObserved>, CallError>;

    /// Runs of the repository that were started by `workflow_dispatch` since a moment, newest first, at most
    /// `pages` pages of 100.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn of_repository(
        &self,
        target: &Target,
        since: Timestamp,
        pages: u32,
    ) -> Result<Vec<WorkflowRunObserved>, CallError>;

    /// One run.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn run(&self, target: &Target, run: WorkflowRunId) -> Result<WorkflowRunObserved, CallError>;
}

/// GitHub was asked to cancel a workflow run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It will, or tries to: the run's conclusion tells.
    Accepted,
    /// 409: the run has ended.
    TooLate,
}

/// Stopping workflow runs.
#[async_trait]
pub trait Cancels: Send + Sync {
    /// Waits until the budget allows one cancellation, after every dispatch that waits, and pays for it.
    async fn pay_cancel(&self, installation: InstallationId);

    /// Asks GitHub to cancel a workflow run, once it is paid for. Asking twice does no harm.
    ///
    /// Source: GitHub REST "Cancel a workflow run".
    ///
    /// # Errors
    /// See [`CallError`]; `Refused` and `NotFound` will not change by asking again.
    async fn cancel(&self, target: &Target, run: WorkflowRunId) -> Result<CancelOutcome, CallError>;
}

/// Looking at pull requests and tags.
#[async_trait]
pub trait Pulls: Send + Sync {
    /// One pull request.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn pull_request(&self, target: &Target, number: PrNumber)
    -> Result<PullRequestObserved, CallError>;

    /// The pull requests that hold a commit (open ones with that head, and the merged one that brought it). Each is
    /// read whole, since the list leaves out `merged`.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn of_commit(
        &self,
        target: &Target,
        sha: &CommitSha,
    ) -> Result<Vec<PullRequestObserved>, CallError>;

    /// The commit that a branch or tag names.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn commit_of_ref(&self, target: &Target, git_ref: &GitRef) -> Result<CommitSha, CallError>;
}

/// A repository as GitHub describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFound {
    /// GitHub's id.
    pub id: RepositoryId,
    /// Its name now.
    pub name: RepositoryName,
    /// Its default branch.
    pub default_branch: GitRef,
    /// The App's installation in it.
    pub installation: InstallationId,
}

/// Finding repositories.
#[async_trait]
pub trait Repositories: Send + Sync {
    /// The repository of that name, through the App's installation in it.
    ///
    /// # Errors
    /// `NotFound` when there is none, or the App is not installed in it.
    async fn by_name(&self, name: &RepositoryName) -> Result<RepositoryFound, CallError>;

    /// Every repository of every installation of the App.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn all(&self) -> Result<Vec<RepositoryFound>, CallError>;
}

/// A comment that is ours by author and marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnComment {
    /// GitHub's id.
    pub id: CommentId,
    /// What it says.
    pub body: String,
}

/// Comments on pull requests. Each write is paid for first, with [`Comments::pay`]: at most 60 a minute and 400 an
/// hour on github.com, so that paying can take long. Writing then waits for nothing but GitHub.
#[async_trait]
pub trait Comments: Send + Sync {
    /// Waits until the budget allows one write of a comment, and pays for it. What is not used is lost to the budget.
    ///
    /// # Errors
    /// `RateLimited` at once while a limit of GitHub holds: what is to be said may change until it ends.
    async fn pay(&self, installation: InstallationId) -> Result<(), CallError>;

    /// The oldest comment that our App wrote and whose first line is `marker`.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn find(
        &self,
        target: &Target,
        number: PrNumber,
        marker: &str,
    ) -> Result<Option<OwnComment>, CallError>;

    /// Creates a comment that was paid for.
    ///
    /// # Errors
    /// See [`CallError`]; after `Unavailable` look with [`Comments::find`] before creating again.
    async fn create(&self, target: &Target, number: PrNumber, body: &str) -> Result<CommentId, CallError>;

    /// Replaces what a comment says, paid for.
    ///
    /// # Errors
    /// `NotFound` when somebody deleted it.
    async fn update(&self, target: &Target, comment: CommentId, body: &str) -> Result<(), CallError>;
}

/// The App as GitHub has it registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppFacts {
    /// Its number.
    pub id: u64,
    /// Its name in URLs; it acts as `<slug>[bot]`.
    pub slug: String,
    /// What it asks of every installation: permission → `read` or `write`.
    pub permissions: BTreeMap<String, String>,
    /// The events that it has subscribed to.
    pub events: BTreeSet<String>,
    /// GitHub's clock when it answered; none when the answer did not tell.
    pub at: Option<Timestamp>,
}

/// The App in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationFacts {
    /// GitHub's id.
    pub id: InstallationId,
    /// The account's login.
    pub account: String,
    /// What its owner has granted: permission → `read` or `write`.
    pub permissions: BTreeMap<String, String>,
    /// The events that its owner has accepted.
    pub events: BTreeSet<String>,
    /// Its owner has suspended it.
    pub suspended: bool,
}

/// Where the App's webhooks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookFacts {
    /// The address; none when the App has no webhook.
    pub url: Option<String>,
    /// `json` or `form`.
    pub content_type: String,
    /// GitHub does not check the certificate of the address.
    pub insecure_ssl: bool,
}

/// One attempt to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFacts {
    /// The event's GUID; the same for every attempt.
    pub guid: String,
    /// The event.
    pub event: String,
    /// Its action.
    pub action: Option<String>,
    /// When.
    pub delivered_at: Timestamp,
    /// `OK`, or what went wrong.
    pub status: String,
    /// HTTP status; 0 when there was none.
    pub status_code: u16,
}

/// Looking at the App itself, its installations and its webhook.
#[async_trait]
pub trait Apps: Send + Sync {
    /// The App that the key belongs to.
    ///
    /// Source: GitHub REST "Get the authenticated app".
    ///
    /// # Errors
    /// See [`CallError`].
    async fn app(&self) -> Result<AppFacts, CallError>;

    /// Where it is installed.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn installations(&self) -> Result<Vec<InstallationFacts>, CallError>;

    /// Where its webhooks go.
    ///
    /// Source: GitHub REST "Get a webhook configuration for an app".
    ///
    /// # Errors
    /// See [`CallError`].
    async fn webhook(&self) -> Result<WebhookFacts, CallError>;

    /// Attempts to deliver webhooks, newest first, at most `pages` pages of 100. GitHub keeps them for 3 days, an
    /// Enterprise Server for 7.
    ///
    /// Source: GitHub REST "List deliveries for an app webhook".
    ///
    /// # Errors
    /// See [`CallError`].
    async fn deliveries(&self, pages: u32) -> Result<Vec<DeliveryFacts>, CallError>;

    /// Whether GitHub would start this workflow: its state, such as `active` or `disabled_manually`.
    ///
    /// Source: GitHub REST "Get a workflow".
    ///
    /// # Errors
    /// `NotFound` when there is no such file on the default branch.
    async fn workflow_state(&self, target: &Target, workflow: &WorkflowFile) -> Result<String, CallError>;
}
