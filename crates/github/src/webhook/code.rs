//! Events of branches, pull requests, the merge queue and releases.

use super::{Delivery, Outcome, Read};
use crate::{
    name,
    object::{self, Object},
};
use serde_json::Value;
use stackwave_domain::{
    CommitSha, GitRef,
    event::{MergeGroupObserved, PushObserved, ReleaseObserved},
};

impl Delivery<'_> {
    pub(super) fn pull_request(&self) -> Read {
        let mut value = self.payload.part("pull_request");
        if let Some(fields) = value.as_object_mut() {
            fields.entry("number").or_insert_with(|| self.payload.part("number"));
        }
        let mut observed = object::pull_request(&value, self.source())?;
        observed.action = self.action();
        observed.before = self.text("before").map(CommitSha::new);
        Ok(Outcome::Repository(observed.into()))
    }

    pub(super) fn push(&self) -> Read {
        let full = self.need_text("ref")?;
        let git_ref = name::git_ref(&full);
        if !full.starts_with("refs/heads/") || name::is_merge_queue_branch(&git_ref) {
            return Ok(Outcome::Drop("a push to a tag or to a branch of the merge queue"));
        }
        let default_branch = self.repository.and_then(|repository| repository.default_branch.as_ref());
        if default_branch != Some(&git_ref) {
            return Ok(Outcome::Drop("a push to another branch than the default one"));
        }
        if self.payload.part("deleted") == Value::Bool(true) {
            return Ok(Outcome::Drop("the deletion of a branch"));
        }
        let observed = PushObserved {
            source: self.source(),
            git_ref,
            before: CommitSha::new(self.text("before").unwrap_or_default()),
            after: CommitSha::new(self.need_text("after")?),
        };
        Ok(Outcome::Repository(observed.into()))
    }

    pub(super) fn merge_group(&self) -> Read {
        let value = self.payload.part("merge_group");
        let group = Object::new("merge_group", &value);
        let head_ref = name::git_ref(group.need_text("head_ref")?);
        let observed = MergeGroupObserved {
            source: self.source(),
            action: self.need_action()?,
            reason: self.text("reason"),
            head_sha: CommitSha::new(group.need_text("head_sha")?),
            base_ref: name::git_ref(group.need_text("base_ref")?),
            pull_request: name::merge_group_pull_request(&head_ref),
            head_ref,
        };
        Ok(Outcome::Repository(observed.into()))
    }

    pub(super) fn release(&self) -> Read {
        let value = self.payload.part("release");
        let release = Object::new("release", &value);
        let observed = ReleaseObserved {
            source: self.source(),
            action: self.action(),
            release: release.need_number("id")?,
            tag: GitRef::new(release.need_text("tag_name")?),
            // `target_commitish` is a branch, or the commit a *new* tag would get: the tag has to be looked up.
            commit: None,
            published_at: release.moment("published_at"),
        };
        Ok(Outcome::Repository(observed.into()))
    }
}
