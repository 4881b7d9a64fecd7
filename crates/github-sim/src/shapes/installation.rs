//! The App and its installations.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{node_id, user};
use crate::{
    clock::rfc3339,
    config::App,
    json::Json,
    state::{Installation, Repository, Token, User},
    urls::Urls,
};

/// Events that a GitHub App of this kind subscribes to.
const EVENTS: &[&str] = &[
    "issue_comment",
    "merge_group",
    "pull_request",
    "push",
    "release",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
];

/// Permissions as an object.
pub(crate) fn permissions(permissions: &[(String, String)]) -> Value {
    permissions.iter().map(|(name, level)| (name.clone(), json!(level))).collect::<Map<_, _>>().into()
}

/// `GET /app`, and `performed_via_github_app`.
pub(crate) fn app(urls: &Urls, app: &App, owner: &User, at: Timestamp) -> Value {
    json!({
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "client_id": app.client_id,
        "owner": user::user(urls, owner),
        "name": app.slug,
        "description": null,
        "external_url": format!("{}/apps/{}", urls.web, app.slug),
        "html_url": format!("{}/apps/{}", urls.web, app.slug),
        "created_at": rfc3339(at),
        "updated_at": rfc3339(at),
        "permissions": permissions(&app.permissions),
        "events": EVENTS,
        "installations_count": 1,
    })
}

/// An installation.
pub(crate) fn installation(urls: &Urls, app: &App, installation: &Installation) -> Value {
    let api = format!("{}/app/installations/{}", urls.rest, installation.id);
    json!({
        "id": installation.id,
        "node_id": node_id("Integration Installation", installation.id),
        "client_id": app.client_id,
        "account": user::user(urls, &installation.account),
        "repository_selection": "selected",
        "access_tokens_url": format!("{api}/access_tokens"),
        "repositories_url": format!("{}/installation/repositories", urls.rest),
        "html_url": format!("{}/organizations/{}/settings/installations/{}", urls.web, installation.account.login, installation.id),
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": installation.account.id,
        "target_type": installation.account.kind.as_str(),
        "permissions": permissions(&installation.permissions),
        "events": EVENTS,
        "created_at": rfc3339(installation.created_at),
        "updated_at": rfc3339(installation.created_at),
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": installation.suspended_at.map(|_| user::user(urls, &installation.account)),
        "suspended_at": installation.suspended_at.map(rfc3339),
    })
}

/// A repository as installation webhooks list it.
pub(crate) fn listed(repository: &Repository) -> Value {
    json!({
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name(),
        "private": true,
    })
}

/// `POST /app/installations/{id}/access_tokens`.
pub(crate) fn token(text: &str, token: &Token, repositories: Option<Json>) -> Json {
    let value = Json::from(json!({
        "token": text,
        "expires_at": rfc3339(token.expires_at),
        "permissions": permissions(&token.permissions),
        "repository_selection": "selected",
    }));
    match repositories {
        Some(repositories) => value.with("repositories", &repositories),
        None => value,
    }
}
