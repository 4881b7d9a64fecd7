//! Merge groups.

use serde_json::{Value, json};

use super::commit;
use crate::{
    json::Json,
    state::{MergeGroup, Repository},
};

/// A group of the merge queue.
pub(crate) fn merge_group(repository: &Repository, group: &MergeGroup) -> Json {
    json!({
        "head_sha": group.head_sha,
        "head_ref": group.head_ref,
        "base_sha": group.base_sha,
        "base_ref": group.base_ref,
        "head_commit": repository.commits.get(&group.head_sha).map_or(Value::Null, commit::simple),
    })
    .into()
}
