//! Pull requests.

use crate::{changes::At, rows::PullRow};
use stackwave_domain::{Position, RepositoryId};
use stackwave_engine::state::Pull;

pub(super) fn change(repository: RepositoryId, pull: &Pull, at: Position) -> At<PullRow> {
    At { at, row: row(repository, pull) }
}

/// A pull request, but for its runs, which the tables count.
#[must_use]
pub fn row(repository: RepositoryId, pull: &Pull) -> PullRow {
    PullRow {
        repository,
        number: pull.number,
        title: pull.title.clone(),
        open: pull.open,
        merged: pull.merged.is_some(),
        head_sha: pull.head_sha.clone(),
        head_ref: pull.head_ref.clone(),
        base_ref: pull.base_ref.clone(),
        updated_at: pull.updated_at,
        latest_run: None,
        run_count: 0,
    }
}
