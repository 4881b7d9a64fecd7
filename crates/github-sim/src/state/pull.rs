//! Pull requests.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::{Draft, PullNumber, RepositoryId, Sha, State, User};
use crate::{
    error::{Error, Result},
    json::Json,
    shapes,
};

/// How a new pull request looks.
#[derive(Clone, Debug, Default)]
pub struct NewPullRequest {
    /// Title; by default `Change <number>`.
    pub title: Option<String>,
    /// Head branch; by default `change-<number>`. It is made from the base if it does not exist.
    pub head: Option<String>,
    /// Base branch; by default the repository's default branch.
    pub base: Option<String>,
    /// Login of the author; by default `octocat`.
    pub author: Option<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Files that the first commit of the head changes, (path, text).
    pub files: Vec<(String, String)>,
}

/// Whether a pull request is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    /// Open.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged: GitHub calls it closed too, with `merged: true`.
    Merged,
}

/// A pull request.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// Its number.
    pub number: PullNumber,
    /// Its id.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// Who opened it.
    pub author: User,
    /// Open, closed or merged.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// Branch that it wants to merge.
    pub head_branch: String,
    /// Tip of that branch.
    pub head_sha: Sha,
    /// Branch that it wants to merge into.
    pub base_branch: String,
    /// Tip of the base when the pull request was last updated.
    pub base_sha: Sha,
    /// While open the test merge, then the commit on the base branch.
    pub merge_commit_sha: Option<Sha>,
    /// Its commits, oldest first.
    pub commits: Vec<Sha>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was closed or merged.
    pub closed_at: Option<Timestamp>,
    /// Who merged it.
    pub merged_by: Option<User>,
}

impl PullRequest {
    /// Whether it was merged.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.state == PullState::Merged
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == PullState::Open
    }
}

impl State {
    pub(crate) fn open_pull_request(&mut self, id: RepositoryId, new: NewPullRequest) -> Result<PullNumber> {
        let number = self.take_number(id)?;
        let author = User::person(new.author.as_deref().unwrap_or("octocat"));
        let repository = self.known_repository(id)?;
        let base_branch = new.base.unwrap_or_else(|| repository.default_branch.clone());
        let base = repository
            .resolve(&base_branch)
            .ok_or_else(|| Error::unknown(format!("branch `{base_branch}`")))?
            .clone();
        let head_branch = new.head.unwrap_or_else(|| format!("change-{number}"));
        let title = new.title.unwrap_or_else(|| format!("Change {number}"));
        let existing = repository.branches.get(&head_branch).cloned();
        let head_sha = match existing {
            Some(sha) if new.files.is_empty() => sha,
            Some(_) | None => {
                let mut files = (*base.files).clone();
                files.extend(new.files.into_iter().map(|(path, text)| (path, Arc::from(text))));
                self.commit(id, &head_branch, &title, &author, Arc::new(files), vec![base.sha.clone()])
            }
        };
        let test_merge = self.next_sha();
        let now = self.now();
        let pull = PullRequest {
            number,
            id: 2_000_000_000 + self.next(),
            title,
            author: author.clone(),
            state: PullState::Open,
            draft: new.draft,
            head_branch,
            base_branch,
            base_sha: base.sha,
            merge_commit_sha: Some(test_merge),
            commits: vec![head_sha.clone()],
            head_sha,
            created_at: now,
            updated_at: now,
            closed_at: None,
            merged_by: None,
        };
        self.known_repository_mut(id)?.pulls.insert(number, pull);
        self.send_pull(id, number, "opened", &author, Vec::new());
        Ok(number)
    }

    /// A push to the head of an open pull request.
    pub(crate) fn push_to_pull(
        &mut self,
        id: RepositoryId,
        number: PullNumber,
        files: Vec<(String, String)>,
    ) -> Result<Sha> {
        let pull = self.open_pull(id, number, "pushed to")?.clone();
        let sha = self.push_commit(id, &pull.head_branch, files, &pull.author.login)?;
        Ok(sha)
    }

    /// Lets open pull requests of this branch follow its new tip.
    pub(crate) fn synchronize(
        &mut self,
        id: RepositoryId,
        branch: &str,
        before: &str,
        after: &str,
        sender: &User,
    ) {
        let Some(repository) = self.repositories.get(&id) else { return };
        let numbers: Vec<_> = repository
            .pulls
            .values()
            .filter(|pull| pull.is_open() && pull.head_branch == branch)
            .map(|pull| pull.number)
            .collect();
        for number in numbers {
            let (test_merge, now) = (self.next_sha(), self.now());
            let Ok(pull) = self.pull_mut(id, number) else { continue };
            after.clone_into(&mut pull.head_sha);
            pull.commits.push(after.to_owned());
            pull.merge_commit_sha = Some(test_merge);
            pull.updated_at = now;
            let extra = vec![("before", json!(before).into()), ("after", json!(after).into())];
            self.send_pull(id, number, "synchronize", sender, extra);
        }
    }

