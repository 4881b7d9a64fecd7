//! A `workflow_run` object.

use super::{MissingField, Object};
use crate::name;
use serde_json::Value;
use stackwave_domain::{
    CommitSha, WorkflowRunId,
    event::{Source, WorkflowRunObserved},
    workflow::{Conclusion, RunStatus},
};

/// Reads a workflow run as it stands.
///
/// # Errors
/// Without id, event, path or commit.
pub fn workflow_run(value: &Value, source: Source) -> Result<WorkflowRunObserved, MissingField> {
    let run = Object::new("workflow_run", value);
    let conclusion = run.text("conclusion").map(Conclusion::from);
    // A run without a status is as far as its conclusion tells.
    let status = run.text("status").map(RunStatus::from).unwrap_or(match conclusion {
        Some(_) => RunStatus::Completed,
        None => RunStatus::Requested,
    });
    Ok(WorkflowRunObserved {
        source,
        run: WorkflowRunId(run.need_number("id")?),
        attempt: run.number("run_attempt").and_then(|attempt| attempt.try_into().ok()).unwrap_or(1),
        workflow: name::workflow_file(run.need_text("path")?),
        title: run.text("display_title").unwrap_or_default().to_owned(),
        event: run.need_text("event")?.to_owned(),
        status,
        conclusion,
        head_branch: run.text("head_branch").map(name::git_ref),
        head_sha: CommitSha::new(run.need_text("head_sha")?),
        actor: run.text("actor.login").map(str::to_owned),
        created_at: run.first_moment(&["created_at", "run_started_at", "updated_at"]),
        updated_at: run.first_moment(&["updated_at", "run_started_at", "created_at"]),
        html_url: run.text("html_url").unwrap_or_default().to_owned(),
    })
}
