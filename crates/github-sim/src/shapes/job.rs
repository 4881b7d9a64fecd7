//! Jobs of workflow runs.

use serde_json::{Value, json};

use super::node_id;
use crate::{
    clock::rfc3339,
    json::Json,
    state::{Repository, Run, RunStatus},
    urls::Urls,
};

/// The job of a run.
pub(crate) fn job(urls: &Urls, repository: &Repository, run: &Run) -> Json {
    let full_name = repository.full_name();
    let (api, job) = (urls.repository(&full_name), &run.job);
    let run_url = format!("{api}/actions/runs/{}", run.id);
    let conclusion = run.conclusion.map(|conclusion| conclusion.of_job());
    let status = match run.status {
        RunStatus::Pending => RunStatus::Queued,
        RunStatus::Queued | RunStatus::Waiting | RunStatus::InProgress | RunStatus::Completed => run.status,
    };
    let runner = job.started_at.map(|_| 1_000_000_017);
    let steps = match job.started_at {
        Some(started) => json!([{
            "name": "Run terraform",
            "number": 1,
            "status": if job.completed_at.is_some() { "completed" } else { "in_progress" },
            "conclusion": if job.completed_at.is_some() { step_conclusion(conclusion) } else { Value::Null },
            "started_at": rfc3339(started),
            "completed_at": job.completed_at.map(rfc3339),
        }]),
        None => json!([]),
    };
    json!({
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow_name,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "run_url": run_url,
        "run_attempt": run.attempt,
        "node_id": node_id("CheckRun", job.id),
        "url": format!("{api}/actions/jobs/{}", job.id),
        "html_url": format!("{}/actions/runs/{}/job/{}", urls.page(&full_name), run.id, job.id),
        "status": status.as_str(),
        "conclusion": conclusion,
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(job.started_at.unwrap_or(job.created_at)),
        "completed_at": job.completed_at.map(rfc3339),
        "name": job.name,
        "steps": steps,
        "check_run_url": format!("{api}/check-runs/{}", job.id),
        "labels": ["ubuntu-latest"],
        "runner_id": runner,
        "runner_name": runner.map(|id| format!("GitHub Actions {id}")),
        "runner_group_id": runner.map(|_| 0),
        "runner_group_name": runner.map(|_| "GitHub Actions"),
    })
    .into()
}

/// A step knows fewer conclusions than a job.
fn step_conclusion(of_job: Option<&str>) -> Value {
    match of_job {
        Some(known @ ("success" | "failure" | "skipped" | "cancelled")) => json!(known),
        Some(_) => json!("failure"),
        None => Value::Null,
    }
}
