//! Looking at the App itself: what it asks for, where it is installed, and what became of its webhooks.

use crate::{
    call::{Caller, not_json},
    client::GitHubClient,
    http::Ask,
    path,
};
use async_trait::async_trait;
use serde_json::Value;
use stackwave_domain::{InstallationId, Timestamp, WorkflowFile};
use stackwave_github::port::{
    AppFacts, Apps, CallError, DeliveryFacts, InstallationFacts, Target, WebhookFacts,
};
use std::collections::{BTreeMap, BTreeSet};

/// 10,000 installations.
const ALL_PAGES: u32 = 100;

#[async_trait]
impl Apps for GitHubClient {
    async fn app(&self) -> Result<AppFacts, CallError> {
        let ask = Ask::get("/app");
        let answer = self.inner.call(Caller::App, &ask).await?;
        let json = answer.json().ok_or_else(|| not_json(&ask.path))?;
        Ok(AppFacts {
            id: json["id"].as_u64().ok_or_else(|| not_json(&ask.path))?,
            slug: json["slug"].as_str().unwrap_or_default().to_owned(),
            permissions: permissions(&json),
            events: events(&json),
            at: answer.header("date").and_then(http_date),
        })
    }

    async fn installations(&self) -> Result<Vec<InstallationFacts>, CallError> {
        let path = "/app/installations?per_page=100".to_owned();
        let rows = self.inner.list(Caller::App, path, "", ALL_PAGES).await?;
        let facts = |row: &Value| {
            Some(InstallationFacts {
                id: InstallationId(row["id"].as_u64()?),
                account: row["account"]["login"].as_str().unwrap_or_default().to_owned(),
                permissions: permissions(row),
                events: events(row),
                suspended: !row["suspended_at"].is_null(),
            })
        };
        Ok(rows.iter().filter_map(facts).collect())
    }

    async fn webhook(&self) -> Result<WebhookFacts, CallError> {
        let json = self.inner.json(Caller::App, &Ask::get("/app/hook/config")).await?;
        let url = json["url"].as_str().filter(|url| !url.is_empty());
        Ok(WebhookFacts {
            url: url.map(str::to_owned),
            content_type: json["content_type"].as_str().unwrap_or("form").to_owned(),
            // A text or a number, by GitHub's own schema.
            insecure_ssl: json["insecure_ssl"] == "1" || json["insecure_ssl"] == 1,
        })
    }

    async fn deliveries(&self, pages: u32) -> Result<Vec<DeliveryFacts>, CallError> {
        let path = "/app/hook/deliveries?per_page=100".to_owned();
        let rows = self.inner.list(Caller::App, path, "", pages).await?;
        let facts = |row: &Value| {
            Some(DeliveryFacts {
                guid: row["guid"].as_str()?.to_owned(),
                event: row["event"].as_str()?.to_owned(),
                action: row["action"].as_str().map(str::to_owned),
                delivered_at: row["delivered_at"].as_str()?.parse().ok()?,
                status: row["status"].as_str().unwrap_or_default().to_owned(),
                status_code: row["status_code"].as_u64().and_then(|code| code.try_into().ok()).unwrap_or(0),
            })
        };
        Ok(rows.iter().filter_map(facts).collect())
    }

    async fn workflow_state(&self, target: &Target, workflow: &WorkflowFile) -> Result<String, CallError> {
        let below = format!("/actions/workflows/{}", path::segment(workflow.as_str()));
        let ask = Ask::get(path::repository(&target.name, &below));
        let json = self.inner.json(Caller::Installation(target.installation), &ask).await?;
        json["state"].as_str().map(str::to_owned).ok_or_else(|| not_json(&ask.path))
    }
}

fn permissions(json: &Value) -> BTreeMap<String, String> {
    let permissions = json["permissions"].as_object().into_iter().flatten();
    permissions.filter_map(|(name, level)| Some((name.clone(), level.as_str()?.to_owned()))).collect()
}

fn events(json: &Value) -> BTreeSet<String> {
    json["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| Some(event.as_str()?.to_owned()))
        .collect()
}

/// `Tue, 24 Nov 2026 13:02:38 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let at = http_date("Tue, 24 Nov 2026 13:02:38 GMT").map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2026-11-24T13:02:38Z"));
        assert_eq!(http_date("yesterday"), None);
    }
}
