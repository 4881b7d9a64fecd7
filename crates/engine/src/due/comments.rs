//! Which pull requests have a comment to say something in.

use crate::state::RepositoryState;
use stackwave_domain::{PrNumber, WorkspaceId};

/// Whose comment a pull request has: there is something to tell once there is a run.
#[must_use]
pub fn has_comment(state: &RepositoryState, number: PrNumber) -> Option<WorkspaceId> {
    state.runs.values().rev().find(|run| run.pull_request == Some(number)).map(|run| run.workspace.clone())
}

/// The pull requests whose comment may differ from what it should say, since something about them changed after
/// `since`.
#[must_use]
pub fn due_comments(
    state: &RepositoryState,
    since: stackwave_domain::Position,
) -> Vec<(WorkspaceId, PrNumber)> {
    let mut due: Vec<_> = state
        .pulls_changed_since(since)
        .filter_map(|number| Some((has_comment(state, number)?, number)))
        .collect();
    due.sort();
    due.dedup();
    due
}