    pub(crate) fn merge_pull_request(&mut self, id: RepositoryId, number: PullNumber) -> Result<Sha> {
        let pull = self.open_pull(id, number, "merged")?.clone();
        let merger = User::person("hubot");
        let repository = self.known_repository(id)?;
        let tip = repository
            .resolve(&pull.base_branch)
            .ok_or_else(|| Error::unknown(format!("branch `{}`", pull.base_branch)))?;
        let (before, mut files) = (tip.sha.clone(), (*tip.files).clone());
        if let Some(head) = repository.commits.get(&pull.head_sha) {
            files.extend(head.files.iter().map(|(path, text)| (path.clone(), text.clone())));
        }
        let message = format!("Merge pull request #{number} from {}\n\n{}", pull.head_branch, pull.title);
        let parents = vec![before.clone(), pull.head_sha.clone()];
        let sha = self.commit(id, &pull.base_branch, &message, &merger, Arc::new(files), parents);
        self.finish_pull(id, number, PullState::Merged, Some((&sha, &merger)))?;
        self.send_pull(id, number, "closed", &merger, Vec::new());
        self.send_push(id, &format!("refs/heads/{}", pull.base_branch), Some(&before), Some(&sha), &merger);
        Ok(sha)
    }

    pub(crate) fn close_pull_request(&mut self, id: RepositoryId, number: PullNumber) -> Result<()> {
        let author = self.open_pull(id, number, "closed")?.author.clone();
        self.finish_pull(id, number, PullState::Closed, None)?;
        self.send_pull(id, number, "closed", &author, Vec::new());
        Ok(())
    }

    pub(crate) fn reopen_pull_request(&mut self, id: RepositoryId, number: PullNumber) -> Result<()> {
        let (test_merge, now) = (self.next_sha(), self.now());
        let pull = self.pull_mut(id, number)?;
        if pull.state != PullState::Closed {
            return Err(impossible(number, "reopened", pull.state));
        }
        pull.state = PullState::Open;
        pull.closed_at = None;
        pull.updated_at = now;
        pull.merge_commit_sha = Some(test_merge);
        let author = pull.author.clone();
        self.send_pull(id, number, "reopened", &author, Vec::new());
        Ok(())
    }

    /// Any change of a pull request that has an action of its own, for instance `ready_for_review`.
    pub(crate) fn edit_pull_request(
        &mut self,
        id: RepositoryId,
        number: PullNumber,
        action: &'static str,
        extra: Vec<(&'static str, Json)>,
        edit: impl FnOnce(&mut PullRequest),
    ) -> Result<()> {
        let now = self.now();
        let pull = self.pull_mut(id, number)?;
        edit(pull);
        pull.updated_at = now;
        let author = pull.author.clone();
        self.send_pull(id, number, action, &author, extra);
        Ok(())
    }

    pub(crate) fn finish_pull(
        &mut self,
        id: RepositoryId,
        number: PullNumber,
        state: PullState,
        merge: Option<(&str, &User)>,
    ) -> Result<()> {
        let now = self.now();
        let pull = self.pull_mut(id, number)?;
        pull.state = state;
        pull.closed_at = Some(now);
        pull.updated_at = now;
        if let Some((sha, by)) = merge {
            pull.merge_commit_sha = Some(sha.to_owned());
            pull.merged_by = Some(by.clone());
        }
        Ok(())
    }

    pub(crate) fn send_pull(
        &mut self,
        id: RepositoryId,
        number: PullNumber,
        action: &'static str,
        sender: &User,
        extra: Vec<(&'static str, Json)>,
    ) {
        let Some(repository) = self.repositories.get(&id) else { return };
        let Some(pull) = repository.pulls.get(&number) else { return };
        let rendered = shapes::pull::full(&self.urls, repository, pull);
        let mut body = Json::from(json!({ "number": number })).with("pull_request", &rendered);
        for (name, part) in &extra {
            body = body.with(name, part);
        }
        self.emit(Draft {
            event: "pull_request",
            action: Some(action),
            repository: Some(id),
            subject: format!("pull/{number}"),
            sender: sender.clone(),
            body,
        });
    }

    fn take_number(&mut self, id: RepositoryId) -> Result<u64> {
        let repository = self.known_repository_mut(id)?;
        let number = repository.next_number;
        repository.next_number += 1;
        Ok(number)
    }

    fn open_pull(&self, id: RepositoryId, number: PullNumber, wish: &'static str) -> Result<&PullRequest> {
        let pull = self.known_pull(id, number)?;
        if pull.is_open() { Ok(pull) } else { Err(impossible(number, wish, pull.state)) }
    }
}

fn impossible(number: PullNumber, wish: &'static str, state: PullState) -> Error {
    Error::Impossible {
        what: format!("pull request {number}"),
        wish,
        state: format!("{state:?}").to_lowercase(),
    }
}
