//! A `pull_request` object.

use super::{MissingField, Object};
use crate::name;
use serde_json::Value;
use stackwave_domain::{
    CommitSha, PrNumber,
    event::{PullRequestObserved, Source},
};

/// Reads a pull request as it stands. The caller adds what only a webhook knows (`action`, `before`).
///
/// # Errors
/// Without number, head or base.
pub fn pull_request(value: &Value, source: Source) -> Result<PullRequestObserved, MissingField> {
    let pull = Object::new("pull_request", value);
    let merged_at = pull.moment("merged_at");
    let merged = pull.flag("merged").unwrap_or_else(|| merged_at.is_some());
    Ok(PullRequestObserved {
        source,
        action: None,
        number: PrNumber(pull.need_number("number")?),
        open: pull.text("state").map_or(!merged, |state| state == "open"),
        merged,
        merged_at,
        merge_commit_sha: pull.text("merge_commit_sha").map(CommitSha::new),
        head_sha: CommitSha::new(pull.need_text("head.sha")?),
        head_ref: name::git_ref(pull.need_text("head.ref")?),
        base_ref: name::git_ref(pull.need_text("base.ref")?),
        before: None,
        title: pull.text("title").map(str::to_owned),
        updated_at: pull.first_moment(&["updated_at", "closed_at", "merged_at", "created_at"]),
    })
}
