//! `workflow_dispatch`: the log of requests, and what a request leads to.

use std::{collections::BTreeMap, time::Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Draft, NewRun, Reply, RepositoryId, RunId, State};
use crate::{
    json::Json,
    workflow::{Definition, InputType},
};

/// A request to dispatch a workflow.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Counts the requests from 0.
    pub number: u64,
    /// When the head of the request was read, by the simulation's clock.
    pub at: Timestamp,
    /// The same moment, by the monotonic clock: for measurements.
    pub arrived: Instant,
    /// `owner/name` as the request wrote it.
    pub repository: String,
    /// Id or file name of the workflow as the request wrote it.
    pub workflow: String,
    /// `ref` of the body.
    pub reference: String,
    /// `inputs` of the body, as strings.
    pub inputs: BTreeMap<String, String>,
    /// `return_run_details` of the body.
    pub return_run_details: Option<bool>,
    /// Whether GitHub started a run for it.
    pub outcome: DispatchOutcome,
    /// What the sender got to see.
    pub reply: Reply,
}

/// Whether GitHub started a run for a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatchOutcome {
    /// Not decided, or the request never got that far.
    Pending,
    /// A run was started, whether or not the sender was told so.
    Accepted {
        /// The run.
        run_id: RunId,
    },
    /// Refused.
    Refused {
        /// Status of the answer.
        status: u16,
        /// GitHub's message.
        message: String,
    },
}

impl Dispatch {
    /// An input, or the empty string.
    #[must_use]
    pub fn input(&self, name: &str) -> &str {
        self.inputs.get(name).map_or("", String::as_str)
    }

    /// The run that it started.
    #[must_use]
    pub fn run_id(&self) -> Option<RunId> {
        match self.outcome {
            DispatchOutcome::Accepted { run_id } => Some(run_id),
            DispatchOutcome::Pending | DispatchOutcome::Refused { .. } => None,
        }
    }
}

/// Why a dispatch was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

fn refuse<T>(status: u16, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, message: message.into() })
}

/// GitHub's limit on the characters of the inputs together.
const INPUTS_LIMIT: usize = 65_535;

impl State {
    /// Writes a request down. `body` may be anything.
    pub(crate) fn log_dispatch(
        &mut self,
        repository: String,
        workflow: String,
        body: &[u8],
        arrived: Instant,
    ) -> u64 {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = self.dispatches.len() as u64;
        let inputs = body["inputs"].as_object().map(|inputs| {
            inputs.iter().map(|(name, value)| (name.clone(), input_text(value).unwrap_or_default())).collect()
        });
        self.dispatches.push(Dispatch {
            number,
            at: self.now(),
            arrived,
            repository,
            workflow,
            reference: body["ref"].as_str().unwrap_or_default().to_owned(),
            inputs: inputs.unwrap_or_default(),
            return_run_details: body["return_run_details"].as_bool(),
            outcome: DispatchOutcome::Pending,
            reply: Reply::Pending,
        });
        number
    }

    pub(crate) fn dispatch_mut(&mut self, number: u64) -> Option<&mut Dispatch> {
        self.dispatches.get_mut(usize::try_from(number).ok()?)
    }

