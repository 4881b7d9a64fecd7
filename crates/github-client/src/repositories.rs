//! Finding repositories.

use crate::{
    call::{Caller, not_json},
    client::GitHubClient,
    http::Ask,
    path,
};
use async_trait::async_trait;
use serde_json::Value;
use stackwave_domain::{InstallationId, RepositoryName};
use stackwave_github::{
    object,
    port::{CallError, Repositories, RepositoryFound},
};

/// 10,000 installations, or 10,000 repositories of one of them.
const ALL_PAGES: u32 = 100;

#[async_trait]
impl Repositories for GitHubClient {
    async fn by_name(&self, name: &RepositoryName) -> Result<RepositoryFound, CallError> {
        let ask = Ask::get(path::repository(name, "/installation"));
        let json = self.inner.json(Caller::App, &ask).await?;
        let installation = json["id"].as_u64().map(InstallationId).ok_or_else(|| not_json(&ask.path))?;
        let ask = Ask::get(path::repository(name, ""));
        let json = self.inner.json(Caller::Installation(installation), &ask).await?;
        found(&json, installation).ok_or_else(|| not_json(&ask.path))
    }

    async fn all(&self) -> Result<Vec<RepositoryFound>, CallError> {
        let installations =
            self.inner.list(Caller::App, "/app/installations?per_page=100".to_owned(), "", ALL_PAGES).await?;
        let mut repositories = Vec::new();
        for row in &installations {
            let Some(installation) = row["id"].as_u64().map(InstallationId) else { continue };
            if !row["suspended_at"].is_null() {
                tracing::info!(github.installation = installation.0, "the installation is suspended");
                continue;
            }
            match self.of_installation(installation).await {
                Ok(found) => repositories.extend(found),
                // One account that shut us out must not hide the others.
                Err(
                    error @ (CallError::Unauthorized(_) | CallError::NotFound(_) | CallError::Refused { .. }),
                ) => {
                    tracing::warn!(github.installation = installation.0, %error, "its repositories cannot be listed");
                }
                Err(error @ (CallError::RateLimited { .. } | CallError::Unavailable(_))) => {
                    return Err(error);
                }
            }
        }
        Ok(repositories)
    }
}

impl GitHubClient {
    async fn of_installation(&self, installation: InstallationId) -> Result<Vec<RepositoryFound>, CallError> {
        let path = "/installation/repositories?per_page=100".to_owned();
        let rows =
            self.inner.list(Caller::Installation(installation), path, "repositories", ALL_PAGES).await?;
        Ok(rows.iter().filter_map(|row| found(row, installation)).collect())
    }
}

fn found(json: &Value, installation: InstallationId) -> Option<RepositoryFound> {
    let repository = object::repository(json)?;
    let default_branch = repository.default_branch?;
    Some(RepositoryFound { id: repository.id, name: repository.name, default_branch, installation })
}
