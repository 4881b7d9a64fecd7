//! Looking at workflow runs.

use crate::{
    call::{Caller, not_json},
    client::GitHubClient,
    http::Ask,
    path,
};
use async_trait::async_trait;
use serde_json::Value;
use stackwave_domain::{
    Position, Timestamp, WorkflowFile, WorkflowRunId,
    event::{Source, WorkflowRunObserved},
};
use stackwave_github::{
    object,
    port::{CallError, Runs, Target},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// GitHub lists at most 1,000 runs for a filter: ten pages.
const ALL_PAGES: u32 = 10;

/// The source of what a look tells; whoever asked puts the position in.
pub(crate) const LOOK: Source = Source::Poll { asked_at: Position::START };

/// Pages that are remembered at most; then all are forgotten, which costs a full answer each.
const REMEMBERED_PAGES: usize = 256;

/// Pages by path, with their `ETag`s: a page that has not changed costs nothing of the primary limit. An `ETag` belongs
/// to a token; under the next one GitHub answers in full, and the page is remembered anew.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<BTreeMap<String, Listing>>);

#[derive(Clone, Debug)]
struct Listing {
    runs: Vec<WorkflowRunObserved>,
    etag: Option<String>,
    next: Option<String>,
}

impl Listings {
    fn get(&self, path: &str) -> Option<Listing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn put(&self, path: String, listing: &Listing) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= REMEMBERED_PAGES {
            pages.clear();
        }
        pages.insert(path, listing.clone());
    }
}

#[async_trait]
impl Runs for GitHubClient {
    async fn of_workflow(
        &self,
        target: &Target,
        workflow: &WorkflowFile,
        since: Timestamp,
    ) -> Result<Vec<WorkflowRunObserved>, CallError> {
        let below = format!("/actions/workflows/{}/runs", path::segment(workflow.as_str()));
        self.list_runs(target, &below, since, ALL_PAGES).await
    }

    async fn of_repository(
        &self,
        target: &Target,
        since: Timestamp,
        pages: u32,
    ) -> Result<Vec<WorkflowRunObserved>, CallError> {
        self.list_runs(target, "/actions/runs", since, pages).await
    }

    async fn run(&self, target: &Target, run: WorkflowRunId) -> Result<WorkflowRunObserved, CallError> {
        let ask = Ask::get(path::repository(&target.name, &format!("/actions/runs/{run}")));
        let json = self.inner.json(Caller::Installation(target.installation), &ask).await?;
        object::workflow_run(&json, LOOK)
            .map_err(|missing| CallError::Unavailable(format!("its run {run} cannot be read: {missing}")))
    }
}

impl GitHubClient {
    async fn list_runs(
        &self,
        target: &Target,
        below: &str,
        since: Timestamp,
        pages: u32,
    ) -> Result<Vec<WorkflowRunObserved>, CallError> {
        // GitHub writes whole seconds.
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let created = format!(">={since}");
        let path = path::repository(
            &target.name,
            &format!("{below}?event=workflow_dispatch&created={}&per_page=100", path::segment(&created)),
        );
        let caller = Caller::Installation(target.installation);
        let mut runs = Vec::new();
        let mut next = Some(path);
        for _ in 0..pages {
            let Some(path) = next else { break };
            let listing = self.listing(caller, path).await?;
            runs.extend(listing.runs.into_iter().filter(|run| run.created_at >= since));
            next = listing.next;
        }
        Ok(runs)
    }

    /// One page, out of what is known of it when GitHub says that it has not changed.
    async fn listing(&self, caller: Caller, path: String) -> Result<Listing, CallError> {
        let known = self.inner.listings.get(&path);
        let mut ask = Ask::get(path.clone());
        ask.etag = known.as_ref().and_then(|known| known.etag.clone());
        let page = self.inner.page(caller, ask, "workflow_runs").await?;
        let Some(page) = page else { return known.ok_or_else(|| not_json(&path)) };
        let listing = Listing {
            runs: page.elements.iter().filter_map(observed).collect(),
            etag: page.etag,
            next: page.next,
        };
        if listing.etag.is_some() {
            self.inner.listings.put(path, &listing);
        }
        Ok(listing)
    }
}

fn observed(row: &Value) -> Option<WorkflowRunObserved> {
    match object::workflow_run(row, LOOK) {
        Ok(run) => (run.event == "workflow_dispatch").then_some(run),
        Err(missing) => {
            tracing::debug!(%missing, "a workflow run in GitHub's list cannot be read");
            None
        }
    }
}
