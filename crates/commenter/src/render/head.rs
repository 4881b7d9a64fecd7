//! The headline, the totals, and what a reader should know before the table.

use super::{
    Options,
    escape::{code, prose},
    style::{emoji, phase_emoji, phase_words},
};
use stackwave_domain::workflow::Conclusion;
use stackwave_engine::{
    forecast,
    state::{Incomplete, Run, Stage},
    view::{RunPhase, RunView, Status},
};
use std::collections::BTreeMap;

/// The longest sentence of a note, in characters.
const MAX_NOTE: usize = 400;

/// How many incomplete uploads are named.
const MAX_INCOMPLETE: usize = 3;

pub(super) fn head(view: &RunView<'_>, options: &Options<'_>, batches: &[&Incomplete]) -> String {
    let mut head =
        format!("### {} {}: {}\n\n", phase_emoji(view.status), title(view.run), phase_words(view.status));
    if view.stacks.is_empty() {
        head.push_str("Nothing is affected: the upload names no stack.\n\n");
    } else {
        head.push_str(&format!("**{}**: {}\n\n", stacks(view.stacks.len()), totals(&view.totals, " · ")));
    }
    if let Some(expected) = expected(view, options) {
        head.push_str(&expected);
    }
    for note in notes(view, options, batches) {
        head.push_str(&note);
        head.push_str("\n\n");
    }
    head
}

/// When the run is expected to be done, and along which path. As of its last change, so that a comment does not differ
/// from what it should say because time passes.
fn expected(view: &RunView<'_>, options: &Options<'_>) -> Option<String> {
    let forecast = view.forecast.as_ref().filter(|forecast| options.dispatch && forecast.finish.is_some())?;
    let sentence = forecast::sentence(view.run, forecast);
    let (left, path) = sentence.split_once(", ")?;
    let left = left.trim_start_matches("≈ ");
    let at = forecast.at.strftime("%H:%M");
    Some(format!("⏱️ ≈ {left} at {at} UTC, {}\n\n", prose(path, MAX_NOTE)))
}

/// ``Apply for `pull_request.merged` at `abc1234` ``.
pub(super) fn title(run: &Run) -> String {
    let kind = if run.is_mutating() { "Apply" } else { "Plan" };
    let again = if run.generation > 1 { format!(" (run {})", run.generation) } else { String::new() };
    format!("{kind} for {} at {}{again}", code(&run.trigger.to_string()), code(run.head_sha.short()))
}

/// `1 stack`, `12 stacks`.
pub(super) fn stacks(count: usize) -> String {
    if count == 1 { "1 stack".to_owned() } else { format!("{} stacks", grouped(count)) }
}

/// `5,000`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many stacks have which status, the most urgent first.
pub(super) fn totals(totals: &BTreeMap<Status, usize>, separator: &str) -> String {
    let parts: Vec<String> = totals
        .iter()
        .map(|(status, count)| format!("{} {} {}", emoji(*status), grouped(*count), status.as_str()))
        .collect();
    parts.join(separator)
}

fn notes(view: &RunView<'_>, options: &Options<'_>, batches: &[&Incomplete]) -> Vec<String> {
    let run = view.run;
    let mut notes = Vec::new();
    if let Some(reason) = &view.reason {
        notes.push(format!("This run {}.", prose(&run_reason(view.status, reason), MAX_NOTE)));
    }
    if !options.dispatch && run.is_active() && !view.stacks.is_empty() {
        notes.push(
            "⚠️ Dispatching is switched off (`STACKWAVE_DISPATCH=off`): this is what would run; nothing is started."
                .to_owned(),
        );
    }
    if run.inferred {
        notes.push(
            "ℹ️ The activity was inferred from a look at the pull request: GitHub's webhook for it has not come."
                .to_owned(),
        );
    }
    if run.sha != run.head_sha {
        notes.push(format!(
            "Workflows start on {} and check out {}.",
            code(run.git_ref.as_str()),
            code(run.sha.short())
        ));
    }
    if !view.stacks.is_empty() && view.totals.keys().all(|status| *status == Status::Skipped) {
        notes.push("Every stack is skipped, so no workflow is started.".to_owned());
    }
    notes.extend(advice(view));
    notes.extend(incomplete(batches));
    notes
}

fn run_reason(status: RunPhase, reason: &str) -> String {
    match status {
        RunPhase::Superseded | RunPhase::Cancelled => format!("was {reason}"),
        RunPhase::Closed => format!("was closed: {reason}"),
        RunPhase::Running | RunPhase::Failed | RunPhase::Succeeded | RunPhase::NothingAffected => {
            format!("ended: {reason}")
        }
    }
}

/// What a reader can do about a failure.
fn advice(view: &RunView<'_>) -> Vec<String> {
    let has = |status: Status| view.totals.contains_key(&status);
    let mut advice = Vec::new();
    if view.run.is_active() && (has(Status::Failed) || has(Status::Cancelled)) {
        advice.push(
            format!(
                "💡 Re-run a failed workflow at GitHub (\"Re-run failed jobs\"), or have it dispatched again with \
                 {}: when it succeeds, the stacks that it blocks go on.",
                code(&format!("stackwave retry {}", view.run.id))
            ),
        );
    }
    if !view.run.is_mutating() && failed_by_exit_code(view.run) {
        // Contract §10.1.
        advice.push(
            "💡 A plan *with changes* ends with exit code 2 and fails its workflow when `--upload-status` is used \
             without `ci.enabled: true` in `atmos.yaml`. If that is what happened, nothing is wrong with the stack."
                .to_owned(),
        );
    }
    advice
}

fn failed_by_exit_code(run: &Run) -> bool {
    run.stacks.iter().any(|stack| matches!(stack.failure(), Some(Stage::Concluded(Conclusion::Failure))))
}

/// What is told of uploads of which chunks are missing.
pub(super) fn incomplete(batches: &[&Incomplete]) -> Option<String> {
    let told: Vec<String> = batches.iter().take(MAX_INCOMPLETE).map(|batch| {
        format!(
            "⚠️ An upload for {} is incomplete: {} of {} chunks have come. Nothing is started for it until the \
             rest comes; re-run the workflow that uploads affected stacks.",
            code(batch.head_sha.short()),
            batch.chunks.len(),
            batch.total
        )
    }).collect();
    (!told.is_empty()).then(|| told.join("\n\n"))
}
