//! Workflow runs.

use serde_json::{Value, json};

use super::{commit, node_id, pull, user};
use crate::{
    clock::rfc3339,
    json::Json,
    state::{Repository, Run},
    urls::Urls,
};

/// A workflow run, for REST and webhooks.
pub(crate) fn run(urls: &Urls, repository: &Repository, run: &Run) -> Json {
    let full_name = repository.full_name();
    let api = urls.repository(&full_name);
    let own = format!("{api}/actions/runs/{}", run.id);
    let suite = run.id + 1_000_000_000;
    let head_commit = repository.commits.get(&run.head_sha).map_or(Value::Null, commit::simple);
    let pulls: Vec<_> = repository
        .pulls
        .values()
        .filter(|pull| pull.is_open() && pull.head_branch == run.head_branch)
        .map(|found| pull::minimal(urls, repository, found))
        .collect();
    let previous = (run.attempt > 1).then(|| format!("{own}/attempts/{}", run.attempt - 1));
    let minimal = &repository.rendered(urls).minimal;
    Json::from(json!({
        "id": run.id,
        "name": run.workflow_name,
        "node_id": node_id("WorkflowRun", run.id),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": run.path,
        "display_title": run.display_title,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status.as_str(),
        "conclusion": run.conclusion.map(|conclusion| conclusion.as_str()),
        "workflow_id": run.workflow_id,
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CheckSuite", suite),
        "url": own,
        "html_url": page(urls, repository, run.id),
        "pull_requests": pulls,
        "created_at": rfc3339(run.created_at),
        "updated_at": rfc3339(run.updated_at),
        "run_started_at": rfc3339(run.run_started_at),
        "actor": user::user(urls, &run.actor),
        "triggering_actor": user::user(urls, &run.triggering_actor),
        "referenced_workflows": [],
        "jobs_url": format!("{own}/jobs"),
        "logs_url": format!("{own}/logs"),
        "check_suite_url": format!("{api}/check-suites/{suite}"),
        "artifacts_url": format!("{own}/artifacts"),
        "cancel_url": format!("{own}/cancel"),
        "rerun_url": format!("{own}/rerun"),
        "previous_attempt_url": previous,
        "workflow_url": format!("{api}/actions/workflows/{}", run.workflow_id),
        "head_commit": head_commit,
    }))
    .with("repository", minimal)
    .with("head_repository", minimal)
}

/// The web page of a run.
pub(crate) fn page(urls: &Urls, repository: &Repository, run: u64) -> String {
    format!("{}/actions/runs/{run}", urls.page(&repository.full_name()))
}
