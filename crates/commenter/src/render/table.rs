//! The table of stacks.

use super::{
    Options,
    escape::{cell, code, prose, url},
    head::{grouped, totals},
    style::{emoji, urgency},
    units,
};
use stackwave_engine::view::{RunView, StackView, Status, WorkflowRunView};
use std::collections::BTreeMap;

const HEADER: &str = "| Wave | Status | Component | Stack | Workflow run | Remark |\n\
                      | --: | :-- | :-- | :-- | :-- | :-- |\n";

/// The longest remark, in characters. A refusal's advice fits; a cycle through a whole landing zone does not.
const MAX_REMARK: usize = 400;

/// How many workflow runs of one stack are linked.
const MAX_RUNS: usize = 5;

/// What is kept free of rows for the sentence about those left out.
const RESERVED_UNITS: usize = 1_500;

/// Every stack's row, in the order in which they are shown: by wave, then by key.
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    status: Status,
    text: String,
}

impl Table {
    pub(super) fn new(view: &RunView<'_>, options: &Options<'_>) -> Self {
        let mut stacks: Vec<&StackView> = view.stacks.iter().collect();
        // The plan is ordered by key; what has no wave comes last.
        stacks.sort_by_key(|stack| stack.wave.unwrap_or(u32::MAX));
        let rows =
            stacks.into_iter().map(|stack| Row { status: stack.status, text: row(stack, options) }).collect();
        Self { rows }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The whole table.
    pub(super) fn full(&self) -> String {
        table(self.rows.iter())
    }

    /// What is failing, running or otherwise worth a row, as far as it fits, and counts for the rest.
    pub(super) fn noteworthy(&self, budget: usize) -> String {
        let mut urgent: Vec<(u8, usize)> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(index, row)| Some((urgency(row.status)?, index)))
            .collect();
        urgent.sort_unstable();
        let mut left = budget.saturating_sub(units(HEADER) + RESERVED_UNITS);
        let mut shown: Vec<usize> = urgent
            .into_iter()
            .map(|(_, index)| index)
            .take_while(|index| {
                let size = units(&self.rows[*index].text);
                let fits = size <= left;
                left = left.saturating_sub(size);
                fits
            })
            .collect();
        shown.sort_unstable();
        let mut rest = BTreeMap::new();
        let mut next = shown.iter().peekable();
        for (index, row) in self.rows.iter().enumerate() {
            if next.peek() == Some(&&index) {
                next.next();
            } else {
                *rest.entry(row.status).or_insert(0) += 1;
            }
        }
        let rows = table(shown.iter().map(|index| &self.rows[*index]));
        format!(
            "{rows}The run is too large to show every stack: {} of {} have a row. Not shown: {}.\n\n",
            grouped(shown.len()),
            grouped(self.rows.len()),
            totals(&rest, " · ")
        )
    }
}

fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let rows: String = rows.map(|row| row.text.as_str()).collect();
    if rows.is_empty() { String::new() } else { format!("{HEADER}{rows}\n") }
}

fn row(stack: &StackView, options: &Options<'_>) -> String {
    let wave = stack.wave.map_or_else(|| "–".to_owned(), |wave| (wave + 1).to_string());
    let status = format!("{} {}", emoji(stack.status), stack.status.as_str());
    let component = cell(&code(stack.key.component.as_str()));
    let name = cell(&code(stack.key.stack.as_str()));
    let runs = cell(&workflow_runs(&stack.workflow_runs, options));
    let remark = stack.reason.as_deref().map(|reason| cell(&prose(reason, MAX_REMARK))).unwrap_or_default();
    format!("| {wave} | {status} | {component} | {name} | {runs} | {remark} |\n")
}

fn workflow_runs(runs: &[WorkflowRunView], options: &Options<'_>) -> String {
    let mut links: Vec<String> = runs.iter().take(MAX_RUNS).map(|run| link(run, options)).collect();
    if runs.len() > MAX_RUNS {
        links.push(format!("and {} more", runs.len() - MAX_RUNS));
    }
    links.join(", ")
}

fn link(run: &WorkflowRunView, options: &Options<'_>) -> String {
    let name = code(&run.workflow);
    let address = run.html_url.as_deref().and_then(url).or_else(|| {
        let repository = options.repository?;
        url(&format!("{}/{repository}/actions/runs/{}", options.web_url.trim_end_matches('/'), run.id))
    });
    let link = address.map_or_else(|| format!("{name} {}", run.id), |address| format!("[{name}]({address})"));
    if run.attempt > 1 { format!("{link} (attempt {})", run.attempt) } else { link }
}
