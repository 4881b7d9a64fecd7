//! Check runs.

use serde_json::json;

use super::{installation, node_id};
use crate::{
    clock::rfc3339,
    config::App,
    json::Json,
    state::{CheckRun, Repository, User, UserKind},
    urls::Urls,
};

/// A check run with its suite.
pub(crate) fn check_run(urls: &Urls, our_app: &App, repository: &Repository, check: &CheckRun) -> Json {
    let full_name = repository.full_name();
    let api = urls.repository(&full_name);
    let own = format!("{api}/check-runs/{}", check.id);
    let page = format!("{}/runs/{}", urls.page(&full_name), check.id);
    let actions = App {
        id: 15_368,
        client_id: "Iv1.05c79e9ad1f6bdfa".into(),
        slug: "github-actions".into(),
        permissions: Vec::new(),
    };
    let (app, owner) = if check.by_our_app {
        (our_app, repository.owner.clone())
    } else {
        (&actions, User::new("github", UserKind::Organization))
    };
    let app = installation::app(urls, app, &owner, check.started_at);
    let (status, conclusion) =
        (check.status.as_str(), check.conclusion.map(|conclusion| conclusion.as_str()));
    let branch =
        repository.branches.iter().find(|(_, sha)| **sha == check.head_sha).map(|(branch, _)| branch);
    let suite = check.id + 1_000_000_000;
    json!({
        "id": check.id,
        "name": check.name,
        "node_id": node_id("CheckRun", check.id),
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "url": own,
        "html_url": page,
        "details_url": page,
        "status": status,
        "conclusion": conclusion,
        "started_at": rfc3339(check.started_at),
        "completed_at": check.completed_at.map(rfc3339),
        "output": {
            "title": null,
            "summary": null,
            "text": null,
            "annotations_count": 0,
            "annotations_url": format!("{own}/annotations"),
        },
        "check_suite": {
            "id": suite,
            "node_id": node_id("CheckSuite", suite),
            "head_branch": branch,
            "head_sha": check.head_sha,
            "status": status,
            "conclusion": conclusion,
            "url": format!("{api}/check-suites/{suite}"),
            "before": null,
            "after": null,
            "pull_requests": [],
            "app": app,
            "created_at": rfc3339(check.started_at),
            "updated_at": rfc3339(check.started_at),
        },
        "app": app,
        "pull_requests": [],
    })
    .into()
}
