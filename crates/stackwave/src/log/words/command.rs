//! What people asked for, and what came of it.

use super::{super::index::Links, dispatch::name};
use crate::output::counted;
use stackwave_domain::{
    CommandId, RunId, StackKey,
    event::{
        CancelAnswer, CancelRequested, CommandFailed, DispatchResolved, Resolution, ResyncRequested,
        Resynced, RetryDropped, RetryRequested, RunCancelled, StackWithdrawn, WorkflowCancelAnswered,
        WorkflowCancelRequested,
    },
};

pub(super) fn retry_requested(retry: &RetryRequested) -> String {
    let what = match &retry.key {
        Some(key) => format!("{key} in {}", retry.run),
        None => format!("what failed in {}", retry.run),
    };
    format!("{what} ({}){}", retry.command, because(retry.reason.as_deref()))
}

pub(super) fn cancel_requested(cancel: &CancelRequested) -> String {
    let force = if cancel.force { ", running applies as well" } else { "" };
    let what = of(cancel.key.as_ref(), &cancel.run);
    format!("{what}{force} ({}){}", cancel.command, because(cancel.reason.as_deref()))
}

pub(super) fn resync_requested(resync: &ResyncRequested) -> String {
    let what = match (&resync.run, resync.pull_request) {
        (Some(run), Some(number)) => format!("{run} and #{number}"),
        (Some(run), None) => run.to_string(),
        (None, Some(number)) => format!("#{number}"),
        (None, None) => "the repository".to_owned(),
    };
    format!("{what} ({}){}", resync.command, because(resync.reason.as_deref()))
}

pub(super) fn dispatch_resolved(links: &Links, resolved: &DispatchResolved) -> String {
    let outcome = match resolved.outcome {
        Resolution::Happened { workflow_run } => format!("it is workflow run {workflow_run}"),
        Resolution::NotHappened => "it did not happen".to_owned(),
    };
    format!(
        "{}: {outcome} ({}){}",
        name(links, &resolved.dispatch),
        resolved.command,
        because(resolved.reason.as_deref())
    )
}

pub(super) fn run_cancelled(cancelled: &RunCancelled) -> String {
    format!("{} by {} ({})", cancelled.run, cancelled.by, cancelled.command)
}

pub(super) fn stack_withdrawn(withdrawn: &StackWithdrawn) -> String {
    format!("{} in {} by {} ({})", withdrawn.key, withdrawn.run, withdrawn.by, withdrawn.command)
}

pub(super) fn retry_dropped(dropped: &RetryDropped) -> String {
    format!("{} in {}: {} ({})", dropped.key, dropped.run, dropped.reason, dropped.command)
}

pub(super) fn workflow_cancel_requested(links: &Links, requested: &WorkflowCancelRequested) -> String {
    let by = requested.command.as_ref().map(|command| format!(" ({command})")).unwrap_or_default();
    format!("workflow run {} of {}{by}", requested.workflow_run, name(links, &requested.dispatch))
}

pub(super) fn workflow_cancel_answered(links: &Links, answered: &WorkflowCancelAnswered) -> String {
    let said = match &answered.answer {
        CancelAnswer::Accepted => "GitHub cancels it".to_owned(),
        CancelAnswer::TooLate => "it was too late".to_owned(),
        CancelAnswer::Refused { status, message } => format!("GitHub answered {status}: {message}"),
    };
    format!("workflow run {} of {}: {said}", answered.workflow_run, name(links, &answered.dispatch))
}

pub(super) fn resynced(links: &Links, resynced: &Resynced) -> String {
    let count = |number: u32, what: &str| counted(usize::try_from(number).unwrap_or(usize::MAX), what);
    format!(
        "{}, {} and {} were looked at; {} had moved on ({}{})",
        count(resynced.workflow_runs, "workflow run"),
        count(resynced.pull_requests, "pull request"),
        count(resynced.uploads, "upload"),
        count(resynced.news, "run"),
        resynced.command,
        in_run(links, &resynced.command)
    )
}

pub(super) fn command_failed(links: &Links, failed: &CommandFailed) -> String {
    format!("{}{}: {}", failed.command, in_run(links, &failed.command), failed.reason)
}

fn of(key: Option<&StackKey>, run: &RunId) -> String {
    key.map_or_else(|| run.to_string(), |key| format!("{key} in {run}"))
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn in_run(links: &Links, command: &CommandId) -> String {
    links.commanded(command).map(|run| format!(" for {run}")).unwrap_or_default()
}
