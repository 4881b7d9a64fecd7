//! Commits and pull requests.

use serde_json::Value;

use crate::{
    json::Json,
    server::{Answer, ApiError, Call, Page},
    shapes,
    state::{Repository, State},
};

/// `GET …/commits/{ref}`.
pub(super) fn commit(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let reference = &call.target.argument;
    let missing = || ApiError::new(422, format!("No commit found for SHA: {reference}"));
    let commit = repository.resolve(reference).ok_or_else(missing)?;
    if call.header("accept").is_some_and(|accept| accept.contains("vnd.github.sha")) {
        return Ok(Answer::raw(commit.sha.clone()));
    }
    Ok(Answer::ok(shapes::commit::full(&state.urls, repository, commit)))
}

/// `GET …/commits/{sha}/pulls`: pull requests that have the commit, or whose merge made it.
pub(super) fn of_commit(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let page = Page::of(call);
    let sha = &call.target.argument;
    let commit = repository.resolve(sha).map(|commit| &commit.sha);
    let found: Vec<_> = repository
        .pulls
        .values()
        .filter(|pull| {
            let wanted = commit.unwrap_or(sha);
            pull.commits.contains(wanted) || pull.merge_commit_sha.as_ref() == Some(wanted)
        })
        .collect();
    if commit.is_none() && found.is_empty() {
        return Err(ApiError::new(422, format!("No commit found for SHA: {sha}")));
    }
    let total = found.len();
    let shown = page.cut(found.into_iter());
    let rendered =
        shown.into_iter().map(|pull| versioned(call, shapes::pull::simple(&state.urls, repository, pull)));
    Ok(Answer::ok(Json::array(rendered)).with_link(page.link(&state.urls, call, total)))
}

/// `GET …/pulls/{number}`.
pub(super) fn get(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let number: u64 = call.target.argument.parse().map_err(|_| ApiError::not_found())?;
    let pull = repository.pulls.get(&number).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(versioned(call, shapes::pull::full(&state.urls, repository, pull))))
}

/// API version 2026-03-10 has neither `merge_commit_sha` nor the single `assignee`.
fn versioned(call: &Call, pull: Json) -> Json {
    if !call.is_version_2026() {
        return pull;
    }
    let mut value: Value = serde_json::from_str(&pull.into_string()).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("merge_commit_sha");
        fields.remove("assignee");
    }
    value.into()
}
