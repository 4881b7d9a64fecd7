//! Workflows.

use serde_json::json;

use super::node_id;
use crate::{
    clock::rfc3339,
    json::Json,
    state::{Repository, Workflow},
    urls::Urls,
};

/// A workflow.
pub(crate) fn workflow(urls: &Urls, repository: &Repository, workflow: &Workflow) -> Json {
    let full_name = repository.full_name();
    let file = workflow.path.rsplit('/').next().unwrap_or_default();
    let page = urls.page(&full_name);
    json!({
        "id": workflow.id,
        "node_id": node_id("Workflow", workflow.id),
        "name": workflow.name,
        "path": workflow.path,
        "state": if workflow.enabled { "active" } else { "disabled_manually" },
        "created_at": rfc3339(workflow.created_at),
        "updated_at": rfc3339(workflow.created_at),
        "url": format!("{}/actions/workflows/{}", urls.repository(&full_name), workflow.id),
        "html_url": format!("{page}/blob/{}/{}", repository.default_branch, workflow.path),
        "badge_url": format!("{page}/actions/workflows/{file}/badge.svg"),
    })
    .into()
}
