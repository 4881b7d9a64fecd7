//! Check runs, as far as webhooks speak of them.

use jiff::Timestamp;
use serde_json::json;

use super::{Conclusion, Draft, RepositoryId, RunStatus, Sha, State, User};
use crate::{
    error::{Error, Result},
    json::Json,
    shapes,
};

/// A check run on a commit.
#[derive(Clone, Debug)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// Repository of the commit.
    pub repository_id: RepositoryId,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: Sha,
    /// Label that its creator gave it.
    pub external_id: String,
    /// Whether the App under test made it; else GitHub Actions did.
    pub by_our_app: bool,
    /// Its status.
    pub status: RunStatus,
    /// Its conclusion, once completed.
    pub conclusion: Option<Conclusion>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
}

impl State {
    pub(crate) fn create_check_run(
        &mut self,
        repository_id: RepositoryId,
        name: &str,
        head_sha: &str,
        by_our_app: bool,
    ) -> Result<u64> {
        let repository = self.known_repository(repository_id)?;
        if !repository.commits.contains_key(head_sha) {
            return Err(Error::unknown(format!("commit {head_sha}")));
        }
        let check = CheckRun {
            id: 40_000_000_000 + self.next(),
            repository_id,
            name: name.to_owned(),
            head_sha: head_sha.to_owned(),
            external_id: String::new(),
            by_our_app,
            status: RunStatus::InProgress,
            conclusion: None,
            started_at: self.now(),
            completed_at: None,
        };
        let id = check.id;
        self.check_runs.insert(id, check);
        self.send_check(id, "created", "octocat");
        Ok(id)
    }

    pub(crate) fn complete_check_run(&mut self, id: u64, conclusion: Conclusion) -> Result<()> {
        let now = self.now();
        let check = self.check_runs.get_mut(&id).ok_or_else(|| Error::unknown(format!("check run {id}")))?;
        check.status = RunStatus::Completed;
        check.conclusion = Some(conclusion);
        check.completed_at = Some(now);
        self.send_check(id, "completed", "octocat");
        Ok(())
    }

    /// A person presses "Re-run" on a check.
    pub(crate) fn rerequest_check_run(&mut self, id: u64, login: &str) -> Result<()> {
        if !self.check_runs.contains_key(&id) {
            return Err(Error::unknown(format!("check run {id}")));
        }
        self.send_check(id, "rerequested", login);
        Ok(())
    }

    fn send_check(&mut self, id: u64, action: &'static str, login: &str) {
        let Some(check) = self.check_runs.get(&id) else { return };
        let Some(repository) = self.repositories.get(&check.repository_id) else { return };
        let rendered = shapes::check::check_run(&self.urls, &self.config.app, repository, check);
        self.emit(Draft {
            event: "check_run",
            action: Some(action),
            repository: Some(check.repository_id),
            subject: format!("check/{id}"),
            sender: User::person(login),
            body: Json::from(json!({})).with("check_run", &rendered),
        });
    }
}
