//! Looking things up, for tests and for the simulation itself.

use super::{
    Comment, CommentId, Delivery, Dispatch, Installation, MergeGroup, PullNumber, PullRequest, Repository,
    RepositoryId, Request, Run, RunId, State,
};
use crate::error::{Error, Result};

impl State {
    /// The repository of this id.
    #[must_use]
    pub fn repository(&self, id: RepositoryId) -> Option<&Repository> {
        self.repositories.get(&id)
    }

    /// The repository of this full name, in any case.
    #[must_use]
    pub fn repository_named(&self, full_name: &str) -> Option<&Repository> {
        self.names.get(&full_name.to_lowercase()).and_then(|id| self.repositories.get(id))
    }

    /// A pull request.
    #[must_use]
    pub fn pull(&self, id: RepositoryId, number: PullNumber) -> Option<&PullRequest> {
        self.repositories.get(&id)?.pulls.get(&number)
    }

    /// A workflow run.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)
    }

    /// All workflow runs, oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.values()
    }

    /// Comments of an issue or pull request, oldest first. Deleted ones are gone.
    pub fn comments(&self, id: RepositoryId, number: PullNumber) -> impl Iterator<Item = &Comment> {
        self.comments.values().filter(move |comment| comment.repository_id == id && comment.number == number)
    }

    /// A comment.
    #[must_use]
    pub fn comment(&self, id: CommentId) -> Option<&Comment> {
        self.comments.get(&id)
    }

    /// Every dispatch request, in order of arrival.
    #[must_use]
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// The dispatch requests that started a run, in order of arrival.
    pub fn accepted(&self) -> impl Iterator<Item = &Dispatch> {
        self.dispatches.iter().filter(|dispatch| dispatch.run_id().is_some())
    }

    /// Every webhook, in order of what happened.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// Every HTTP request, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Every installation token that was issued, for a look whether one leaked.
    pub fn issued_tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str)
    }

    /// An installation of the App.
    #[must_use]
    pub fn installation(&self, id: u64) -> Option<&Installation> {
        self.installations.get(&id)
    }

    /// Whether no webhook is under way: each was answered, has failed, was lost on purpose, or has nowhere to go.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.unsettled == 0
    }

    pub(crate) fn known_repository(&self, id: RepositoryId) -> Result<&Repository> {
        self.repositories.get(&id).ok_or_else(|| Error::unknown(format!("repository {id}")))
    }

    pub(crate) fn known_repository_mut(&mut self, id: RepositoryId) -> Result<&mut Repository> {
        self.repositories.get_mut(&id).ok_or_else(|| Error::unknown(format!("repository {id}")))
    }

    pub(crate) fn known_pull(&self, id: RepositoryId, number: PullNumber) -> Result<&PullRequest> {
        let repository = self.known_repository(id)?;
        let unknown = || Error::unknown(format!("pull request {number} of {}", repository.describe()));
        repository.pulls.get(&number).ok_or_else(unknown)
    }

    pub(crate) fn pull_mut(&mut self, id: RepositoryId, number: PullNumber) -> Result<&mut PullRequest> {
        self.known_repository_mut(id)?
            .pulls
            .get_mut(&number)
            .ok_or_else(|| Error::unknown(format!("pull request {number}")))
    }

    pub(crate) fn known_group(&self, id: RepositoryId, head_sha: &str) -> Result<&MergeGroup> {
        let unknown = || Error::unknown(format!("merge group {head_sha}"));
        self.known_repository(id)?.merge_groups.get(head_sha).ok_or_else(unknown)
    }

    pub(crate) fn run_mut(&mut self, id: RunId) -> Result<&mut Run> {
        self.runs.get_mut(&id).ok_or_else(|| Error::unknown(format!("workflow run {id}")))
    }
}
