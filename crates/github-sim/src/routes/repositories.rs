//! Repositories.

use serde_json::json;

use crate::{
    json::Json,
    server::{Answer, ApiError, Call, Caller, Page},
    shapes,
    state::{Repository, State},
};

/// `GET /installation/repositories`.
pub(super) fn list(state: &State, call: &Call, caller: &Caller) -> Answer {
    let page = Page::of(call);
    let all: Vec<_> = state
        .repositories
        .values()
        .filter(|repository| match caller {
            Caller::App => false,
            Caller::Installation(token) => token.reaches(repository),
        })
        .collect();
    let total = all.len();
    let shown =
        page.cut(all.into_iter()).into_iter().map(|repository| repository.rendered(&state.urls).full.clone());
    let body = Json::from(json!({ "total_count": total, "repository_selection": "selected" }))
        .with("repositories", &Json::array(shown));
    Answer::ok(body).with_link(page.link(&state.urls, call, total))
}

/// `GET /repos/{owner}/{repo}`.
pub(super) fn get(state: &State, repository: &Repository) -> Answer {
    Answer::ok(repository.rendered(&state.urls).full.clone())
}

/// `GET /repos/{owner}/{repo}/installation`.
pub(super) fn installation(state: &State, repository: &Repository) -> Result<Answer, ApiError> {
    let installation =
        repository.installation.and_then(|id| state.installation(id)).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(shapes::installation::installation(&state.urls, &state.config.app, installation).into()))
}
