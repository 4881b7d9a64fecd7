//! Why a run, or a stack of it, stands as it does at a record, and the evidence of its dispatches.

use super::json;
use crate::cli::ReplayFormat;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use stackwave_domain::StackKey;
use stackwave_engine::{
    explain::{Cause, Evidence, explain, explain_dispatch, explain_run},
    state::Run,
};
use stackwave_replay::Player;
use std::io::Write;

/// `stack` is empty for the whole run.
pub(super) fn run(
    player: &Player,
    stack: &str,
    dispatch: bool,
    format: Option<ReplayFormat>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let state = player.repository().context("nothing is known of the repository at this record")?;
    let run = player.run().context("the run is not open yet at this record")?;
    let wanted = if stack.is_empty() { None } else { Some(find(run, stack)?) };
    let causes = match wanted {
        Some(index) => explain(state, run, index, player.now()),
        None => explain_run(state, run, player.now()),
    };
    let mut of_run: Vec<_> = state
        .dispatches
        .values()
        .filter(|_| dispatch)
        .filter(|it| it.run() == &run.id && wanted.is_none_or(|index| it.stack == index))
        .collect();
    of_run.sort_by_key(|dispatch| dispatch.at.1);
    let evidence: Vec<Evidence> = of_run.into_iter().map(|it| explain_dispatch(state, it)).collect();
    if format == Some(ReplayFormat::Json) {
        let causes: Vec<Value> = causes.iter().map(json::cause).collect();
        let evidence: Vec<Value> = evidence.iter().map(proof).collect();
        let told = json!({"run": run.id, "causes": causes, "dispatches": evidence});
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        return Ok(out.flush()?);
    }
    print(&causes, &evidence, out)
}

fn print(causes: &[Cause], evidence: &[Evidence], out: &mut impl Write) -> anyhow::Result<()> {
    for cause in causes {
        let proof: Vec<String> = cause.proof.iter().map(ToString::to_string).collect();
        let proof = if proof.is_empty() { String::new() } else { format!("  [{}]", proof.join(", ")) };
        writeln!(out, "{}{proof}", cause.text)?;
    }
    for evidence in evidence {
        writeln!(out, "\n{evidence}")?;
    }
    Ok(out.flush()?)
}

fn proof(evidence: &Evidence) -> Value {
    let steps = evidence.steps.iter().map(|step| {
        json!({"kind": step.kind.as_str(), "text": step.text, "position": step.position, "at": step.at})
    });
    json!({
        "dispatch": evidence.dispatch,
        "stack": evidence.key.to_string(),
        "workflow": evidence.workflow,
        "ref": evidence.git_ref,
        "attempt": evidence.attempt,
        "workflow_run": evidence.workflow_run,
        "others": evidence.others,
        "verdict": evidence.verdict.as_str(),
        "conclusion": evidence.verdict.sentence(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// A stack by `component/stack`, `component@stack`, or its component alone where that is enough.
fn find(run: &Run, text: &str) -> anyhow::Result<usize> {
    let keys: Vec<&StackKey> = run.plan.stacks.iter().map(|stack| &stack.key).collect();
    let spelled =
        |key: &StackKey| key.to_string() == text || format!("{}@{}", key.component, key.stack) == text;
    if let Some(index) = keys.iter().position(|key| spelled(key)) {
        return Ok(index);
    }
    let named: Vec<usize> =
        keys.iter().enumerate().filter(|(_, key)| key.component.as_str() == text).map(|(i, _)| i).collect();
    match named.as_slice() {
        [only] => Ok(*only),
        [] => bail!("the run has no stack `{text}`"),
        several => {
            bail!("the run has {} stacks of component `{text}`: name one as COMPONENT/STACK", several.len())
        }
    }
}
