//! What is asked of the read model. Filters that are set have to hold together; an empty query is everything.

use crate::rows::DispatchStatus;
use stackwave_domain::{
    ComponentName, DeliveryId, PrNumber, RepositoryId, RunId, StackName, Timestamp, WorkflowRunId,
    WorkspaceId,
};
use stackwave_engine::view::{RunPhase, Status};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many rows; at least 1.
    pub size: usize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// Some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// Gives the next page; none when this is the last.
    pub next: Option<String>,
}

/// Runs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunsQuery {
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// Of this pull request.
    pub pull_request: Option<PrNumber>,
    /// That stand like this.
    pub status: Option<RunPhase>,
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Whose id, repository's name, branch or commit contains this, without regard to case; empty means any.
    pub text: String,
    /// Opened at or after this moment.
    pub opened_after: Option<Timestamp>,
    /// Opened before this moment.
    pub opened_before: Option<Timestamp>,
}

/// Stacks of runs: the newest run first, then by stack and component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StacksQuery {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// Of this component.
    pub component: Option<ComponentName>,
    /// Of this Atmos stack.
    pub stack: Option<StackName>,
    /// That stand like this.
    pub status: Option<Status>,
    /// Whose component or stack contains this, without regard to case; empty means any.
    pub text: String,
    /// Only each stack's newest run.
    pub latest_only: bool,
}

/// Pull requests, the last changed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullsQuery {
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// Only open ones.
    pub open_only: bool,
    /// Whose title or branch contains this, without regard to case, or whose number it is; empty means any.
    pub text: String,
}

/// Uploads, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadsQuery {
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// Of commits that begin with this, without regard to case; empty means any.
    pub head_sha: String,
}

/// Dispatches, the last claimed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchesQuery {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// That stand like this.
    pub status: Option<DispatchStatus>,
    /// Of this workflow run at GitHub.
    pub workflow_run: Option<WorkflowRunId>,
}

/// Deliveries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveriesQuery {
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// Of this event, such as `workflow_run`.
    pub event: Option<String>,
    /// With this GUID.
    pub delivery: Option<DeliveryId>,
}

/// Commands, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandsQuery {
    /// Of this repository.
    pub repository: Option<RepositoryId>,
    /// About this run.
    pub run: Option<RunId>,
}
