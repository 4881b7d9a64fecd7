//! Workflow runs.

use serde_json::json;

use crate::{
    clock::rfc3339,
    json::Json,
    server::{Answer, ApiError, Call, Page},
    shapes,
    state::{Repository, RepositoryId, Run, State},
};

/// GitHub gives no more results than this for a filtered search.
const SEARCH_LIMIT: usize = 1000;

/// `GET …/actions/runs/{id}`. Knows a run at once, however late lists show it.
pub(super) fn get(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let id: u64 = call.target.argument.parse().map_err(|_| ApiError::not_found())?;
    let run =
        state.run(id).filter(|run| run.repository_id == repository.id).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(shapes::run::run(&state.urls, repository, run)))
}

/// `POST …/actions/runs/{id}/cancel`. GitHub answers at once and cancels afterwards.
pub(super) fn cancel(state: &mut State, call: &Call, repository: RepositoryId) -> Result<Answer, ApiError> {
    let id: u64 = call.target.argument.parse().map_err(|_| ApiError::not_found())?;
    let run = state.run(id).filter(|run| run.repository_id == repository).ok_or_else(ApiError::not_found)?;
    if run.is_completed() {
        return Err(ApiError::new(409, "Cannot cancel a workflow run that is completed."));
    }
    state.cancel_run(id);
    Ok(Answer::json(202, json!({}).into()))
}

/// `GET …/actions/runs`.
pub(super) fn of_repository(state: &State, call: &Call, repository: &Repository) -> Answer {
    list(state, call, repository, |_| true)
}

/// `GET …/actions/workflows/{id}`.
pub(super) fn workflow(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let workflow = repository.workflow(&call.target.argument).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(shapes::workflow::workflow(&state.urls, repository, workflow)))
}

/// `GET …/actions/workflows/{id}/runs`.
pub(super) fn of_workflow(state: &State, call: &Call, repository: &Repository) -> Result<Answer, ApiError> {
    let workflow = repository.workflow(&call.target.argument).ok_or_else(ApiError::not_found)?.id;
    Ok(list(state, call, repository, |run| run.workflow_id == workflow))
}

fn list(state: &State, call: &Call, repository: &Repository, belongs: impl Fn(&Run) -> bool) -> Answer {
    const FILTERS: &[&str] = &["actor", "branch", "event", "status", "created", "head_sha"];
    let page = Page::of(call);
    let is_search = FILTERS.iter().any(|name| call.parameter(name).is_some());
    let mut found: Vec<&Run> = state
        .runs()
        .rev()
        .filter(|run| {
            run.repository_id == repository.id
                && run.listed.is_visible()
                && belongs(run)
                && matches(call, run)
        })
        .collect();
    let total = found.len();
    if is_search {
        found.truncate(SEARCH_LIMIT);
    }
    let reachable = found.len();
    let shown = page.cut(found.into_iter());
    let rendered = shown.into_iter().map(|run| shapes::run::run(&state.urls, repository, run));
    let body = Json::from(json!({ "total_count": total })).with("workflow_runs", &Json::array(rendered));
    Answer::ok(body).with_link(page.link(&state.urls, call, reachable))
}

fn matches(call: &Call, run: &Run) -> bool {
    let is = |name: &str, value: &str| call.parameter(name).is_none_or(|wanted| wanted == value);
    // `status` takes a conclusion as well.
    let status = call.parameter("status").is_none_or(|wanted| {
        run.status.as_str() == wanted
            || run.conclusion.is_some_and(|conclusion| conclusion.as_str() == wanted)
    });
    status
        && is("actor", &run.actor.login)
        && is("branch", &run.head_branch)
        && is("event", &run.event)
        && is("head_sha", &run.head_sha)
        && call.parameter("created").is_none_or(|range| created_within(range, &rfc3339(run.created_at)))
}

/// GitHub's search syntax for dates: `>=T`, `>T`, `<=T`, `<T`, `A..B`, with `*` for an open end, or a day.
fn created_within(range: &str, created: &str) -> bool {
    let range = range.trim();
    let at_least = |from: &str| from == "*" || created >= from;
    let at_most = |to: &str| to == "*" || created <= to || created.starts_with(to);
    if let Some(from) = range.strip_prefix(">=") {
        at_least(from)
    } else if let Some(to) = range.strip_prefix("<=") {
        at_most(to)
    } else if let Some(from) = range.strip_prefix('>') {
        created > from && !created.starts_with(from)
    } else if let Some(to) = range.strip_prefix('<') {
        created < to
    } else if let Some((from, to)) = range.split_once("..") {
        at_least(from) && at_most(to)
    } else {
        created.starts_with(range)
    }
}

#[cfg(test)]
mod tests {
    use super::created_within;

    #[test]
    fn a_date_range_is_read_as_github_reads_it() {
        let created = "2026-11-24T10:00:05Z";
        for inside in [
            ">=2026-11-24T10:00:05Z",
            ">2026-11-24T10:00:04Z",
            "2026-11-24",
            "2026-11-24T10:00:00Z..*",
            "*..2026-11-24",
            "<2026-11-25",
        ] {
            assert!(created_within(inside, created), "{inside}");
        }
        for outside in [">=2026-11-24T10:00:06Z", ">2026-11-24", "2026-11-23", "*..2026-11-23", "<2026-11-24"]
        {
            assert!(!created_within(outside, created), "{outside}");
        }
    }
}
