//! What a workflow file says about being dispatched: the inputs that it declares, and the title that its runs get.
//!
//! Source: GitHub Docs "Workflow syntax" (`on.workflow_dispatch.inputs`, `run-name`) and "Contexts".

use crate::port::WorkflowDefinition;
use serde_norway::{Mapping, Value};
use stackwave_domain::Inputs;
use std::collections::BTreeSet;

/// Reads a workflow file. A file that is not YAML, or that nobody can dispatch, declares nothing.
#[must_use]
pub fn parse(yaml: &str) -> WorkflowDefinition {
    let Ok(Value::Mapping(file)) = serde_norway::from_str::<Value>(yaml) else {
        return WorkflowDefinition { declared: None, run_name: None, required: BTreeSet::new() };
    };
    let on = triggers(&file);
    WorkflowDefinition {
        declared: on.and_then(declared),
        run_name: file.get("run-name").and_then(text),
        required: on.map(required).unwrap_or_default(),
    }
}

/// `on`; YAML 1.1 reads that word as the boolean `true`.
fn triggers(file: &Mapping) -> Option<&Value> {
    file.get("on").or_else(|| file.get(Value::Bool(true)))
}

fn declared(on: &Value) -> Option<BTreeSet<String>> {
    const DISPATCH: &str = "workflow_dispatch";
    match on {
        Value::String(event) => (event == DISPATCH).then(BTreeSet::new),
        Value::Sequence(events) => {
            events.iter().any(|event| event.as_str() == Some(DISPATCH)).then(BTreeSet::new)
        }
        Value::Mapping(events) => {
            let inputs = events.get(DISPATCH)?.get("inputs").and_then(Value::as_mapping);
            Some(inputs.map(|inputs| inputs.keys().filter_map(text).collect()).unwrap_or_default())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => None,
    }
}

/// A required input with a default may be left out: GitHub then takes the default.
fn required(on: &Value) -> BTreeSet<String> {
    let inputs = on.get("workflow_dispatch").and_then(|dispatch| dispatch.get("inputs"));
    inputs
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
        .filter(|(_, input)| {
            let is_required = input.get("required").and_then(Value::as_bool) == Some(true);
            is_required && input.get("default").is_none_or(Value::is_null)
        })
        .filter_map(|(name, _)| text(name))
        .collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// The exact title of a run that is dispatched with these inputs: known only when `run-name` uses nothing but
/// `${{ inputs.x }}` and `${{ github.event.inputs.x }}`, and every one of them is sent: one that is not takes its default.
/// Trimmed, as GitHub does; an empty title is none, since GitHub then takes another.
#[must_use]
pub fn expected_title(run_name: &str, inputs: &Inputs) -> Option<String> {
    let mut title = String::with_capacity(run_name.len());
    for part in parts(run_name)? {
        match part {
            Part::Literal(text) => title.push_str(text),
            Part::Input(name) => title.push_str(input(inputs, name)?),
            Part::Other => return None,
        }
    }
    let title = title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

/// Whether the title of a run that is dispatched with these inputs holds the dispatch id, whatever else it holds.
#[must_use]
pub fn title_tells(run_name: &str, inputs: &Inputs, dispatch: &str) -> bool {
    !dispatch.is_empty()
        && parts(run_name).is_some_and(|parts| {
            parts.iter().any(|part| match part {
                Part::Input(name) => input(inputs, name).is_some_and(|value| value.contains(dispatch)),
                Part::Literal(_) | Part::Other => false,
            })
        })
}

/// The value of an input; GitHub looks names up in its contexts without regard to case.
fn input<'a>(inputs: &'a Inputs, name: &str) -> Option<&'a str> {
    inputs
        .get(name)
        .or_else(|| inputs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

enum Part<'a> {
    Literal(&'a str),
    Input(&'a str),
    Other,
}

/// `None` when an expression is not closed.
fn parts(run_name: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = run_name;
    while let Some((literal, after)) = rest.split_once("${{") {
        let (expression, tail) = after.split_once("}}")?;
        parts.push(Part::Literal(literal));
        parts.push(expression_part(expression.trim()));
        rest = tail;
    }
    parts.push(Part::Literal(rest));
    Some(parts)
}

fn expression_part(expression: &str) -> Part<'_> {
    ["github.event.inputs.", "inputs."]
        .iter()
        .find_map(|context| {
            let head = expression.get(..context.len())?;
            head.eq_ignore_ascii_case(context).then(|| &expression[context.len()..])
        })
        .filter(|name| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        })
        .map_or(Part::Other, Part::Input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declares(yaml: &str) -> Option<Vec<String>> {
        parse(yaml).declared.map(|names| names.into_iter().collect())
    }

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_workflow_declares_its_inputs_and_its_run_name() {
        let definition = parse(
            "name: plan\nrun-name: plan ${{ inputs.component }}\non:\n  push:\n  workflow_dispatch:\n    inputs:\n      \
             component:\n        required: true\n      sha: {type: string}\n      1: {}\n",
        );
        let declared: Vec<String> = definition.declared.unwrap_or_default().into_iter().collect();
        assert_eq!(declared, ["1", "component", "sha"]);
        assert_eq!(definition.run_name.as_deref(), Some("plan ${{ inputs.component }}"));
    }

    #[test]
    fn an_input_is_required_when_nothing_stands_in_for_it() {
        let definition = parse(
            "on:\n  workflow_dispatch:\n    inputs:\n      stack: {required: true}\n      sha: {required: true, default: main}\n      \
             note: {required: false}\n      more: {}\n",
        );
        assert_eq!(definition.required, BTreeSet::from(["stack".to_owned()]));
        assert!(parse("on: workflow_dispatch").required.is_empty());
    }

    #[test]
    fn every_spelling_of_the_trigger_is_understood() {
        let none: Vec<String> = Vec::new();
        for yaml in [
            "on: workflow_dispatch",
            "on: [push, workflow_dispatch]",
            "on: {workflow_dispatch: }",
            "on: {workflow_dispatch: {inputs: }}",
            "'on': workflow_dispatch",
            "true: {workflow_dispatch: {}}",
        ] {
            assert_eq!(declares(yaml), Some(none.clone()), "{yaml}");
        }
    }

    #[test]
    fn what_nobody_can_dispatch_declares_nothing() {
        for yaml in
            ["on: push", "on: [push]", "on: {push: {}}", "jobs: {}", "- a", "a: b: c", "", "on: 7", "\u{0}"]
        {
            assert_eq!(declares(yaml), None, "{yaml}");
        }
    }

    #[test]
    fn aliases_that_blow_up_are_refused() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{}, ", level - 1).repeat(9);
            yaml.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
        }
        assert_eq!(declares(&yaml), None);
    }

    #[test]
    fn a_title_of_inputs_alone_is_known() {
        let given = inputs(&[("component", "vpc"), ("stack", "prod"), ("atmos_pro_run_id", "swd_1")]);
        for (run_name, title) in [
            ("plan ${{ inputs.component }}/${{inputs.stack}}", Some("plan vpc/prod")),
            ("  ${{ github.event.inputs.atmos_pro_run_id }} ", Some("swd_1")),
            ("${{ INPUTS.Component }}", Some("vpc")),
            ("plan ${{ inputs.missing }}", None),
            ("just words", Some("just words")),
            ("${{ inputs.missing }}", None),
            ("by @${{ github.actor }}", None),
            ("${{ format('{0}', inputs.stack) }}", None),
            ("${{ inputs.stack || 'x' }}", None),
            ("${{ inputs['stack'] }}", None),
            ("${{ inputs.stack", None),
            ("", None),
        ] {
            assert_eq!(expected_title(run_name, &given).as_deref(), title, "{run_name}");
        }
    }

    #[test]
    fn a_title_tells_when_any_input_in_it_holds_the_dispatch_id() {
        let given = inputs(&[("atmos_pro_run_id", "swd_1"), ("stack", "prod")]);
        assert!(title_tells("${{ github.actor }} ${{ inputs.atmos_pro_run_id }}", &given, "swd_1"));
        assert!(!title_tells("${{ inputs.stack }}", &given, "swd_1"));
        assert!(!title_tells("swd_1", &Inputs::default(), "swd_1"));
        assert!(!title_tells("${{ inputs.stack }}", &given, ""));
    }
}
