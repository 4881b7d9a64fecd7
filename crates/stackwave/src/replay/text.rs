//! A moment for people.

use super::{graph, moment::Shown};
use crate::output::counted;
use stackwave_engine::{
    forecast,
    view::{RunView, StackView},
    words::{between, lasted},
};
use std::fmt::{self, Write as _};

/// So many events of a record are told.
const MAX_EVENTS: usize = 20;

pub(super) fn render(moment: &Shown<'_>) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(&mut text, moment);
    text
}

/// The table of stacks alone.
pub(super) fn table(moment: &Shown<'_>) -> String {
    let mut text = String::new();
    if let Some(run) = &moment.run {
        let _ = stacks(&mut text, run, moment);
    }
    text
}

fn write(out: &mut String, moment: &Shown<'_>) -> fmt::Result {
    let about = moment.about;
    let repository = about.name.as_ref().map_or_else(|| about.repository.to_string(), ToString::to_string);
    let (step, steps) = moment.step;
    match &moment.record {
        Some((entry, _)) => writeln!(
            out,
            "{repository}  {}:{}  {:.3}  record {step} of {steps}",
            about.stream, entry.position, moment.now
        )?,
        None => writeln!(out, "{repository}  {}  before the first of {steps} records", about.stream)?,
    }
    if about.cut {
        writeln!(
            out,
            "(records before {}:{} are left out; --whole folds them too)",
            about.stream, about.from
        )?;
    }
    if let Some((entry, events)) = &moment.record {
        writeln!(out, "\nRecord {} by {}, on {}", entry.record.id, entry.record.actor, entry.subject.kind())?;
        for event in events.iter().take(MAX_EVENTS) {
            writeln!(out, "  {event}")?;
        }
        if events.len() > MAX_EVENTS {
            writeln!(out, "  and {} more", events.len() - MAX_EVENTS)?;
        }
    }
    match &moment.run {
        None => writeln!(out, "\nThe run is not open yet.")?,
        Some(run) => {
            headline(out, run)?;
            stacks(out, run, moment)?;
            writeln!(out, "\nGraph")?;
            for wave in graph::waves(run).lines() {
                writeln!(out, "  {wave}")?;
            }
        }
    }
    writeln!(
        out,
        "\nDue: {}",
        if moment.due.is_empty() { "nothing".to_owned() } else { counted(moment.due.len(), "action") }
    )?;
    for due in &moment.due {
        writeln!(out, "  {}: {} {}", due.role, due.action, due.about)?;
    }
    if let Some(comment) = &moment.comment {
        let posted = if moment.posted { "as it was posted" } else { "as it should be; not posted yet" };
        writeln!(out, "\nComment ({posted})")?;
        for line in comment.lines() {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn headline(out: &mut String, view: &RunView<'_>) -> fmt::Result {
    let run = view.run;
    let status = format!("{:?}", view.status).to_lowercase();
    writeln!(out, "\nRun {}: {status}", run.id)?;
    if let Some(reason) = &view.reason {
        writeln!(out, "  {reason}")?;
    }
    writeln!(
        out,
        "  {} at {}, opened {:.3} at {}",
        run.trigger,
        run.head_sha.short(),
        run.opened.0,
        run.opened.1
    )?;
    let totals: Vec<String> =
        view.totals.iter().map(|(status, count)| format!("{count} {}", status.as_str())).collect();
    writeln!(out, "  {}: {}", counted(view.stacks.len(), "stack"), totals.join(", "))?;
    if let Some(expected) = &view.forecast {
        writeln!(out, "  {} ({})", forecast::sentence(run, expected), expected.rests_on)?;
    }
    writeln!(out)
}

fn stacks(out: &mut String, view: &RunView<'_>, moment: &Shown<'_>) -> fmt::Result {
    // What has no wave comes last.
    let mut by_wave: Vec<&StackView> = view.stacks.iter().collect();
    by_wave.sort_by_key(|stack| stack.wave.unwrap_or(u32::MAX));
    let rows: Vec<[String; 6]> = by_wave
        .into_iter()
        .map(|stack| {
            let runs: Vec<String> = stack.workflow_runs.iter().map(|run| run.id.to_string()).collect();
            [
                stack.wave.map_or_else(|| "-".to_owned(), |wave| (wave + 1).to_string()),
                stack.key.to_string(),
                stack.status.as_str().to_owned(),
                stack.since.map(|since| lasted(between(since, moment.now))).unwrap_or_default(),
                runs.join(","),
                stack.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let titles = ["WAVE", "STACK", "STATUS", "FOR", "WORKFLOW RUN", "REASON"].map(str::to_owned);
    let mut widths = [0; 6];
    for row in std::iter::once(&titles).chain(&rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in std::iter::once(&titles).chain(&rows) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
