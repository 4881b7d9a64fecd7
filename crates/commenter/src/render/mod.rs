//! What the comment says: a pure function of the state.
//!
//! The parts, in the order of the page: the hidden marker, the headline with totals and notes (`head`), the table of
//! stacks (`table`), the dependency graph (`graph`), warnings and earlier runs (`tail`). When the page would be too
//! long it is degraded in steps: the graph of waves instead of stacks, then the table of what is failing, running or
//! otherwise noteworthy, as far as it fits.

mod escape;
mod graph;
mod head;
mod style;
mod table;
mod tail;

use crate::{batch, marker::marker};
use stackwave_domain::{PrNumber, RepositoryName, Timestamp, WorkspaceId};
use stackwave_engine::{
    state::{RepositoryState, Run},
    view::run_view,
};

/// The longest comment that is written, in UTF-16 code units (never fewer than characters). GitHub's limit is 65,536
/// characters: 422 `Body is too long (maximum is 65536 characters)`.
pub const MAX_UNITS: usize = 65_000;

/// What the text depends on besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Workflows are started; otherwise the comment says that they are not.
    pub dispatch: bool,
    /// The repository's name, for links to workflow runs of which no webhook has come.
    pub repository: Option<&'a RepositoryName>,
    /// GitHub's web address, such as `https://github.com`.
    pub web_url: &'a str,
    /// Now; decides only whether an incomplete upload is overdue.
    pub now: Timestamp,
}

/// The comment of a workspace in a pull request; none when there is nothing to say.
#[must_use]
pub fn render(
    state: &RepositoryState,
    number: PrNumber,
    workspace: &WorkspaceId,
    options: &Options<'_>,
) -> Option<String> {
    let mut runs = state.runs_of_pull(number);
    runs.retain(|run| run.workspace == *workspace);
    let batches = batch::overdue(state, number, options.now);
    let marker = marker(workspace, number);
    let Some(shown) = shown(&runs) else {
        let incomplete = head::incomplete(&batches)?;
        return Some(format!("{marker}\n### ⚠️ Upload incomplete\n\n{incomplete}"));
    };
    let view = run_view(state, shown);
    let head = format!("{marker}\n{}", head::head(&view, options, &batches));
    let tail = tail::tail(state, shown, &runs);
    let table = table::Table::new(&view, options);
    if table.is_empty() {
        return Some(head + &tail);
    }
    if let Some(rows) = table.full(MAX_UNITS) {
        let graphs = [graph::stacks(&view), Some(graph::waves(&view))];
        let mut pages =
            graphs.into_iter().flatten().map(|graph| [head.as_str(), &rows, &graph, &tail].concat());
        if let Some(page) = pages.find(|page| units(page) <= MAX_UNITS) {
            return Some(page);
        }
    }
    let waves = graph::waves(&view);
    let left = MAX_UNITS.saturating_sub(units(&head) + units(&waves) + units(&tail));
    Some([head.as_str(), &table.noteworthy(left), &waves, &tail].concat())
}

/// The run that is shown whole: an apply rather than a plan, else the newest.
fn shown<'a>(runs: &[&'a Run]) -> Option<&'a Run> {
    runs.iter().rev().find(|run| run.is_mutating()).or_else(|| runs.last()).copied()
}

/// The length that counts against GitHub's limit.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
