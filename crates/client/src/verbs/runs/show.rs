//! `stackwave runs show`.

use super::trigger;
use crate::{
    command::Session,
    failure::Failure,
    key,
    screen::{Screen, Tone, clean},
    table::{Cell, Column, Table, column, prose},
    time,
    verbs::places::{self, At, record, repository, short},
    words::{cell, counted},
};
use clap::Args;
use stackwave_admin_proto::v1::{
    Forecast, GetRunRequest, GetRunResponse, Run, RunStack, RunStatus, StackCount, StackStatus, WorkflowRun,
};
use std::collections::BTreeMap;

/// Which run.
#[derive(Clone, Debug, Args)]
pub struct ShowRun {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: String,
    /// As it was once the record at this position of its stream had happened (`118` or `SW_00:118`), or at this moment:
    /// `2026-11-24T13:00:00Z`, or how long ago: `2h`.
    #[arg(long, value_name = "POSITION|TIME", value_parser = At::parse)]
    at: Option<At>,
}

/// At most so many ways on are shown below a run.
const MOST_HINTS: usize = 4;

impl ShowRun {
    pub(super) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let (position, at) = At::wire(self.at, session.screen.now());
        let request = GetRunRequest { run_id: self.run, position, at };
        let answer = session.answered(session.server.runs().get_run(request).await)?;
        let is_past = self.at.is_some();
        session.print(&answer, |answer, screen| show(answer, is_past, screen))
    }
}

fn show(answer: &GetRunResponse, is_past: bool, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let run = answer.run.clone().unwrap_or_default();
    head(&run, answer, is_past, screen)?;
    if let Some(forecast) = &answer.forecast {
        screen.line(&forecast_line(forecast))?;
    }
    waves(&answer.stacks, screen)?;
    if !answer.warnings.is_empty() {
        screen.line(&format!("\n{}:", counted(answer.warnings.len() as u64, "warning")))?;
        for warning in &answer.warnings {
            screen.line(&format!("  {}", clean(warning)))?;
        }
    }
    if is_past { Ok(()) } else { hints(&run, &answer.stacks, screen) }
}

fn head(run: &Run, answer: &GetRunResponse, is_past: bool, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let status = cell::<RunStatus>(run.status);
    let id = screen.paint(&run.id, Tone::Bold).into_owned();
    let because = if run.reason.is_empty() { String::new() } else { format!(": {}", clean(&run.reason)) };
    screen.line(&format!("{id}  {}{because}", screen.paint(&status.text, status.tone)))?;

    let pull = run.pull_request.map(|number| format!(" #{number}")).unwrap_or_default();
    let inferred = run.trigger.as_ref().is_some_and(|trigger| trigger.inferred);
    let what = if run.mutating { "apply" } else { "plan" };
    let generation =
        if run.generation > 1 { format!(", generation {}", run.generation) } else { String::new() };
    let line = format!(
        "{}{pull}, {}{}, commit {} on {}, {what}, workspace {}{generation}",
        repository(run.repository.as_ref()),
        trigger(run),
        if inferred { " (inferred)" } else { "" },
        short(&run.head_sha),
        run.git_ref,
        run.workspace,
    );
    screen.line(&clean(&line))?;

    let at = |at: Option<&prost_types::Timestamp>, now| {
        format!("{} ({} ago)", time::moment(at), time::since(at, now))
    };
    let mut line = format!("opened {}", at(run.opened_at.as_ref(), screen.now()));
    if run.stopped_at.is_some() {
        line += &format!(", stopped after {}", time::took(run.opened_at.as_ref(), run.stopped_at.as_ref()));
    }
    if is_past {
        line += &format!(", as of {}", record(answer.as_of.as_ref()));
    }
    screen.line(&line)?;

    let all: u32 = run.totals.iter().map(|total| total.count).sum();
    let line = format!("{}{}", counted(all, "stack"), totals(&run.totals, screen));
    Ok(screen.line(&line)?)
}

/// `: 1 failed, 2 blocked, 9 succeeded`.
fn totals(totals: &[StackCount], screen: &Screen<'_>) -> String {
    let each: Vec<String> = totals
        .iter()
        .map(|total| {
            let status = cell::<StackStatus>(total.status);
            screen.paint(&format!("{} {}", total.count, status.text), status.tone).into_owned()
        })
        .collect();
    if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) }
}

fn forecast_line(forecast: &Forecast) -> String {
    let mut line = format!("{} left", counted(forecast.dispatches_left, "dispatch"));
    if forecast.remaining.is_some() {
        line += &format!(", usually done in {}", time::duration(forecast.remaining.as_ref()));
        if forecast.expected_finish.is_some() {
            line += &format!(" ({})", time::moment(forecast.expected_finish.as_ref()));
        }
        if forecast.stacks_with_history < forecast.stacks_left {
            line += &format!(
                ", durations known of {} of {} stacks",
                forecast.stacks_with_history, forecast.stacks_left
            );
        }
    }
    let path: Vec<String> = forecast.critical_path.iter().map(|step| key::text(Some(step))).collect();
    if !path.is_empty() {
        line += &format!("\nlongest way: {}", path.join(" → "));
    }
    line
}

