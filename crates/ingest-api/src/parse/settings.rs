//! `settings.pro` of one stack (contract §6): which workflows run on which activity.
//!
//! Atmos treats it as opaque and so does everything here that is not needed: unknown keys are passed over. What is
//! needed must have the right type; the problem names the field.

use super::{
    json::{Kind, SyntaxError, Value},
    problem::{Problem, join},
};
use stackwave_domain::{
    Inputs, WorkflowFile,
    fragment::{ProSettings, WorkflowCall},
};

/// GitHub's own activity types, and `merged`, which Atmos adds. Another name may stand there for anything (a flag, a
/// note) and counts only when it looks like an activity.
const PULL_REQUEST: &[&str] = &[
    "opened",
    "synchronize",
    "reopened",
    "merged",
    "closed",
    "edited",
    "labeled",
    "unlabeled",
    "ready_for_review",
    "converted_to_draft",
    "assigned",
    "unassigned",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "enqueued",
    "dequeued",
    "milestoned",
    "demilestoned",
    "locked",
    "unlocked",
];
const RELEASE: &[&str] =
    &["published", "released", "prereleased", "created", "edited", "deleted", "unpublished"];

/// Events whose activities may start workflows, and the activities that each is known to have.
const EVENTS: &[(&str, &[&str])] = &[
    ("pull_request", PULL_REQUEST),
    ("merge_group", &["checks_requested"]),
    ("release", RELEASE),
    ("drift_detection", &["detect", "remediate"]),
];

/// Different workflow calls that one stack may configure, over all its activities.
const MAX_CALLS: usize = 200;

/// The longest name of a workflow file or an input, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// What one stack's settings say.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) pro: ProSettings,
    /// What is wrong; fields are relative to the `pro` block.
    pub(super) problems: Vec<Problem>,
    /// How many inputs were read.
    pub(super) inputs: usize,
}

/// Reads the `pro` block, an object.
pub(super) fn parse(pro: Value<'_>) -> Result<Parsed, SyntaxError> {
    let mut parsed = Parsed::default();
    parsed.pro.enabled = true;
    let Some(mut members) = pro.members() else {
        parsed.problem("", &format!("must be an object, not {}", pro.kind()));
        return Ok(parsed);
    };
    while let Some((name, value)) = members.next()? {
        if name == "enabled" {
            // Missing or anything but a boolean means enabled (contract §6).
            parsed.pro.enabled = value.raw() != "false";
        } else if let Some((event, activities)) = EVENTS.iter().find(|(event, _)| *event == name) {
            parsed.event(event, activities, value)?;
        }
    }
    Ok(parsed)
}

impl Parsed {
    fn problem(&mut self, field: &str, what: &str) {
        self.problems.push(Problem::new(field, what));
    }

    fn event(&mut self, event: &str, known: &[&str], value: Value<'_>) -> Result<(), SyntaxError> {
        let Some(mut members) = self.object(event, value) else { return Ok(()) };
        while let Some((name, value)) = members.next()? {
            let known = known.contains(&name.as_ref());
            if !known && (event == "drift_detection" || value.kind() != Kind::Object) {
                continue;
            }
            self.activity(&format!("{event}.{name}"), &join(event, &segment(&name)), value)?;
        }
        Ok(())
    }

    fn activity(&mut self, activity: &str, field: &str, value: Value<'_>) -> Result<(), SyntaxError> {
        let Some(mut members) = self.object(field, value) else { return Ok(()) };
        while let Some((name, value)) = members.next()? {
            if name == "workflows" {
                self.workflows(activity, &join(field, "workflows"), value)?;
            }
        }
        Ok(())
    }

    fn workflows(&mut self, activity: &str, field: &str, value: Value<'_>) -> Result<(), SyntaxError> {
        let Some(mut members) = self.object(field, value) else { return Ok(()) };
        while let Some((file, value)) = members.next()? {
            let field = format!("{field}{}", index(&file));
            if file.is_empty() || file.len() > MAX_NAME_BYTES {
                self.problem(&field, "is no name of a workflow file");
                continue;
            }
            let inputs = self.workflow(&field, value)?;
            if self.pro.calls.len() >= MAX_CALLS {
                self.problem(
                    &field,
                    &format!("is one too many: a stack may configure {MAX_CALLS} workflow calls"),
                );
                return Ok(());
            }
            self.pro.add_call(activity, WorkflowCall { workflow: WorkflowFile::new(file), inputs });
        }
        Ok(())
    }

    fn workflow(&mut self, field: &str, value: Value<'_>) -> Result<Inputs, SyntaxError> {
        let mut inputs = Inputs::default();
        let Some(mut members) = self.object(field, value) else { return Ok(inputs) };
        while let Some((name, value)) = members.next()? {
            if name == "inputs" {
                inputs = self.inputs(&join(field, "inputs"), value)?;
            }
        }
        Ok(inputs)
    }

    fn inputs(&mut self, field: &str, value: Value<'_>) -> Result<Inputs, SyntaxError> {
        let mut inputs = Vec::new();
        let Some(mut members) = self.object(field, value) else { return Ok(Inputs::default()) };
        while let Some((name, value)) = members.next()? {
            self.inputs += 1;
            if name.len() > MAX_NAME_BYTES {
                self.problem(&join(field, &segment(&name)), "has too long a name");
                continue;
            }
            let text = match value.kind() {
                Kind::String => value.string()?.unwrap_or_default().into_owned(),
                Kind::Number | Kind::Bool => value.raw().to_owned(),
                Kind::Null => String::new(),
                kind @ (Kind::Object | Kind::Array) => {
                    let what = format!("must be a string, a number or a boolean, not {kind}");
                    self.problem(&join(field, &segment(&name)), &what);
                    continue;
                }
            };
            inputs.push((name.into_owned(), text));
        }
        Ok(inputs.into_iter().collect())
    }

