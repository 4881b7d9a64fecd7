//! The App, its installations and their tokens.

use serde_json::{Value, json};

use crate::{
    json::Json,
    server::{Answer, ApiError, Call, Caller, Page},
    shapes,
    state::{Installation, RepositoryId, State},
};

/// `GET /app`.
pub(super) fn app(state: &State) -> Answer {
    let installation = state.installations.values().next();
    let (owner, at) = installation.map_or_else(
        || (state.our_bot(), state.now()),
        |installation| (installation.account.clone(), installation.created_at),
    );
    let mut app = shapes::installation::app(&state.urls, &state.config.app, &owner, at);
    app["events"] = json!(state.config.webhooks.events);
    Answer::ok(app.into())
}

/// `GET /app/installations`.
pub(super) fn installations(state: &State, call: &Call) -> Answer {
    let page = Page::of(call);
    let shown = page.cut(state.installations.values());
    let rendered = shown.into_iter().map(|installation| {
        let mut shown = shapes::installation::installation(&state.urls, &state.config.app, installation);
        shown["events"] = json!(state.config.webhooks.events);
        shown.into()
    });
    Answer::ok(Json::array(rendered)).with_link(page.link(&state.urls, call, state.installations.len()))
}

/// `POST /app/installations/{id}/access_tokens`.
pub(super) fn create_token(state: &mut State, call: &Call) -> Result<Answer, ApiError> {
    let id = call.target.argument.parse().map_err(|_| ApiError::not_found())?;
    let installation = state.installation(id).ok_or_else(ApiError::not_found)?.clone();
    if installation.suspended_at.is_some() {
        return Err(ApiError::new(403, "This installation has been suspended"));
    }
    let body = call.json();
    let repositories = wanted_repositories(state, &installation, &body)?;
    let permissions = wanted_permissions(&installation, &body)?;
    let narrowed = repositories.clone();
    let (text, token) = state.issue_token(id, repositories, permissions);
    let rendered = narrowed.map(|ids| {
        let found = ids.iter().filter_map(|id| state.repository(*id));
        Json::array(found.map(|repository| repository.rendered(&state.urls).full.clone()))
    });
    Ok(Answer::json(201, shapes::installation::token(&text, &token, rendered)))
}

/// `GET /rate_limit`.
pub(super) fn rate_limit(state: &State, call: &Call, caller: &Caller) -> Result<Answer, ApiError> {
    let installation =
        caller.installation().and_then(|id| state.installation(id)).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(shapes::content::rate_limit(installation, !call.is_version_2026())))
}

fn wanted_repositories(
    state: &State,
    installation: &Installation,
    body: &Value,
) -> Result<Option<Vec<RepositoryId>>, ApiError> {
    let refused = || {
        ApiError::new(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let reached = |repository: &&crate::state::Repository| repository.installation == Some(installation.id);
    let by_id =
        |id: &Value| id.as_u64().and_then(|id| state.repository(id)).filter(reached).map(|found| found.id);
    let by_name = |name: &Value| {
        let full_name = format!("{}/{}", installation.account.login, name.as_str()?);
        state.repository_named(&full_name).filter(reached).map(|found| found.id)
    };
    let found: Option<Vec<_>> = match (body["repository_ids"].as_array(), body["repositories"].as_array()) {
        (None, None) => return Ok(None),
        (Some(ids), _) => ids.iter().map(by_id).collect(),
        (None, Some(names)) => names.iter().map(by_name).collect(),
    };
    found.map(Some).ok_or_else(refused)
}

fn wanted_permissions(installation: &Installation, body: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let Some(wanted) = body["permissions"].as_object() else { return Ok(installation.permissions.clone()) };
    let mut permissions = vec![("metadata".to_owned(), "read".to_owned())];
    for (name, level) in wanted {
        let level = level.as_str().unwrap_or_default();
        if !installation.grants(name, level) {
            return Err(ApiError::new(
                422,
                "The permissions requested are not granted to this installation.",
            ));
        }
        permissions.retain(|(known, _)| known != name);
        permissions.push((name.clone(), level.to_owned()));
    }
    Ok(permissions)
}
