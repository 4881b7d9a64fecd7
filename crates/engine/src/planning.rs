//! From what an upload says to what a run intends (contract §5 and §6).

use crate::{graph::Graph, template};
use stackwave_domain::{
    CommitSha, Fragment, RunPlan,
    event::Trigger,
    fragment::{AffectedStack, WorkflowCall},
    plan::{PlannedStack, RefuseReason, SkipReason, Verdict},
};
use std::collections::BTreeSet;

/// Plans a run: which stacks are dispatched with which calls, which are skipped or cannot run, and why.
#[must_use]
pub fn plan(fragment: &Fragment, trigger: &Trigger, sha: &CommitSha) -> RunPlan {
    let cycles = Graph::new(fragment.stacks.len(), &fragment.edges).cycles();
    let stacks = fragment
        .stacks
        .iter()
        .enumerate()
        .map(|(index, stack)| PlannedStack {
            key: stack.key.clone(),
            directly_affected: stack.directly_affected,
            verdict: match cycles.get(&index) {
                Some(path) => Verdict::Refuse(RefuseReason::Cycle {
                    path: path.iter().filter_map(|on| Some(fragment.stacks.get(*on)?.key.clone())).collect(),
                }),
                None => verdict(stack, trigger, sha),
            },
        })
        .collect();
    RunPlan { stacks, edges: fragment.edges.clone(), warnings: fragment.warnings.clone() }
}

fn verdict(stack: &AffectedStack, trigger: &Trigger, sha: &CommitSha) -> Verdict {
    if let Some(what) = &stack.deleted {
        return Verdict::Skip(SkipReason::Deleted { what: what.clone() });
    }
    let Some(pro) = &stack.pro else { return Verdict::Skip(SkipReason::NoProSettings) };
    if !pro.enabled {
        return Verdict::Skip(SkipReason::Disabled);
    }
    let activity = activity_for(stack, trigger);
    let mut calls = Vec::new();
    for call in pro.calls_on(&activity) {
        match filled(call, stack, sha) {
            Ok(call) => calls.push(call),
            Err(reason) => return Verdict::Refuse(reason),
        }
    }
    if calls.is_empty() {
        return Verdict::Skip(SkipReason::NoWorkflow { activity: trigger.to_string() });
    }
    calls.sort();
    Verdict::Dispatch(calls)
}

/// A merge group without an activity of its own is checked like a push to the pull request.
fn activity_for(stack: &AffectedStack, trigger: &Trigger) -> String {
    let own = trigger.to_string();
    let configured = stack.pro.as_ref().is_some_and(|pro| pro.has_activity(&own));
    if own == "merge_group.checks_requested" && !configured {
        "pull_request.synchronize".to_owned()
    } else {
        own
    }
}

fn filled(call: &WorkflowCall, stack: &AffectedStack, sha: &CommitSha) -> Result<WorkflowCall, RefuseReason> {
    let fill = |(input, value)| {
        template::fill(value, &stack.key, sha)
            .map(|value| (input, value))
            .map_err(|expression| RefuseReason::Template { input: str::to_owned(input), expression })
    };
    let inputs: Result<_, _> = call.inputs.iter().map(fill).collect();
    Ok(WorkflowCall { workflow: call.workflow.clone(), inputs: inputs? })
}

/// Every activity that an enabled stack configures: optional ones (`labeled`, `released`, …) open a run only then.
pub(crate) fn activities(fragment: &Fragment) -> BTreeSet<String> {
    let mut activities = BTreeSet::new();
    for pro in fragment.stacks.iter().filter_map(|stack| stack.pro.as_ref()).filter(|pro| pro.enabled) {
        for activity in pro.on.keys().filter(|activity| !activities.contains(*activity)).collect::<Vec<_>>() {
            activities.insert(activity.clone());
        }
    }
    activities
}
