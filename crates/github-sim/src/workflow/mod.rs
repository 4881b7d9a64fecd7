//! Workflow files, as far as a dispatch looks into them.

mod expression;

use std::collections::BTreeMap;

use serde_norway::{Mapping, Value};

use crate::state::Run;

/// What the simulation reads from a workflow file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    pub(crate) name: Option<String>,
    pub(crate) run_name: Option<String>,
    /// `on.workflow_dispatch.inputs`; `None` when there is no such trigger.
    pub(crate) dispatch_inputs: Option<BTreeMap<String, Input>>,
    first_job: Option<String>,
}

/// A declared input.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    pub(crate) kind: InputType,
    pub(crate) options: Vec<String>,
}

/// `type` of an input, as far as values are checked against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputType {
    Choice,
    Other,
}

impl Definition {
    /// Reads a file. The error is a reason in words.
    pub(crate) fn parse(yaml: &str) -> Result<Self, String> {
        let file: Value = serde_norway::from_str(yaml).map_err(|error| error.to_string())?;
        let Value::Mapping(file) = file else { return Err("the file is not a mapping".into()) };
        let first_job =
            file.get("jobs").and_then(Value::as_mapping).and_then(|jobs| jobs.keys().next()).and_then(text);
        Ok(Self {
            name: file.get("name").and_then(text),
            run_name: file.get("run-name").and_then(text),
            dispatch_inputs: file.get("on").and_then(dispatch_inputs),
            first_job,
        })
    }

    /// Name of the run's one job.
    pub(crate) fn job_name(&self) -> String {
        self.first_job.clone().unwrap_or_else(|| "build".into())
    }

    /// The title that `run-name` gives a run.
    pub(crate) fn title(&self, run: &Run, full_name: &str) -> Option<String> {
        let title = expression::interpolate(self.run_name.as_deref()?, run, full_name);
        (!title.trim().is_empty()).then_some(title)
    }
}

fn dispatch_inputs(on: &Value) -> Option<BTreeMap<String, Input>> {
    const TRIGGER: &str = "workflow_dispatch";
    match on {
        Value::String(event) => (event == TRIGGER).then(BTreeMap::new),
        Value::Sequence(events) => {
            events.iter().any(|event| event.as_str() == Some(TRIGGER)).then(BTreeMap::new)
        }
        Value::Mapping(events) => {
            let inputs = events.get(TRIGGER)?.get("inputs").and_then(Value::as_mapping);
            Some(inputs.map(declared).unwrap_or_default())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => None,
    }
}

fn declared(inputs: &Mapping) -> BTreeMap<String, Input> {
    inputs.iter().filter_map(|(name, input)| Some((text(name)?, Input::read(input)))).collect()
}

impl Input {
    fn read(input: &Value) -> Self {
        let options = input.get("options").and_then(Value::as_sequence);
        Self {
            required: input.get("required").and_then(Value::as_bool).unwrap_or(false),
            default: input.get("default").and_then(text),
            kind: match input.get("type").and_then(Value::as_str) {
                Some("choice") => InputType::Choice,
                Some(_) | None => InputType::Other,
            },
            options: options.map(|options| options.iter().filter_map(text).collect()).unwrap_or_default(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_the_trigger_is_understood() {
        let inputs = |yaml: &str| Definition::parse(yaml).unwrap().dispatch_inputs.map(|inputs| inputs.len());
        assert_eq!(inputs("on: workflow_dispatch"), Some(0));
        assert_eq!(inputs("on: [push, workflow_dispatch]"), Some(0));
        assert_eq!(inputs("on:\n  workflow_dispatch:"), Some(0));
        assert_eq!(inputs("on:\n  workflow_dispatch:\n    inputs:\n      sha: {required: true}"), Some(1));
        assert_eq!(inputs("on: push"), None);
        assert_eq!(inputs("on:\n  push:\n    branches: [main]"), None);
    }

    #[test]
    fn a_file_that_is_no_mapping_is_refused() {
        assert!(Definition::parse("- a list").is_err());
        assert!(Definition::parse("on: [").is_err());
    }
}
