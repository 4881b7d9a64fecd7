//! Stopping workflow runs.

use crate::{budget::Kind, call::Caller, client::GitHubClient, http::Ask, path};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use stackwave_domain::{InstallationId, WorkflowRunId};
use stackwave_github::port::{CallError, CancelOutcome, Cancels, Target};

#[async_trait]
impl Cancels for GitHubClient {
    /// A dropped future takes nothing.
    async fn pay_cancel(&self, installation: InstallationId) {
        self.inner.budgets.lane(Some(installation)).take(Kind::Cancel, 1).await;
    }

    async fn cancel(&self, target: &Target, run: WorkflowRunId) -> Result<CancelOutcome, CallError> {
        let nothing = json!({});
        let path = path::repository(&target.name, &format!("/actions/runs/{run}/cancel"));
        let ask = Ask::write(Method::POST, path, &nothing);
        match self.inner.call(Caller::Installation(target.installation), &ask).await {
            Ok(_) => {
                self.inner.budgets.lane(Some(target.installation)).succeeded();
                Ok(CancelOutcome::Accepted)
            }
            Err(CallError::Refused { status: 409, .. }) => Ok(CancelOutcome::TooLate),
            Err(error) => Err(error),
        }
    }
}
