//! A plan for programs. The shape is part of the command line: fields are added, never renamed.

use super::forecast::{Fate, Forecast, Outlook};
use jiff::Timestamp;
use serde::Serialize;
use stackwave_domain::{StackKey, fragment::WorkflowCall, plan::RefuseReason};

#[derive(Serialize)]
struct Plan<'a> {
    trigger: String,
    totals: Totals,
    stacks: Vec<Stack<'a>>,
    edges: Vec<Edge<'a>>,
    cycles: Vec<&'a [StackKey]>,
    warnings: &'a [String],
    expected: Option<Expected<'a>>,
}

/// What is to be expected; moments only with a history.
#[derive(Serialize)]
struct Expected<'a> {
    critical_path: Vec<&'a StackKey>,
    takes_s: Option<i64>,
    finish_if_begun_now: Option<Timestamp>,
    rests_on: RestsOn,
}

/// On whose past the estimates of so many stacks rest.
#[derive(Serialize)]
struct RestsOn {
    same_stack: usize,
    other_stacks: usize,
    nothing: usize,
}

#[derive(Default, Serialize)]
struct Totals {
    stacks: usize,
    edges: usize,
    waves: usize,
    dispatches: usize,
    skipped: usize,
    refused: usize,
    blocked: usize,
}

#[derive(Serialize)]
struct Stack<'a> {
    #[serde(flatten)]
    key: &'a StackKey,
    directly_affected: bool,
    wave: Option<u32>,
    #[serde(flatten)]
    action: Action<'a>,
}

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action<'a> {
    Dispatch {
        workflows: &'a [WorkflowCall],
    },
    Skip {
        reason: &'a str,
    },
    Refuse {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cycle: Option<&'a [StackKey]>,
    },
    Block {
        by: &'a StackKey,
    },
}

#[derive(Serialize)]
struct Edge<'a> {
    parent: &'a StackKey,
    child: &'a StackKey,
}

pub(super) fn render(forecast: &Forecast, now: Timestamp) -> serde_json::Result<String> {
    let plan = Plan {
        trigger: forecast.trigger.to_string(),
        totals: totals(forecast),
        stacks: forecast.stacks.iter().map(stack).collect(),
        edges: forecast.edges().map(|(parent, child)| Edge { parent, child }).collect(),
        cycles: forecast.cycles().into_iter().collect(),
        warnings: &forecast.warnings,
        expected: expected(forecast, now),
    };
    Ok(serde_json::to_string_pretty(&plan)? + "\n")
}

fn expected(forecast: &Forecast, now: Timestamp) -> Option<Expected<'_>> {
    let expected = forecast.expected.as_ref()?;
    let rests_on = &expected.rests_on;
    Some(Expected {
        critical_path: expected.critical_path.iter().map(|index| &forecast.stacks[*index].key).collect(),
        takes_s: expected.takes.map(|takes| takes.as_secs()),
        finish_if_begun_now: expected.takes.and_then(|takes| now.checked_add(takes).ok()),
        rests_on: RestsOn {
            same_stack: rests_on.stack,
            other_stacks: rests_on.others,
            nothing: rests_on.nothing,
        },
    })
}

fn totals(forecast: &Forecast) -> Totals {
    let mut totals = Totals {
        stacks: forecast.stacks.len(),
        edges: forecast.edges.len(),
        waves: forecast.waves().len(),
        dispatches: forecast.dispatches(),
        ..Totals::default()
    };
    for stack in &forecast.stacks {
        match &stack.fate {
            Fate::Dispatched(_) => {}
            Fate::Skipped(_) => totals.skipped += 1,
            Fate::Refused(_) => totals.refused += 1,
            Fate::Blocked(_) => totals.blocked += 1,
        }
    }
    totals
}

fn stack(stack: &Outlook) -> Stack<'_> {
    let action = match &stack.fate {
        Fate::Dispatched(calls) => Action::Dispatch { workflows: calls },
        Fate::Skipped(reason) => Action::Skip { reason },
        Fate::Refused(reason) => Action::Refuse {
            reason: reason.to_string(),
            cycle: match reason {
                RefuseReason::Cycle { path } => Some(path),
                RefuseReason::Template { .. } => None,
            },
        },
        Fate::Blocked(by) => Action::Block { by },
    };
    Stack { key: &stack.key, directly_affected: stack.directly_affected, wave: stack.wave, action }
}
