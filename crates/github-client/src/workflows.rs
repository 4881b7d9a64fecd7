//! Reading workflow files.
//!
//! Source: GitHub REST "Get repository content", which answers with the file itself or with JSON around base64.

use crate::{
    call::Caller,
    client::GitHubClient,
    http::{Answer, Ask},
    path,
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use stackwave_domain::{GitRef, RepositoryId, WorkflowFile};
use stackwave_github::{
    definition,
    port::{CallError, Target, WorkflowDefinition, Workflows},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A definition is taken as it was for this long, which serves those who ask together; then GitHub is asked whether it
/// has changed. The caller decides how old it may be.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// Definitions that are remembered at most; then all are forgotten.
const REMEMBERED: usize = 1_000;

const RAW: &str = "application/vnd.github.raw+json";

type Key = (RepositoryId, WorkflowFile, GitRef);
type Slot = Arc<tokio::sync::Mutex<Option<Known>>>;

/// Definitions by repository, file and ref. Those who want the same one wait for one question.
#[derive(Debug, Default)]
pub(crate) struct Definitions(Mutex<BTreeMap<Key, Slot>>);

#[derive(Debug)]
struct Known {
    definition: WorkflowDefinition,
    etag: Option<String>,
    asked_at: Instant,
}

impl Definitions {
    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED && !slots.contains_key(&key) {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// What is known is wrong: ask in full the next time.
    pub(crate) fn forget(&self, repository: RepositoryId, workflow: &WorkflowFile, git_ref: &GitRef) {
        let key = (repository, workflow.clone(), git_ref.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

#[async_trait]
impl Workflows for GitHubClient {
    async fn definition(
        &self,
        target: &Target,
        workflow: &WorkflowFile,
        git_ref: &GitRef,
    ) -> Result<WorkflowDefinition, CallError> {
        let slot = self.inner.definitions.slot((target.id, workflow.clone(), git_ref.clone()));
        let mut slot = slot.lock().await;
        if let Some(known) = slot.as_ref().filter(|known| known.asked_at.elapsed() < FRESH_FOR) {
            return Ok(known.definition.clone());
        }
        let file = path::segment(workflow.as_str());
        let query = path::segment(git_ref.as_str());
        let mut ask = Ask::get(path::repository(
            &target.name,
            &format!("/contents/.github/workflows/{file}?ref={query}"),
        ));
        ask.accept = RAW;
        ask.etag = slot.as_ref().and_then(|known| known.etag.clone());
        let answer = match self.inner.call(Caller::Installation(target.installation), &ask).await {
            // Without the permission to read contents, dispatching works all the same.
            Err(CallError::Refused { status: 403, message }) => return Err(CallError::NotFound(message)),
            other => other?,
        };
        let asked_at = Instant::now();
        if let (304, Some(known)) = (answer.status, slot.as_mut()) {
            known.asked_at = asked_at;
            return Ok(known.definition.clone());
        }
        let definition = definition::parse(&content(&answer));
        *slot = Some(Known { definition: definition.clone(), etag: answer.etag(), asked_at });
        Ok(definition)
    }
}

/// The file's text: raw, or out of the JSON that hosts without the raw media type answer with.
fn content(answer: &Answer) -> String {
    let wrapped = answer.json().filter(|json| json["encoding"] == "base64").and_then(|json| {
        let digits: String = json["content"].as_str()?.split_whitespace().collect();
        STANDARD.decode(digits).ok()
    });
    String::from_utf8_lossy(wrapped.as_deref().unwrap_or(&answer.body)).into_owned()
}
