//! What the Atmos CLI and a curious GitHub do over HTTP.

use super::{API_KEY, World};
use serde_json::Value;
use stackwave_testkit::stacks::Graph;
use std::sync::PoisonError;

/// An answer as the CLI gets it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its JSON; `null` when it is none.
    pub body: Value,
}

impl Answer {
    /// The field that a refusal names.
    #[must_use]
    pub fn field(&self) -> &str {
        self.body["context"]["field"].as_str().unwrap_or("")
    }
}

impl World {
    /// Uploads affected stacks and returns the answer, which has to be a success.
    ///
    /// # Panics
    /// It is not.
    pub async fn upload(&self, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.try_upload(body).await.expect("the upload should be answered");
        assert_eq!(answer.status, 200, "the upload was refused: {}", answer.body);
        answer
    }

    /// Uploads affected stacks; none when no answer came.
    pub async fn try_upload(&self, body: impl Into<Vec<u8>>) -> Option<Answer> {
        let body = body.into();
        self.note_graph(&body);
        let request = self.request(&format!("Bearer {API_KEY}")).body(body);
        self.send(request).await
    }

    /// A request that uploads, with this value of `Authorization`.
    pub fn request(&self, authorization: &str) -> reqwest::RequestBuilder {
        self.post(&self.url("ingest-api", "/api/v1/affected-stacks"))
            .header("authorization", authorization)
            .header("content-type", "application/json")
            .header("user-agent", "atmos/1.218.0 (linux; amd64)")
    }

    /// A request that delivers a webhook.
    pub fn webhook(&self, event: &str, guid: &str, signature: &str) -> reqwest::RequestBuilder {
        self.post(&self.url("webhook-receiver", "/webhooks/github"))
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/044aadd")
            .header("x-github-event", event)
            .header("x-github-delivery", guid)
            .header("x-hub-signature-256", signature)
    }

    /// A request that posts something.
    pub fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.inner.client.post(url)
    }

    /// A request for a page.
    pub fn get(&self, role: &str, path: &str) -> reqwest::RequestBuilder {
        self.inner.client.get(self.url(role, path))
    }

    /// Sends a request; none when no answer came.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let body = response.bytes().await.ok()?;
        Some(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    /// What is expected of a commit's runs later.
    fn note_graph(&self, body: &[u8]) {
        let Some(graph) = Graph::of_upload(body) else { return };
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut graphs = self.inner.graphs.lock().unwrap_or_else(PoisonError::into_inner);
        graphs.entry(json["head_sha"].as_str().unwrap_or_default().to_owned()).or_default().unite(&graph);
    }
}
