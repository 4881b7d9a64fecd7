//! A plan for people.

use super::forecast::{Fate, Forecast, Outlook};
use crate::output::counted;
use jiff::Timestamp;
use stackwave_engine::{forecast::path, words::lasted};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

pub(super) fn render(forecast: &Forecast, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(&mut text, forecast, now);
    text
}

fn write(out: &mut String, forecast: &Forecast, now: Timestamp) -> fmt::Result {
    summary(out, forecast)?;
    expected(out, forecast, now)?;
    for (number, stacks) in forecast.waves() {
        writeln!(out, "\nWave {number}: {}", counted(stacks.len(), "stack"))?;
        let lines = stacks.iter().map(|stack| (stack.key.to_string(), calls(stack)));
        table(out, lines)?;
    }
    let skipped = forecast.stacks.iter().filter_map(|stack| match &stack.fate {
        Fate::Skipped(reason) => Some((stack.key.to_string(), reason.clone())),
        Fate::Dispatched(_) | Fate::Refused(_) | Fate::Blocked(_) => None,
    });
    section(out, "Skipped, and ordering passes through", skipped)?;
    let stuck = forecast.stacks.iter().filter_map(|stack| match &stack.fate {
        Fate::Refused(reason) => Some((stack.key.to_string(), reason.to_string())),
        Fate::Blocked(by) => Some((stack.key.to_string(), format!("depends on {by}, which cannot run"))),
        Fate::Dispatched(_) | Fate::Skipped(_) => None,
    });
    section(out, "Cannot run", stuck)?;
    let cycles = forecast.cycles();
    if !cycles.is_empty() {
        writeln!(out, "\nCycles: {}", cycles.len())?;
        for path in cycles {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            writeln!(out, "  {}", path.join(" → "))?;
        }
    }
    if !forecast.edges.is_empty() {
        writeln!(out, "\nEdges: {} (a stack → one that waits for it)", forecast.edges.len())?;
        for (parent, child) in forecast.edges() {
            writeln!(out, "  {parent} → {child}")?;
        }
    }
    if !forecast.warnings.is_empty() {
        writeln!(out, "\nWarnings: {}", forecast.warnings.len())?;
        for warning in &forecast.warnings {
            writeln!(out, "  {warning}")?;
        }
    }
    Ok(())
}

fn summary(out: &mut String, forecast: &Forecast) -> fmt::Result {
    let direct = forecast.stacks.iter().filter(|stack| stack.directly_affected).count();
    writeln!(
        out,
        "{}: {} ({direct} directly affected), {}, {}",
        forecast.trigger,
        counted(forecast.stacks.len(), "stack"),
        counted(forecast.edges.len(), "edge"),
        counted(forecast.waves().len(), "wave"),
    )?;
    let mut workflows: BTreeMap<&str, usize> = BTreeMap::new();
    for stack in &forecast.stacks {
        if let Fate::Dispatched(calls) = &stack.fate {
            for call in calls {
                *workflows.entry(call.workflow.as_str()).or_default() += 1;
            }
        }
    }
    let each: Vec<String> =
        workflows.iter().map(|(workflow, count)| format!("{workflow} × {count}")).collect();
    let each = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
    writeln!(out, "{}{each}", counted(forecast.dispatches(), "workflow dispatch"))?;
    if forecast.stacks.is_empty() {
        writeln!(out, "nothing is affected")?;
    } else if forecast.dispatches() == 0 && !forecast.configured.is_empty() {
        let configured: Vec<&str> = forecast.configured.iter().map(String::as_str).collect();
        writeln!(out, "workflows are configured for {}", configured.join(", "))?;
    }
    Ok(())
}

/// The critical path, and with a history how long it takes.
fn expected(out: &mut String, forecast: &Forecast, now: Timestamp) -> fmt::Result {
    let Some(expected) = &forecast.expected else { return Ok(()) };
    let names = expected.critical_path.iter().map(|index| forecast.stacks[*index].key.to_string());
    writeln!(out, "critical path: {}", path(names))?;
    let Some(takes) = expected.takes else { return Ok(()) };
    let finish = now.checked_add(takes).map(|at| at.strftime("%H:%M UTC").to_string()).unwrap_or_default();
    writeln!(out, "expected: ≈ {}, done at {finish} if it began now ({})", lasted(takes), expected.rests_on)
}

fn calls(stack: &Outlook) -> String {
    let Fate::Dispatched(calls) = &stack.fate else { return String::new() };
    let workflows: Vec<&str> = calls.iter().map(|call| call.workflow.as_str()).collect();
    let direct = if stack.directly_affected { "  (directly affected)" } else { "" };
    workflows.join(", ") + direct
}

fn section(
    out: &mut String,
    title: &str,
    lines: impl Iterator<Item = (String, String)> + Clone,
) -> fmt::Result {
    let count = lines.clone().count();
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", counted(count, "stack"))?;
    table(out, lines)
}

/// Two columns.
fn table(out: &mut String, lines: impl Iterator<Item = (String, String)> + Clone) -> fmt::Result {
    let width = lines.clone().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, what) in lines {
        writeln!(out, "  {name:width$}  {what}")?;
    }
    Ok(())
}