const COLUMNS: &[Column] = &[column(""), column(""), column(""), column(""), prose("")];

/// Stacks below the wave that they are in. All columns stand below each other.
fn waves(stacks: &[RunStack], screen: &mut Screen<'_>) -> Result<(), Failure> {
    let mut waves: BTreeMap<u32, Vec<&RunStack>> = BTreeMap::new();
    for stack in stacks {
        // Those without a wave come last.
        waves.entry(stack.wave.unwrap_or(u32::MAX)).or_default().push(stack);
    }
    let mut table = Table::below(COLUMNS);
    table.measure(&stacks.iter().map(row).collect::<Vec<_>>());
    for (wave, stacks) in waves {
        let title = match wave {
            u32::MAX => "On or below a cycle".to_owned(),
            wave => format!("Wave {wave}"),
        };
        let title = screen.paint(&title, Tone::Bold).into_owned();
        screen.line(&format!("\n{title}: {}", counted(stacks.len() as u64, "stack")))?;
        table.print(screen, &stacks.into_iter().map(row).collect::<Vec<_>>())?;
    }
    if stacks.iter().any(|stack| stack.directly_affected) {
        let legend =
            screen.paint("* changed itself; the others depend on what changed", Tone::Quiet).into_owned();
        screen.line(&format!("\n{legend}"))?;
    }
    Ok(())
}

fn row(stack: &RunStack) -> Vec<Cell> {
    let status = cell::<StackStatus>(stack.status);
    let workflows: Vec<String> = stack.workflow_runs.iter().map(workflow_run).collect();
    let mut name = key::text(stack.key.as_ref());
    if stack.directly_affected {
        name.push_str(" *");
    }
    vec![
        Cell::new(sign(stack.status()), status.tone),
        name.into(),
        status,
        workflows.join(", ").into(),
        stack.reason.clone().into(),
    ]
}

/// `plan.yml 16801234567`.
fn workflow_run(run: &WorkflowRun) -> String {
    format!("{} {}", run.workflow, places::workflow_run(Some(run))).trim().to_owned()
}

/// A sign that the eye finds in a long table.
const fn sign(status: StackStatus) -> &'static str {
    match status {
        StackStatus::Succeeded => "✓",
        StackStatus::Failed
        | StackStatus::Cancelled
        | StackStatus::DispatchRefused
        | StackStatus::CannotRun => "✗",
        StackStatus::Blocked => "⊘",
        StackStatus::Undecidable | StackStatus::AwaitingApproval => "?",
        StackStatus::Held => "‖",
        StackStatus::Running => "●",
        StackStatus::Queued | StackStatus::Dispatching | StackStatus::Released => "○",
        StackStatus::Waiting => "·",
        StackStatus::Stopped | StackStatus::Skipped => "–",
        StackStatus::Unspecified => " ",
    }
}

/// What one may do next, in the order of the stacks that need it most.
fn hints(run: &Run, stacks: &[RunStack], screen: &mut Screen<'_>) -> Result<(), Failure> {
    let mut hints: Vec<(String, &str)> = Vec::new();
    let of = |wanted: &[StackStatus]| {
        stacks
            .iter()
            .find(|stack| wanted.contains(&stack.status()))
            .map(|stack| key::text(stack.key.as_ref()))
    };
    let id = &run.id;
    if let Some(stack) = of(&[StackStatus::Failed, StackStatus::Cancelled, StackStatus::DispatchRefused]) {
        hints.push((format!("stackwave explain {id} {stack}"), "why, with the records that prove it"));
        hints.push((format!("stackwave retry {id} {stack}"), "dispatch it again"));
    }
    if of(&[StackStatus::Undecidable]).is_some() {
        let list = format!("stackwave dispatches list --run {id} --status undecidable");
        hints.push((list, "what has to be resolved"));
    }
    if let Some(stack) = of(&[StackStatus::Held, StackStatus::Waiting, StackStatus::Queued]) {
        hints.push((format!("stackwave explain {id} {stack}"), "what it waits for"));
    }
    if run.status() == RunStatus::Running {
        hints.push((format!("stackwave events --run {id} --follow"), "what happens to it, as it happens"));
    }
    hints.truncate(MOST_HINTS);
    if hints.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    let rows: Vec<Vec<Cell>> =
        hints.into_iter().map(|(command, what)| vec![command.into(), Cell::new(what, Tone::Quiet)]).collect();
    Ok(Table::below(&[column(""), column("")]).print(screen, &rows)?)
}
