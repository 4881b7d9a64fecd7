//! A moment for programs.

use super::{graph, moment::Shown};
use serde_json::{Value, json};
use stackwave_engine::{
    explain::{Cause, explain_in, explain_run},
    forecast::{Forecast, sentence},
    view::{RunView, StackView, Status},
};

/// So many sentences tell why a stack stands as it does.
const MAX_CAUSES: usize = 10;

pub(super) fn render(moment: &Shown<'_>) -> anyhow::Result<String> {
    let (step, steps) = moment.step;
    let record = moment.record.as_ref().map(|(entry, words)| {
        json!({
            "id": entry.record.id,
            "position": entry.position,
            "subject": entry.subject.as_str(),
            "at": entry.record.at,
            "actor": entry.record.actor,
            "cause": entry.record.cause,
            "trace": entry.record.trace,
            "events": words,
        })
    });
    let shown = json!({
        "repository": {"id": moment.about.repository, "name": moment.about.name.as_ref().map(ToString::to_string)},
        "stream": moment.about.stream,
        "position": moment.position(),
        "at": moment.now,
        "step": step,
        "steps": steps,
        "cut": moment.about.cut,
        "record": record,
        "run": moment.run.as_ref().map(|view| run(moment, view)),
        "due": moment.due,
        "comment": moment.comment.as_ref().map(|text| json!({"text": text, "posted": moment.posted})),
    });
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}

fn run(moment: &Shown<'_>, view: &RunView<'_>) -> Value {
    let run = view.run;
    let stacks: Vec<Value> = (0..view.stacks.len()).map(|index| stack(moment, view, index)).collect();
    let totals: Vec<Value> =
        view.totals.iter().map(|(status, count)| json!({"status": word(*status), "count": count})).collect();
    let causes = moment.state.map(|state| explain_run(state, run, moment.now)).unwrap_or_default();
    json!({
        "id": run.id,
        "status": format!("{:?}", view.status).to_lowercase(),
        "reason": view.reason,
        "trigger": run.trigger.to_string(),
        "pull_request": run.pull_request,
        "head_sha": run.head_sha,
        "sha": run.sha,
        "ref": run.git_ref,
        "opened_at": run.opened.0,
        "opened": run.opened.1,
        "totals": totals,
        "forecast": view.forecast.as_ref().map(|expected| forecast(view, expected)),
        "stacks": stacks,
        "edges": run.plan.edges.iter().map(|(parent, child)| json!([parent, child])).collect::<Vec<_>>(),
        "causes": causes.iter().map(cause).collect::<Vec<_>>(),
        "mermaid": graph::mermaid(moment),
    })
}

fn stack(moment: &Shown<'_>, view: &RunView<'_>, index: usize) -> Value {
    let stack: &StackView = &view.stacks[index];
    let causes = match (moment.state, stack.status) {
        (_, Status::Succeeded) | (None, _) => Vec::new(),
        (Some(state), _) => explain_in(state, view, index, MAX_CAUSES, moment.now),
    };
    let runs = stack.workflow_runs.iter().map(|run| {
        json!({"id": run.id, "workflow": run.workflow, "attempt": run.attempt, "html_url": run.html_url})
    });
    json!({
        "component": stack.key.component,
        "stack": stack.key.stack,
        "status": word(stack.status),
        "reason": stack.reason,
        "since": stack.since,
        "wave": stack.wave.map(|wave| wave + 1),
        "directly_affected": stack.directly_affected,
        "parents": stack.parents.iter().map(|parent| view.stacks[*parent].key.to_string()).collect::<Vec<_>>(),
        "workflow_runs": runs.collect::<Vec<_>>(),
        "causes": causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn forecast(view: &RunView<'_>, expected: &Forecast) -> Value {
    let path = expected.critical_path.iter().map(|index| view.run.key(*index).to_string());
    json!({
        "text": sentence(view.run, expected),
        "as_of": expected.at,
        "expected_finish": expected.finish,
        "left_s": expected.left(expected.at).map(|left| left.as_secs()),
        "critical_path": path.collect::<Vec<_>>(),
        "open": expected.open,
        "late": expected.late,
        "awaiting_approval": expected.approvals,
        "rests_on": {
            "same_stack": expected.rests_on.stack,
            "other_stacks": expected.rests_on.others,
            "nothing": expected.rests_on.nothing,
        },
    })
}

pub(super) fn cause(cause: &Cause) -> Value {
    json!({
        "kind": cause.kind.as_str(),
        "stack": cause.stack.as_ref().map(ToString::to_string),
        "text": cause.text,
        "since": cause.since,
        "records": cause.proof,
    })
}

fn word(status: Status) -> String {
    status.as_str().replace(' ', "_")
}
