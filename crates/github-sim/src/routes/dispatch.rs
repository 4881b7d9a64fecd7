//! The form of a dispatch: which keys a body may have, and what a run is answered with.

use serde_json::json;

use crate::{
    server::{Answer, ApiError, Call},
    shapes,
    state::{RunId, State},
};

/// Refuses a key that the host does not know, and a body that is no object.
pub(crate) fn check_keys(state: &State, call: &Call) -> Result<(), ApiError> {
    let body = call.json();
    let Some(fields) = body.as_object() else { return Err(ApiError::new(400, "Problems parsing JSON")) };
    let details = state.config.host.knows_run_details();
    let known = |key: &str| ["ref", "inputs"].contains(&key) || (key == "return_run_details" && details);
    match fields.keys().find(|key| !known(key)) {
        None => Ok(()),
        // What api.github.com does with other unknown keys is the same; only the status was seen to differ.
        Some(key) => {
            let status = if key == "return_run_details" { 400 } else { 422 };
            Err(ApiError::new(status, format!("Invalid request.\n\n\"{key}\" is not a permitted key.")))
        }
    }
}

/// 204, or 200 with the run where the host, the API version and the request say so.
pub(crate) fn answer(state: &State, call: &Call, run: RunId) -> Answer {
    let asked = call.json()["return_run_details"].as_bool() == Some(true);
    let repository = state.run(run).and_then(|run| state.repository(run.repository_id));
    let Some(repository) =
        repository.filter(|_| state.config.host.knows_run_details() && (asked || call.is_version_2026()))
    else {
        return Answer::no_content();
    };
    Answer::ok(
        json!({
            "workflow_run_id": run,
            "run_url": format!("{}/actions/runs/{run}", state.urls.repository(&repository.full_name())),
            "html_url": shapes::run::page(&state.urls, repository, run),
        })
        .into(),
    )
}
