//! Comments on pull requests.

use crate::{
    budget::Kind,
    call::{Caller, not_json},
    client::GitHubClient,
    http::Ask,
    path,
};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use stackwave_domain::{CommentId, InstallationId, PrNumber};
use stackwave_github::port::{CallError, Comments, OwnComment, Target};

/// 10,000 comments.
const ALL_PAGES: u32 = 100;

/// What tells our own comments from those into which somebody pasted our marker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    app: Option<u64>,
    login: Option<String>,
}

impl Identity {
    fn wrote(&self, comment: &Value) -> bool {
        let via = comment["performed_via_github_app"]["id"].as_u64();
        let login = comment["user"]["login"].as_str();
        if self.app.is_none() && self.login.is_none() {
            return comment["user"]["type"] == "Bot";
        }
        (via.is_some() && via == self.app) || (login.is_some() && login == self.login.as_deref())
    }
}

#[async_trait]
impl Comments for GitHubClient {
    /// A dropped future takes nothing.
    async fn pay(&self, installation: InstallationId) -> Result<(), CallError> {
        let lane = self.inner.budgets.lane(Some(installation));
        if let Some(wait) = lane.blocked() {
            return Err(CallError::RateLimited { wait });
        }
        lane.take(Kind::Comment, 1).await;
        Ok(())
    }

    async fn find(
        &self,
        target: &Target,
        number: PrNumber,
        marker: &str,
    ) -> Result<Option<OwnComment>, CallError> {
        let path = path::repository(&target.name, &format!("/issues/{number}/comments?per_page=100"));
        let rows = self.inner.list(Caller::Installation(target.installation), path, "", ALL_PAGES).await?;
        for row in &rows {
            let (Some(id), Some(body)) = (row["id"].as_u64(), row["body"].as_str()) else { continue };
            if body.lines().next().map(str::trim_end) != Some(marker) {
                continue;
            }
            if self.identity().await?.wrote(row) {
                return Ok(Some(OwnComment { id: CommentId(id), body: body.to_owned() }));
            }
        }
        Ok(None)
    }

    async fn create(&self, target: &Target, number: PrNumber, body: &str) -> Result<CommentId, CallError> {
        let path = path::repository(&target.name, &format!("/issues/{number}/comments"));
        let json = self.write_comment(target, Method::POST, &path, body).await?;
        json["id"].as_u64().map(CommentId).ok_or_else(|| not_json(&path))
    }

    async fn update(&self, target: &Target, comment: CommentId, body: &str) -> Result<(), CallError> {
        let path = path::repository(&target.name, &format!("/issues/comments/{comment}"));
        self.write_comment(target, Method::PATCH, &path, body).await.map(|_| ())
    }
}

impl GitHubClient {
    async fn write_comment(
        &self,
        target: &Target,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Value, CallError> {
        let body = json!({ "body": body });
        let ask = Ask::write(method, path, &body);
        let json = self.inner.json(Caller::Installation(target.installation), &ask).await?;
        self.inner.budgets.lane(Some(target.installation)).succeeded();
        Ok(json)
    }

    /// Asked for once, when a comment with our marker is seen. A host that does not tell leaves what is configured.
    async fn identity(&self) -> Result<&Identity, CallError> {
        let ask = || async {
            let configured = self.inner.key.as_ref().ok().and_then(crate::key::AppKey::app_id);
            let app = match self.inner.json(Caller::App, &Ask::get("/app")).await {
                Err(error @ (CallError::RateLimited { .. } | CallError::Unavailable(_))) => {
                    return Err(error);
                }
                Err(CallError::NotFound(_) | CallError::Refused { .. } | CallError::Unauthorized(_)) => {
                    Value::Null
                }
                Ok(app) => app,
            };
            Ok(Identity {
                app: app["id"].as_u64().or(configured),
                login: app["slug"].as_str().map(|slug| format!("{slug}[bot]")),
            })
        };
        self.inner.identity.get_or_try_init(ask).await
    }
}
