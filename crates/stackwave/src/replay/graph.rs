//! The run's graph: as waves in text, and as a Mermaid flowchart.

use super::moment::Shown;
use stackwave_engine::view::{RunView, Status};
use std::{collections::BTreeMap, fmt::Write as _};

/// A wave with more stacks than this is told by its totals.
const MANY: usize = 40;

/// The stacks of each wave, one line a wave.
pub(super) fn waves(run: &RunView<'_>) -> String {
    let mut waves: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, stack) in run.stacks.iter().enumerate() {
        waves.entry(stack.wave.unwrap_or(u32::MAX)).or_default().push(index);
    }
    let mut text = String::new();
    for (wave, stacks) in waves {
        let title =
            if wave == u32::MAX { "on or below a cycle".to_owned() } else { format!("wave {}", wave + 1) };
        let names: Vec<String> = if stacks.len() > MANY {
            let mut totals: BTreeMap<Status, usize> = BTreeMap::new();
            stacks.iter().for_each(|index| *totals.entry(run.stacks[*index].status).or_default() += 1);
            totals.iter().map(|(status, count)| format!("{count} {}", status.as_str())).collect()
        } else {
            stacks
                .iter()
                .map(|index| format!("{} {}", sign(run.stacks[*index].status), run.stacks[*index].key))
                .collect()
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{title}: {}", names.join("  "));
    }
    text
}

/// One character for a status, the same width everywhere.
pub(super) const fn sign(status: Status) -> char {
    match status {
        Status::Succeeded => '✓',
        Status::Failed | Status::DispatchRefused | Status::CannotRun | Status::Cancelled => '✗',
        Status::Undecidable => '?',
        Status::Blocked | Status::Stopped => '■',
        Status::Running => '▶',
        Status::Queued | Status::Dispatching | Status::Released => '▷',
        Status::AwaitingApproval | Status::Held => '‖',
        Status::Waiting => '·',
        Status::Skipped => '–',
    }
}

/// A flowchart with the statuses as classes.
pub(super) fn mermaid(moment: &Shown<'_>) -> String {
    let Some(run) = &moment.run else { return "flowchart LR\n".to_owned() };
    let mut text = "flowchart LR\n".to_owned();
    for (index, stack) in run.stacks.iter().enumerate() {
        let (component, name) = (label(stack.key.component.as_str()), label(stack.key.stack.as_str()));
        let status = stack.status.as_str();
        let _ =
            writeln!(text, "  s{index}[\"{component}<br/>{name}<br/>{status}\"]:::{}", class(stack.status));
    }
    for (parent, child) in &run.run.plan.edges {
        let _ = writeln!(text, "  s{parent} --> s{child}");
    }
    for (class, style) in [
        ("good", "fill:#dafbe1,stroke:#1a7f37"),
        ("bad", "fill:#ffebe9,stroke:#cf222e"),
        ("moving", "fill:#ddf4ff,stroke:#0969da"),
        ("still", "fill:#f6f8fa,stroke:#8c959f"),
    ] {
        let _ = writeln!(text, "  classDef {class} {style}");
    }
    text
}

const fn class(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "good",
        Status::Failed
        | Status::Cancelled
        | Status::DispatchRefused
        | Status::CannotRun
        | Status::Undecidable
        | Status::Blocked => "bad",
        Status::AwaitingApproval
        | Status::Running
        | Status::Queued
        | Status::Dispatching
        | Status::Released => "moving",
        Status::Held | Status::Waiting | Status::Stopped | Status::Skipped => "still",
    }
}

/// Mermaid ends a label at `"`, reads HTML in it, Markdown between backticks, and its own entities after `#`.
fn label(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if c.is_control() => out.push(' '),
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}
