//! What stands below: the upload's warnings, the pull request's earlier runs, and the run's id.

use super::{
    escape::{code, prose},
    head::{stacks, title, totals},
    style::{phase_emoji, phase_words},
};
use stackwave_engine::{
    state::{RepositoryState, Run},
    view::run_view,
};

const MAX_WARNINGS: usize = 10;
const MAX_WARNING: usize = 300;
const MAX_RUNS: usize = 10;

pub(super) fn tail(state: &RepositoryState, shown: &Run, runs: &[&Run]) -> String {
    let mut tail = warnings(&shown.plan.warnings);
    tail.push_str(&others(state, shown, runs));
    tail.push_str(&format!("<sub>Run {}, kept up to date by Stackwave.</sub>\n", code(shown.id.as_str())));
    tail
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let mut list = "**Warnings**\n\n".to_owned();
    for warning in warnings.iter().take(MAX_WARNINGS) {
        list.push_str(&format!("- ⚠️ {}\n", prose(warning, MAX_WARNING)));
    }
    if warnings.len() > MAX_WARNINGS {
        list.push_str(&format!("- and {} more\n", warnings.len() - MAX_WARNINGS));
    }
    list + "\n"
}

/// The pull request's other runs, newest first.
fn others(state: &RepositoryState, shown: &Run, runs: &[&Run]) -> String {
    let others: Vec<&Run> = runs.iter().rev().copied().filter(|run| run.id != shown.id).collect();
    if others.is_empty() {
        return String::new();
    }
    let mut list =
        format!("<details>\n<summary>Other runs of this pull request: {}</summary>\n\n", others.len());
    for run in others.iter().take(MAX_RUNS) {
        let view = run_view(state, run);
        let reason = view.reason.as_deref().map(|reason| prose(reason, MAX_WARNING)).unwrap_or_default();
        let outcome = match (reason.is_empty(), view.stacks.is_empty()) {
            (_, true) => phase_words(view.status).to_owned(),
            (true, false) => format!(
                "{} ({}: {})",
                phase_words(view.status),
                stacks(view.stacks.len()),
                totals(&view.totals, " · ")
            ),
            (false, false) => {
                format!("{reason} ({}: {})", stacks(view.stacks.len()), totals(&view.totals, " · "))
            }
        };
        list.push_str(&format!("- {} {}: {outcome}\n", phase_emoji(view.status), title(run)));
    }
    if others.len() > MAX_RUNS {
        list.push_str(&format!("- and {} more\n", others.len() - MAX_RUNS));
    }
    list + "\n</details>\n\n"
}
