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

/// The shortest row, in UTF-16 code units: it tells that a table cannot fit without writing it.
const SHORTEST_ROW: usize = 30;

/// The stacks in the order in which they are shown: by wave, then by key.
pub(super) struct Table<'a> {
    stacks: Vec<&'a StackView>,
    options: &'a Options<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn new(view: &'a RunView<'_>, options: &'a Options<'a>) -> Self {
        let mut stacks: Vec<&StackView> = view.stacks.iter().collect();
        // The plan is ordered by key; what has no wave comes last.
        stacks.sort_by_key(|stack| stack.wave.unwrap_or(u32::MAX));
        Self { stacks, options }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// The whole table; none when it certainly takes more than `budget`.
    pub(super) fn full(&self, budget: usize) -> Option<String> {
        let may_fit = self.stacks.len().saturating_mul(SHORTEST_ROW) <= budget;
        may_fit.then(|| table(self.stacks.iter().map(|stack| row(stack, self.options))))
    }

    /// What is failing, running or otherwise worth a row, as far as it fits, and counts for the rest.
    pub(super) fn noteworthy(&self, budget: usize) -> String {
        let rows = self.most_urgent(budget.saturating_sub(units(HEADER) + RESERVED_UNITS));
        let mut rest = BTreeMap::new();
        for (index, stack) in self.stacks.iter().enumerate() {
            if !rows.contains_key(&index) {
                *rest.entry(stack.status).or_insert(0) += 1;
            }
        }
        format!(
            "{}The run is too large to show every stack: {} of {} have a row. Not shown: {}.\n\n",
            table(rows.values()),
            grouped(rows.len()),
            grouped(self.stacks.len()),
            totals(&rest, " · ")
        )
    }

    /// The rows that are shown first, as far as they fit, by their place in the table.
    fn most_urgent(&self, mut left: usize) -> BTreeMap<usize, String> {
        let ranked = self.stacks.iter().enumerate();
        let mut urgent: Vec<(u8, usize)> =
            ranked.filter_map(|(index, stack)| Some((urgency(stack.status)?, index))).collect();
        urgent.sort_unstable();
        let mut rows = BTreeMap::new();
        for (_, index) in urgent {
            let row = row(self.stacks[index], self.options);
            let Some(rest) = left.checked_sub(units(&row)) else { break };
            left = rest;
            rows.insert(index, row);
        }
        rows
    }
}

fn table(rows: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut table = HEADER.to_owned();
    for row in rows {
        table.push_str(row.as_ref());
    }
    if table.len() == HEADER.len() { String::new() } else { table + "\n" }
}

fn row(stack: &StackView, options: &Options<'_>) -> String {
    let wave = stack.wave.map_or_else(|| "–".to_owned(), |wave| (wave + 1).to_string());
    let status = format!("{} {}", emoji(stack.status), stack.status.as_str());
    let component = cell(&code(stack.key.component.as_str()));
    let name = cell(&code(stack.key.stack.as_str()));
    let runs = cell(&workflow_runs(&stack.workflow_runs, options));
    let reason = match (stack.status, options.dispatch) {
        // The engine does not know that nothing is sent.
        (Status::Released, false) => Some("workflows are not started (`STACKWAVE_DISPATCH=off`)"),
        _ => stack.reason.as_deref(),
    };
    let remark = reason.map(|reason| cell(&prose(reason, MAX_REMARK))).unwrap_or_default();
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
