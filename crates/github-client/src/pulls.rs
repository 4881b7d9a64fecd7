//! Looking at pull requests and refs.

use crate::{
    call::{Caller, not_json},
    client::GitHubClient,
    http::Ask,
    path,
    runs::LOOK,
};
use async_trait::async_trait;
use stackwave_domain::{CommitSha, GitRef, PrNumber, event::PullRequestObserved};
use stackwave_github::{
    object,
    port::{CallError, Pulls, Target},
};

/// A commit lies in a handful of pull requests; more pages than this are not read.
const COMMIT_PAGES: u32 = 3;

/// Answers with the commit id alone.
const SHA_ONLY: &str = "application/vnd.github.sha";

#[async_trait]
impl Pulls for GitHubClient {
    async fn pull_request(
        &self,
        target: &Target,
        number: PrNumber,
    ) -> Result<PullRequestObserved, CallError> {
        let ask = Ask::get(path::repository(&target.name, &format!("/pulls/{number}")));
        let json = self.inner.json(Caller::Installation(target.installation), &ask).await?;
        object::pull_request(&json, LOOK).map_err(|missing| {
            CallError::Unavailable(format!("its pull request {number} cannot be read: {missing}"))
        })
    }

    async fn of_commit(
        &self,
        target: &Target,
        sha: &CommitSha,
    ) -> Result<Vec<PullRequestObserved>, CallError> {
        let path = path::repository(
            &target.name,
            &format!("/commits/{}/pulls?per_page=100", path::segment(sha.as_str())),
        );
        let rows =
            match self.inner.list(Caller::Installation(target.installation), path, "", COMMIT_PAGES).await {
                Err(error) if is_unknown_commit(&error) => return Ok(Vec::new()),
                other => other?,
            };
        let mut pulls = Vec::new();
        for number in rows.iter().filter_map(|row| row["number"].as_u64()) {
            pulls.push(self.pull_request(target, PrNumber(number)).await?);
        }
        Ok(pulls)
    }

    async fn commit_of_ref(&self, target: &Target, git_ref: &GitRef) -> Result<CommitSha, CallError> {
        let path = path::repository(&target.name, &format!("/commits/{}", path::segment(git_ref.as_str())));
        let mut ask = Ask::get(path);
        ask.accept = SHA_ONLY;
        let answer = match self.inner.call(Caller::Installation(target.installation), &ask).await {
            Err(error) if is_unknown_commit(&error) => {
                return Err(CallError::NotFound(format!("no branch or tag `{git_ref}`")));
            }
            other => other?,
        };
        let text = match answer.json() {
            Some(json) => json["sha"].as_str().map(str::to_owned),
            None => String::from_utf8(answer.body).ok().map(|text| text.trim().to_owned()),
        };
        text.map(CommitSha::from).filter(CommitSha::is_full).ok_or_else(|| not_json(&ask.path))
    }
}

/// GitHub answers 422 "No commit found for SHA: …" for a commit or ref that it does not have.
fn is_unknown_commit(error: &CallError) -> bool {
    matches!(error, CallError::Refused { status: 422, message } if message.to_lowercase().contains("no commit found"))
}
