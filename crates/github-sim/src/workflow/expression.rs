//! The part of GitHub's expression language that `run-name` uses: property paths, string literals, `||` and `&&`.

use crate::state::Run;

/// Replaces each `${{ … }}`. What it does not know becomes the empty string, as at GitHub.
pub(super) fn interpolate(template: &str, run: &Run, full_name: &str) -> String {
    let mut result = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${{") {
        result.push_str(before);
        let Some((expression, after)) = after.split_once("}}") else { break };
        result.push_str(&evaluate(expression, run, full_name));
        rest = after;
    }
    result.push_str(rest);
    result
}

/// `a || b` is the first of them that is not empty, `a && b` is `b` if `a` is not empty.
fn evaluate(expression: &str, run: &Run, full_name: &str) -> String {
    let conjunction = |terms: &str| {
        let mut value = String::new();
        for term in terms.split("&&") {
            value = lookup(term.trim(), run, full_name);
            if value.is_empty() {
                break;
            }
        }
        value
    };
    expression.split("||").map(conjunction).find(|value| !value.is_empty()).unwrap_or_default()
}

fn lookup(term: &str, run: &Run, full_name: &str) -> String {
    if let Some(literal) = term.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return literal.replace("''", "'");
    }
    let path = term.replace("['", ".").replace("']", "");
    if let Some(input) = path.strip_prefix("inputs.").or_else(|| path.strip_prefix("github.event.inputs.")) {
        return run.input(input).to_owned();
    }
    match path.as_str() {
        "github.actor" | "github.triggering_actor" => run.actor.login.clone(),
        "github.event_name" => run.event.clone(),
        "github.ref" => format!("refs/heads/{}", run.head_branch),
        "github.ref_name" => run.head_branch.clone(),
        "github.repository" => full_name.to_owned(),
        "github.run_attempt" => run.attempt.to_string(),
        "github.run_id" => run.id.to_string(),
        "github.run_number" => run.number.to_string(),
        "github.sha" => run.head_sha.clone(),
        "github.workflow" => run.workflow_name.clone(),
        _ => String::new(),
    }
}
