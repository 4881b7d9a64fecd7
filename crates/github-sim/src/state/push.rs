//! Pushes to branches.

use std::sync::Arc;

use super::{Draft, RepositoryId, Sha, State, User};
use crate::{
    error::{Error, Result},
    shapes,
};

/// "No commit" in a push.
pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

impl State {
    /// A commit with these files on top of a branch, with its webhooks.
    pub(crate) fn push_commit(
        &mut self,
        id: RepositoryId,
        branch: &str,
        changed: Vec<(String, String)>,
        login: &str,
    ) -> Result<Sha> {
        let author = User::person(login);
        let repository = self.known_repository(id)?;
        let before = repository
            .branches
            .get(branch)
            .ok_or_else(|| Error::unknown(format!("branch `{branch}`")))?
            .clone();
        let mut files = (*repository.commits[&before].files).clone();
        files.extend(changed.into_iter().map(|(path, text)| (path, Arc::from(text))));
        let sha = self.commit(
            id,
            branch,
            &format!("change {branch}"),
            &author,
            Arc::new(files),
            vec![before.clone()],
        );
        self.send_push(id, &format!("refs/heads/{branch}"), Some(&before), Some(&sha), &author);
        self.synchronize(id, branch, &before, &sha, &author);
        Ok(sha)
    }

    pub(crate) fn create_branch(&mut self, id: RepositoryId, branch: &str, from: &str) -> Result<Sha> {
        let repository = self.known_repository(id)?;
        let sha =
            repository.resolve(from).ok_or_else(|| Error::unknown(format!("ref `{from}`")))?.sha.clone();
        self.point(id, branch, &sha);
        self.send_push(id, &format!("refs/heads/{branch}"), None, Some(&sha), &User::person("octocat"));
        Ok(sha)
    }

    pub(crate) fn delete_branch(&mut self, id: RepositoryId, branch: &str) -> Result<()> {
        let repository = self.known_repository_mut(id)?;
        let before =
            repository.branches.remove(branch).ok_or_else(|| Error::unknown(format!("branch `{branch}`")))?;
        self.send_push(id, &format!("refs/heads/{branch}"), Some(&before), None, &User::person("octocat"));
        Ok(())
    }

    /// The webhook of a push; `None` stands for a branch that was not there before, or is not there after.
    pub(crate) fn send_push(
        &mut self,
        id: RepositoryId,
        reference: &str,
        before: Option<&str>,
        after: Option<&str>,
        pusher: &User,
    ) {
        let Some(repository) = self.repositories.get(&id) else { return };
        let body = shapes::push::push(&self.urls, repository, reference, before, after, pusher);
        self.emit(Draft {
            event: "push",
            action: None,
            repository: Some(id),
            subject: reference.to_owned(),
            sender: pusher.clone(),
            body,
        });
    }
}