    /// Checks a dispatch as GitHub does and starts the run.
    pub(crate) fn dispatch(
        &mut self,
        id: RepositoryId,
        workflow: &str,
        body: &Value,
    ) -> Result<RunId, Refusal> {
        let Some(reference) = body["ref"].as_str() else {
            return refuse(422, "Invalid request.\n\n\"ref\" wasn't supplied.");
        };
        let Ok(repository) = self.known_repository(id) else { return refuse(404, "Not Found") };
        let Some(known) = repository.workflow(workflow) else { return refuse(404, "Not Found") };
        if !known.enabled {
            return refuse(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
        }
        let path = known.path.clone();
        let (head_branch, full_ref) = if let Some(found) = full_reference(repository, reference) {
            found
        } else {
            return refuse(422, format!("No ref found for: {reference}"));
        };
        let Some(commit) = repository.resolve(&full_ref) else {
            return refuse(422, format!("No ref found for: {reference}"));
        };
        let head_sha = commit.sha.clone();
        let definition = match self.definition(commit, &path) {
            Some(Ok(definition)) => definition,
            Some(Err(reason)) => return refuse(422, format!("failed to parse workflow: {reason}")),
            None => return refuse(422, "Workflow does not have 'workflow_dispatch' trigger"),
        };
        let inputs = self.check_inputs(definition, body)?;
        let actor = self.our_bot();
        self.send_dispatch(id, &path, &full_ref, &inputs);
        let event = "workflow_dispatch".to_owned();
        let new = NewRun { repository: id, path, event, head_branch, head_sha, inputs, actor, title: None };
        self.start_run(new).or_else(|_| refuse(404, "Not Found"))
    }

    fn check_inputs(
        &self,
        definition: &Definition,
        body: &Value,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let limit = self.config.host.inputs_limit();
        let Some(declared) = &definition.dispatch_inputs else {
            return refuse(422, "Workflow does not have 'workflow_dispatch' trigger");
        };
        if declared.len() > limit {
            let message = format!(
                "failed to parse workflow: you may only define up to {limit} `inputs` for a `workflow_dispatch` event"
            );
            return refuse(422, message);
        }
        let empty = serde_json::Map::new();
        let given = match &body["inputs"] {
            Value::Null => &empty,
            Value::Object(given) => given,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return refuse(
                    422,
                    "Invalid request.\n\nFor 'properties/inputs', the value is not an object.",
                );
            }
        };
        if given.len() > limit {
            let message = format!(
                "Invalid request.\n\nNo more than {limit} properties are allowed; {} were supplied.",
                given.len()
            );
            return refuse(422, message);
        }
        if body["inputs"].to_string().chars().count() > INPUTS_LIMIT {
            return refuse(422, "inputs are too large.");
        }
        let unexpected: Vec<_> = given.keys().filter(|name| !declared.contains_key(*name)).collect();
        if !unexpected.is_empty() {
            return refuse(422, format!("Unexpected inputs provided: {}", json!(unexpected)));
        }
        let mut inputs = BTreeMap::new();
        for (name, input) in declared {
            let value = match given.get(name) {
                Some(value) => match input_text(value) {
                    Some(text) => text,
                    None => {
                        return refuse(
                            422,
                            format!("Invalid request.\n\nFor 'inputs/{name}', the value is not a string."),
                        );
                    }
                },
                None if input.required && input.default.is_none() => {
                    return refuse(422, format!("Required input '{name}' not provided"));
                }
                None => input.default.clone().unwrap_or_default(),
            };
            if input.kind == InputType::Choice && !input.options.contains(&value) {
                return refuse(
                    422,
                    format!("Provided value '{value}' for input '{name}' not in the list of allowed values"),
                );
            }
            inputs.insert(name.clone(), value);
        }
        Ok(inputs)
    }

    fn send_dispatch(
        &mut self,
        id: RepositoryId,
        path: &str,
        full_ref: &str,
        inputs: &BTreeMap<String, String>,
    ) {
        let values: Vec<_> = inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.emit(Draft {
            event: "workflow_dispatch",
            action: None,
            repository: Some(id),
            subject: format!("dispatch/{path}/{}", values.join(",")),
            sender: self.our_bot(),
            body: Json::from(json!({ "inputs": inputs, "ref": full_ref, "workflow": path })),
        });
    }
}

/// Short name and full ref of a branch or tag. A bare name means the branch first.
fn full_reference(repository: &super::Repository, reference: &str) -> Option<(String, String)> {
    let is_full = reference.starts_with("refs/");
    let short = |prefix: &str| if is_full { reference.strip_prefix(prefix) } else { Some(reference) };
    let found = |prefix: &str, names: &BTreeMap<String, String>| {
        let name = short(prefix).filter(|name| names.contains_key(*name))?;
        Some((name.to_owned(), format!("{prefix}{name}")))
    };
    found("refs/heads/", &repository.branches).or_else(|| found("refs/tags/", &repository.tags))
}

/// Workflows see every input as a string.
fn input_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
