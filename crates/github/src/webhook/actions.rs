//! Events of GitHub Actions.

use super::{Delivery, Outcome, Read};
use crate::{
    name,
    object::{self, MissingField, Object},
};
use serde_json::Value;
use stackwave_domain::{
    Inputs, WorkflowRunId,
    event::{WorkflowDispatchObserved, WorkflowJobWaiting},
    workflow::RunStatus,
};

impl Delivery<'_> {
    pub(super) fn workflow_run(&self) -> Read {
        let mut value = self.payload.part("workflow_run");
        let run = Object::new("workflow_run", &value);
        if run.need_text("event")? != "workflow_dispatch" {
            return Ok(Outcome::Drop("a workflow run of ordinary CI"));
        }
        // Older hosts tell the path in `workflow` alone.
        if run.text("path").is_none() {
            let workflow = self.payload.part("workflow");
            if let (Some(path), Some(fields)) = (workflow.get("path"), value.as_object_mut()) {
                fields.insert("path".to_owned(), path.clone());
            }
        }
        let told = Object::new("workflow_run", &value).text("status").is_some();
        let mut observed = object::workflow_run(&value, self.source())?;
        if let (false, Some(action)) = (told, self.action()) {
            observed.status = RunStatus::from(action);
        }
        Ok(Outcome::Repository(observed.into()))
    }

    pub(super) fn workflow_job(&self) -> Read {
        let value = self.payload.part("workflow_job");
        if value.is_null() {
            // Seen in the field: GitHub sends the event without the job.
            return Ok(Outcome::Drop("a workflow job event without its job"));
        }
        if self.action().as_deref() != Some("waiting") {
            return Ok(Outcome::Drop("a workflow job that waits for nobody"));
        }
        let job = Object::new("workflow_job", &value);
        let waiting = WorkflowJobWaiting {
            source: self.source(),
            run: WorkflowRunId(job.need_number("run_id")?),
            attempt: job.number("run_attempt").and_then(|attempt| attempt.try_into().ok()).unwrap_or(1),
            job: job.need_number("id")?,
            name: job.text("name").unwrap_or_default().to_owned(),
            at: job.first_moment(&["started_at", "created_at"]),
        };
        Ok(Outcome::Repository(waiting.into()))
    }

    pub(super) fn workflow_dispatch(&self) -> Read {
        let workflow = self.need_text("workflow")?;
        let observed = WorkflowDispatchObserved {
            source: self.source(),
            workflow: name::workflow_file(&workflow),
            git_ref: name::git_ref(&self.need_text("ref")?),
            inputs: inputs(self.payload.part("inputs"))?,
            sender: self.sender(),
        };
        Ok(Outcome::Repository(observed.into()))
    }
}

/// Inputs as texts, however they were sent; null stands for none.
fn inputs(value: Value) -> Result<Inputs, MissingField> {
    match value {
        Value::Null => Ok(Inputs::default()),
        Value::Object(fields) => Ok(fields.into_iter().map(|(name, value)| (name, input(value))).collect()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(MissingField("inputs".to_owned()))
        }
    }
}

fn input(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
