//! What the endpoints answer.

mod app;
mod comments;
mod contents;
pub(crate) mod dispatch;
mod hook;
mod pulls;
mod repositories;
mod runs;

use crate::{
    endpoint::{Endpoint, RepositoryRef},
    server::{Answer, ApiError, Call, Caller},
    state::{Repository, State},
};

/// Why a request does not get to a repository.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// It was renamed.
    Moved(Answer),
    /// It is not there for the caller.
    Error(ApiError),
}

/// Answers every endpoint but dispatch.
pub(crate) fn answer(state: &mut State, call: &Call, caller: &Caller) -> Result<Answer, ApiError> {
    let repository = match call.target.repository.as_ref().map(|_| reach(state, call, caller)) {
        None => None,
        Some(Ok(repository)) => Some(repository.id),
        Some(Err(Unreachable::Moved(answer))) => return Ok(answer),
        Some(Err(Unreachable::Error(error))) => return Err(error),
    };
    let Some(repository) = repository else {
        return match call.target.endpoint {
            Endpoint::App => Ok(app::app(state)),
            Endpoint::HookConfig => Ok(hook::config(state)),
            Endpoint::HookDeliveries => Ok(hook::deliveries(state, call)),
            Endpoint::Installations => Ok(app::installations(state, call)),
            Endpoint::CreateToken => app::create_token(state, call),
            Endpoint::InstallationRepositories => Ok(repositories::list(state, call, caller)),
            Endpoint::RateLimit => app::rate_limit(state, call, caller),
            Endpoint::Repository
            | Endpoint::RepositoryInstallation
            | Endpoint::Contents
            | Endpoint::Dispatch
            | Endpoint::Workflow
            | Endpoint::WorkflowRuns
            | Endpoint::Runs
            | Endpoint::Run
            | Endpoint::CancelRun
            | Endpoint::Commit
            | Endpoint::CommitPulls
            | Endpoint::Pull
            | Endpoint::Branch
            | Endpoint::Comments
            | Endpoint::CreateComment
            | Endpoint::Comment
            | Endpoint::UpdateComment
            | Endpoint::Other => Err(ApiError::not_found()),
        };
    };
    if call.target.endpoint == Endpoint::CreateComment {
        return comments::create(state, call, repository);
    }
    if call.target.endpoint == Endpoint::CancelRun {
        return runs::cancel(state, call, repository);
    }
    if call.target.endpoint == Endpoint::UpdateComment {
        return comments::update(state, call, repository);
    }
    let repository = state.repository(repository).ok_or_else(ApiError::not_found)?;
    match call.target.endpoint {
        Endpoint::Repository => Ok(repositories::get(state, repository)),
        Endpoint::RepositoryInstallation => repositories::installation(state, repository),
        Endpoint::Contents => contents::get(state, call, repository),
        Endpoint::Branch => contents::branch(state, call, repository),
        Endpoint::Workflow => runs::workflow(state, call, repository),
        Endpoint::WorkflowRuns => runs::of_workflow(state, call, repository),
        Endpoint::Runs => Ok(runs::of_repository(state, call, repository)),
        Endpoint::Run => runs::get(state, call, repository),
        Endpoint::Commit => pulls::commit(state, call, repository),
        Endpoint::CommitPulls => pulls::of_commit(state, call, repository),
        Endpoint::Pull => pulls::get(state, call, repository),
        Endpoint::Comments => comments::list(state, call, repository),
        Endpoint::Comment => comments::get(state, call, repository),
        Endpoint::App
        | Endpoint::HookConfig
        | Endpoint::HookDeliveries
        | Endpoint::Installations
        | Endpoint::CreateToken
        | Endpoint::InstallationRepositories
        | Endpoint::RateLimit
        | Endpoint::Dispatch
        | Endpoint::CancelRun
        | Endpoint::CreateComment
        | Endpoint::UpdateComment
        | Endpoint::Other => Err(ApiError::not_found()),
    }
}

/// The repository of a path, if the caller may see it. Otherwise 404: GitHub does not say that it exists.
pub(crate) fn reach<'a>(
    state: &'a State,
    call: &Call,
    caller: &Caller,
) -> Result<&'a Repository, Unreachable> {
    let not_found = || Unreachable::Error(ApiError::not_found());
    let repository = match &call.target.repository {
        Some(RepositoryRef::Id(id)) => state.repository(*id),
        Some(RepositoryRef::Name(name)) => match state.moved.get(&name.to_lowercase()) {
            Some(id) => return Err(Unreachable::Moved(moved(state, call, *id))),
            None => state.repository_named(name),
        },
        None => None,
    };
    let repository = repository.ok_or_else(not_found)?;
    let seen = match caller {
        Caller::App => repository.installation.is_some(),
        Caller::Installation(token) => token.reaches(repository),
    };
    if seen { Ok(repository) } else { Err(not_found()) }
}

/// GitHub sends the caller to the repository's id: 301 for reads, 307 for writes.
fn moved(state: &State, call: &Call, id: u64) -> Answer {
    let status = if call.method == http::Method::GET { 301 } else { 307 };
    let mut location = format!("{}/repositories/{id}", state.urls.rest);
    if !call.target.rest.is_empty() {
        location = format!("{location}/{}", call.target.rest);
    }
    if !call.query.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
        location = format!("{location}?{query}");
    }
    Answer::moved(status, location)
}
