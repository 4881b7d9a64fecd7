//! Files and branches.

use crate::{
    server::{Answer, ApiError, Call},
    shapes,
    state::{Repository, State},
};

/// `GET …/contents/{path}?ref=`. Files only: a folder answers 404.
pub(super) fn get(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let reference = call.parameter("ref").unwrap_or(&repository.default_branch);
    let no_commit = || ApiError::new(404, format!("No commit found for the ref {reference}"));
    let commit = repository.resolve(reference).ok_or_else(no_commit)?;
    let path = &call.target.argument;
    let text = commit.file(path).ok_or_else(ApiError::not_found)?;
    if call.header("accept").is_some_and(|accept| accept.contains(".raw")) {
        return Ok(Answer::raw(text.to_owned()));
    }
    Ok(Answer::ok(shapes::content::file(&state.urls, repository, path, reference, text)))
}

/// `GET …/git/ref/heads/{branch}`.
pub(super) fn branch(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let name = &call.target.argument;
    let tip = repository
        .branches
        .get(name)
        .and_then(|sha| repository.commits.get(sha))
        .ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(shapes::content::branch(&state.urls, repository, name, tip)))
}