    /// The members of an object; none for null, and a problem for anything else.
    fn object<'a>(&mut self, field: &str, value: Value<'a>) -> Option<super::json::Members<'a>> {
        let value = value.non_null()?;
        let members = value.members();
        if members.is_none() {
            self.problem(field, &format!("must be an object, not {}", value.kind()));
        }
        members
    }
}

/// A name as a path shows it after a dot, or in brackets when it holds more than letters.
fn segment(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain && !name.is_empty() && name.len() <= MAX_NAME_BYTES { name.to_owned() } else { index(name) }
}

/// A name in brackets, shortened when it is very long.
fn index(name: &str) -> String {
    let mut short: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    if name.chars().nth(64).is_some() {
        short.push('…');
    }
    format!("[\"{short}\"]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::json::Cursor;
    use std::fmt::Write as _;

    fn read(text: &str) -> Parsed {
        parse(Cursor::new(text).value().unwrap()).unwrap()
    }

    fn problems(text: &str) -> Vec<String> {
        read(text).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_stack_is_enabled_unless_it_says_false() {
        for (text, enabled) in [
            ("{}", true),
            (r#"{"enabled":true}"#, true),
            (r#"{"enabled":"no"}"#, true),
            (r#"{"enabled":null}"#, true),
            (r#"{"enabled":false}"#, false),
        ] {
            assert_eq!(read(text).pro.enabled, enabled, "{text}");
        }
    }

    #[test]
    fn every_event_and_activity_gives_its_calls_and_equal_calls_are_shared() {
        let parsed = read(
            r#"{"pull_request":{"opened":{"workflows":{"plan.yaml":{"inputs":{"a":"1"}}}},
                 "synchronize":{"workflows":{"plan.yaml":{"inputs":{"a":"1"}}}},
                 "some_day":{"workflows":{"plan.yaml":null}}},
               "merge_group":{"checks_requested":{"workflows":{"plan.yaml":{"inputs":null}}}},
               "release":{"released":{"workflows":{"apply.yaml":{}}}},
               "drift_detection":{"enabled":true,"detect":{"workflows":{"plan.yaml":{}}},"other":{"workflows":{"x":{}}}},
               "schedule":{"daily":{"workflows":{"x.yaml":7}}}}"#,
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.pro.calls.len(), 3);
        let activities: Vec<_> = parsed.pro.on.keys().map(String::as_str).collect();
        assert_eq!(
            activities,
            [
                "drift_detection.detect",
                "merge_group.checks_requested",
                "pull_request.opened",
                "pull_request.some_day",
                "pull_request.synchronize",
                "release.released"
            ]
        );
    }

    #[test]
    fn inputs_become_texts_as_json_prints_them() {
        let parsed = read(
            r#"{"release":{"published":{"workflows":{"a.yaml":{"inputs":
                {"s":"x\"y","n":1.50,"big":12345678901234567890,"t":true,"nil":null}}}}}}"#,
        );
        let inputs = &parsed.pro.calls[0].inputs;
        let pairs: Vec<_> = inputs.iter().collect();
        assert_eq!(
            pairs,
            [("big", "12345678901234567890"), ("n", "1.50"), ("nil", ""), ("s", "x\"y"), ("t", "true")]
        );
        assert_eq!(parsed.inputs, 5);
    }

    #[test]
    fn wrong_types_are_named_by_field() {
        assert_eq!(problems("[]"), ["the body must be an object, not an array"]);
        assert_eq!(
            problems(
                r#"{"pull_request":{"opened":"x","merged":{"workflows":["a"]},"note":"fine"},
                    "merge_group":7,
                    "release":{"released":{"workflows":{"a.yaml":{"inputs":{"x":[1],"y z":{}}},"b.yaml":[]}}},
                    "drift_detection":{"detect":false}}"#
            ),
            [
                "`pull_request.opened` must be an object, not a string",
                "`pull_request.merged.workflows` must be an object, not an array",
                "`merge_group` must be an object, not a number",
                "`release.released.workflows[\"a.yaml\"].inputs.x` must be a string, a number or a boolean, not an array",
                "`release.released.workflows[\"a.yaml\"].inputs[\"y z\"]` must be a string, a number or a boolean, not an object",
                "`release.released.workflows[\"b.yaml\"]` must be an object, not an array",
                "`drift_detection.detect` must be an object, not a boolean",
            ]
        );
    }

    #[test]
    fn endless_calls_are_refused() {
        let mut workflows = String::new();
        for number in 0..5_000 {
            write!(workflows, "\"w{number}.yaml\":{{}},").unwrap();
        }
        let text = format!(r#"{{"release":{{"released":{{"workflows":{{{workflows}"last":{{}}}}}}}}}}"#);
        let parsed = read(&text);
        assert_eq!(parsed.pro.calls.len(), 200);
        assert_eq!(
            parsed.problems[0].to_string(),
            "`release.released.workflows[\"w200.yaml\"]` is one too many: a stack may configure 200 workflow calls"
        );
    }
}
