//! The merge queue.

use std::sync::Arc;

use serde_json::json;

use super::{Draft, PullNumber, PullState, RepositoryId, Sha, State, User};
use crate::{
    error::{Error, Result},
    json::Json,
    shapes,
};

/// A group of the merge queue, holding one pull request.
#[derive(Clone, Debug)]
pub struct MergeGroup {
    /// The pull request in it.
    pub number: PullNumber,
    /// The commit that checks run on.
    pub head_sha: Sha,
    /// `refs/heads/gh-readonly-queue/<base>/pr-<n>-<sha>`.
    pub head_ref: String,
    /// The commit it stands on.
    pub base_sha: Sha,
    /// Full ref of the base branch.
    pub base_ref: String,
}

/// Why a merge group ends; GitHub's `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeGroupEnd {
    /// Its commit is on the base branch, and its pull request is merged.
    Merged,
    /// Another group before it failed.
    Invalidated,
    /// It was taken out of the queue.
    Dequeued,
}

impl MergeGroupEnd {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Invalidated => "invalidated",
            Self::Dequeued => "dequeued",
        }
    }
}

impl State {
    pub(crate) fn create_merge_group(&mut self, id: RepositoryId, number: PullNumber) -> Result<MergeGroup> {
        let queue = queue_bot();
        let pull = self.known_pull(id, number)?.clone();
        let repository = self.known_repository(id)?;
        let base = repository
            .resolve(&pull.base_branch)
            .ok_or_else(|| Error::unknown(format!("branch `{}`", pull.base_branch)))?
            .clone();
        let mut files = (*base.files).clone();
        if let Some(head) = repository.commits.get(&pull.head_sha) {
            files.extend(head.files.iter().map(|(path, text)| (path.clone(), text.clone())));
        }
        let branch = format!("gh-readonly-queue/{}/pr-{number}-{}", pull.base_branch, base.sha);
        let message = format!("Merge pull request #{number} from {}", pull.head_branch);
        let parents = vec![base.sha.clone(), pull.head_sha.clone()];
        let head_sha = self.commit(id, &branch, &message, &queue, Arc::new(files), parents);
        let group = MergeGroup {
            number,
            head_sha: head_sha.clone(),
            head_ref: format!("refs/heads/{branch}"),
            base_sha: base.sha,
            base_ref: format!("refs/heads/{}", pull.base_branch),
        };
        self.known_repository_mut(id)?.merge_groups.insert(head_sha.clone(), group.clone());
        self.send_push(id, &group.head_ref, None, Some(&head_sha), &queue);
        self.send_group(id, &group, "checks_requested", None);
        Ok(group)
    }

    pub(crate) fn destroy_merge_group(
        &mut self,
        id: RepositoryId,
        head_sha: &str,
        end: MergeGroupEnd,
    ) -> Result<()> {
        let group = self.known_group(id, head_sha)?.clone();
        let branch = group.head_ref.trim_start_matches("refs/heads/").to_owned();
        if end == MergeGroupEnd::Merged {
            let base = group.base_ref.trim_start_matches("refs/heads/").to_owned();
            self.point(id, &base, head_sha);
            self.send_push(id, &group.base_ref, Some(&group.base_sha), Some(head_sha), &queue_bot());
        }
        self.send_group(id, &group, "destroyed", Some(end));
        if end == MergeGroupEnd::Merged {
            self.finish_pull(id, group.number, PullState::Merged, Some((head_sha, &queue_bot())))?;
            self.send_pull(id, group.number, "closed", &queue_bot(), Vec::new());
        }
        let repository = self.known_repository_mut(id)?;
        repository.merge_groups.remove(head_sha);
        repository.branches.remove(&branch);
        self.send_push(id, &group.head_ref, Some(head_sha), None, &queue_bot());
        Ok(())
    }

    fn send_group(
        &mut self,
        id: RepositoryId,
        group: &MergeGroup,
        action: &'static str,
        end: Option<MergeGroupEnd>,
    ) {
        let Some(repository) = self.repositories.get(&id) else { return };
        let rendered = shapes::merge_group::merge_group(repository, group);
        let reason = end.map_or_else(|| json!({}), |end| json!({ "reason": end.as_str() }));
        self.emit(Draft {
            event: "merge_group",
            action: Some(action),
            repository: Some(id),
            subject: format!("merge-group/{}", group.head_sha),
            sender: queue_bot(),
            body: Json::from(reason).with("merge_group", &rendered),
        });
    }
}

fn queue_bot() -> User {
    User::new("github-merge-queue[bot]", super::UserKind::Bot)
}
