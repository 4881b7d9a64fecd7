//! Comments on pull requests.

use crate::{
    json::Json,
    server::{Answer, ApiError, Call, Page, Reason},
    shapes,
    state::{BODY_LIMIT, Comment, CommentId, Repository, RepositoryId, State},
};

/// `GET …/issues/{number}/comments`, oldest first.
pub(super) fn list(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let page = Page::of(call);
    let number = number(call, repository)?;
    let total = state.comments(repository.id, number).count();
    let shown = page.cut(state.comments(repository.id, number));
    let rendered = shown.into_iter().map(|comment| render(state, repository, comment));
    Ok(Answer::ok(Json::array(rendered)).with_link(page.link(&state.urls, call, total)))
}

/// `GET …/issues/comments/{id}`.
pub(super) fn get(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let comment = known(state, call, repository.id)?;
    Ok(Answer::ok(render(state, repository, comment)))
}

/// `POST …/issues/{number}/comments`.
pub(super) fn create(state: &mut State, call: &Call, id: RepositoryId) -> Result<Answer, ApiError> {
    let repository = state.repository(id).ok_or_else(ApiError::not_found)?;
    let number = number(call, repository)?;
    if repository.locked.contains(&number) {
        return Err(ApiError::new(403, "Unable to create comment because issue is locked."));
    }
    let (body, bot) = (body(call)?, state.our_bot());
    let comment = state.add_comment(id, number, bot, body).map_err(|_| ApiError::not_found())?;
    shown(state, id, comment, 201)
}

/// `PATCH …/issues/comments/{id}`. An App edits its own comments only.
pub(super) fn update(state: &mut State, call: &Call, id: RepositoryId) -> Result<Answer, ApiError> {
    let comment = known(state, call, id)?;
    if !comment.by_our_app {
        return Err(ApiError::not_permitted("issues", "write"));
    }
    let (comment, body) = (comment.id, body(call)?);
    state.edit_comment(comment, body).map_err(|_| ApiError::not_found())?;
    shown(state, id, comment, 200)
}

fn number(call: &Call, repository: &Repository) -> Result<u64, ApiError> {
    let number = call.target.argument.parse().ok();
    number.filter(|number| repository.pulls.contains_key(number)).ok_or_else(ApiError::not_found)
}

fn known<'a>(state: &'a State, call: &Call, repository: RepositoryId) -> Result<&'a Comment, ApiError> {
    let comment = call.target.argument.parse().ok().and_then(|id| state.comment(id));
    comment.filter(|comment| comment.repository_id == repository).ok_or_else(ApiError::not_found)
}

fn body(call: &Call) -> Result<String, ApiError> {
    let refused = |code, message: String| {
        ApiError::invalid(Reason { resource: "IssueComment", field: "body", code, message })
    };
    let body = call.json();
    let Some(text) = body["body"].as_str() else {
        return Err(ApiError::new(422, "Invalid request.\n\n\"body\" wasn't supplied."));
    };
    if text.trim().is_empty() {
        return Err(refused("missing_field", "Body cannot be blank".into()));
    }
    if text.chars().count() > BODY_LIMIT {
        return Err(refused(
            "unprocessable",
            format!("Body is too long (maximum is {BODY_LIMIT} characters)"),
        ));
    }
    Ok(text.to_owned())
}

fn shown(
    state: &State,
    repository: RepositoryId,
    comment: CommentId,
    status: u16,
) -> Result<Answer, ApiError> {
    let found = state.repository(repository).zip(state.comment(comment));
    let (repository, comment) = found.ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(status, render(state, repository, comment)))
}

fn render(state: &State, repository: &Repository, comment: &Comment) -> Json {
    shapes::comment::comment(&state.urls, &state.config.app, repository, comment)
}
