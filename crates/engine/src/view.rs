//! A run as people see it: each stack's status with its reason. Comment, command line and gRPC all show this.

mod command;

use crate::{
    due::hold_on,
    forecast::{Forecast, forecast},
    state::{Answer, Call, Dispatch, Phase, Progress, RepositoryState, Run, Stack, Stage},
};
pub(crate) use command::attempt_words;
use command::{cancel_words, cancelled, to_be_retried};
use stackwave_domain::{
    StackKey, Timestamp, WorkflowRunId,
    event::{RunOutcome, Successor},
    plan::Verdict,
    workflow::{Conclusion, RunStatus},
};
use std::collections::{BTreeMap, VecDeque};

/// How a stack stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A workflow of it did not end well.
    Failed,
    /// Somebody, or a concurrency group, stopped its workflow.
    Cancelled,
    /// GitHub refused the dispatch.
    DispatchRefused,
    /// It cannot run (cycle, template).
    CannotRun,
    /// Nobody can tell whether the dispatch happened.
    Undecidable,
    /// An ancestor failed.
    Blocked,
    /// Somebody has to approve it at GitHub.
    AwaitingApproval,
    /// It runs.
    Running,
    /// GitHub has it, and has not started it.
    Queued,
    /// It is being sent.
    Dispatching,
    /// It may go and is about to be sent.
    Released,
    /// Its parents have succeeded, and something else is in its way.
    Held,
    /// Its parents have not succeeded yet.
    Waiting,
    /// Its run was superseded or closed before it went.
    Stopped,
    /// It succeeded.
    Succeeded,
    /// It does not run in this run.
    Skipped,
}

impl Status {
    /// The word for tables and APIs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::DispatchRefused => "dispatch refused",
            Self::CannotRun => "cannot run",
            Self::Undecidable => "undecidable",
            Self::Blocked => "blocked",
            Self::AwaitingApproval => "waiting for approval",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Dispatching => "dispatching",
            Self::Released => "released",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
        }
    }
}

/// How a run stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunPhase {
    /// Something runs, or will.
    Running,
    /// Something failed and nothing else can go until it succeeds.
    Failed,
    /// Everything succeeded or was skipped.
    Succeeded,
    /// The upload named no stack.
    NothingAffected,
    /// Something newer took its place.
    Superseded,
    /// Its pull request or merge group was closed.
    Closed,
    /// Somebody cancelled it.
    Cancelled,
}

/// One stack of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackView {
    /// Which stack.
    pub key: StackKey,
    /// It changed itself; otherwise it depends on something that did.
    pub directly_affected: bool,
    /// In one word.
    pub status: Status,
    /// Why, in a sentence; none where the word says it all.
    pub reason: Option<String>,
    /// Since when, as far as the log tells: by GitHub's clock for what is at GitHub.
    pub since: Option<Timestamp>,
    /// Its wave; none on or below a cycle.
    pub wave: Option<u32>,
    /// Its workflow runs.
    pub workflow_runs: Vec<WorkflowRunView>,
    /// The stacks that it waits for, as indices into the run's stacks.
    pub parents: Vec<usize>,
}

/// A workflow run of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRunView {
    /// GitHub's id.
    pub id: WorkflowRunId,
    /// The workflow's file name.
    pub workflow: String,
    /// GitHub's attempt; more than 1 after a re-run.
    pub attempt: u32,
    /// Its page, when it is known.
    pub html_url: Option<String>,
}

/// A run with everything that people ask about it.
#[derive(Clone, Debug)]
pub struct RunView<'a> {
    /// The run.
    pub run: &'a Run,
    /// In one word.
    pub status: RunPhase,
    /// Why it stopped; none while it goes on.
    pub reason: Option<String>,
    /// Its stacks, in the plan's order.
    pub stacks: Vec<StackView>,
    /// How many stacks have which status.
    pub totals: BTreeMap<Status, usize>,
    /// What is to be expected, as of the last change of the run ([`Run::changed_at`]); none when nothing goes on.
    pub forecast: Option<Forecast>,
}

/// The view of one run.
#[must_use]
pub fn run_view<'a>(state: &'a RepositoryState, run: &'a Run) -> RunView<'a> {
    RunView { forecast: forecast(state, run, run.changed_at), ..standing(state, run) }
}

/// As [`run_view`], without a forecast, which is most of its work.
#[must_use]
pub fn standing<'a>(state: &'a RepositoryState, run: &'a Run) -> RunView<'a> {
    let blockers = blockers(run);
    let waves = run.waves();
    let stacks: Vec<StackView> = (0..run.stacks.len())
        .map(|index| {
            let (status, reason) = status(state, run, index, blockers[index]);
            StackView {
                key: run.key(index).clone(),
                directly_affected: run.plan.stacks[index].directly_affected,
                status,
                reason,
                since: since(state, run, index, status),
                wave: waves[index],
                workflow_runs: workflow_runs(state, run, index),
                parents: run.parents(index).collect(),
            }
        })
        .collect();
    let mut totals = BTreeMap::new();
    for stack in &stacks {
        *totals.entry(stack.status).or_insert(0) += 1;
    }
    let (status, reason) = run_status(run, &totals);
    RunView { run, status, reason, stacks, totals, forecast: None }
}

fn run_status(run: &Run, totals: &BTreeMap<Status, usize>) -> (RunPhase, Option<String>) {
    match &run.phase {
        Phase::Superseded(by, _) => (RunPhase::Superseded, Some(superseded(by))),
        Phase::Closed(reason, _) => (RunPhase::Closed, Some(reason.clone())),
        Phase::Cancelled(asked, _) => (RunPhase::Cancelled, Some(cancelled(asked))),
        Phase::Ended(RunOutcome::Succeeded, _) if failed_since(totals) => (
            RunPhase::Failed,
            Some("a stack was run again after the run had succeeded, and failed".to_owned()),
        ),
        Phase::Ended(RunOutcome::Succeeded, _) => (RunPhase::Succeeded, None),
        Phase::Ended(RunOutcome::NothingAffected, _) => (RunPhase::NothingAffected, None),
        Phase::Ended(RunOutcome::Expired, _) => {
            (RunPhase::Failed, Some("it failed and was not revived within 30 days".to_owned()))
        }
        Phase::Active if run.stacks.is_empty() => (RunPhase::NothingAffected, None),
        Phase::Active if run.is_done() => (RunPhase::Succeeded, None),
        Phase::Active => {
            let moving = [
                Status::AwaitingApproval,
                Status::Running,
                Status::Queued,
                Status::Dispatching,
                Status::Released,
                Status::Held,
            ];
            let moves = moving.iter().any(|status| totals.contains_key(status));
            (if moves { RunPhase::Running } else { RunPhase::Failed }, None)
        }
    }
}

/// Whether a re-run of a stack that had succeeded ended badly.
fn failed_since(totals: &BTreeMap<Status, usize>) -> bool {
    totals.contains_key(&Status::Failed) || totals.contains_key(&Status::Cancelled)
}

/// Why a run dispatches nothing any more; none while it does, and when it just ended well.
pub(crate) fn stop_words(run: &Run) -> Option<String> {
    if run.is_active() { None } else { run_status(run, &BTreeMap::new()).1 }
}

fn superseded(by: &Successor) -> String {
    match by {
        Successor::Push { head_sha } => format!("superseded by the push of {}", head_sha.short()),
        Successor::Merge => "superseded by the merge".to_owned(),
        Successor::Activity { activity } => format!("superseded: the pull request was {activity} again"),
    }
}

/// The nearest failed ancestor of a stack.
pub(crate) fn blocker(run: &Run, index: usize) -> Option<usize> {
    blockers(run).get(index).copied().flatten()
}

/// For each stack the nearest failed ancestor.
fn blockers(run: &Run) -> Vec<Option<usize>> {
    let mut blockers = vec![None; run.stacks.len()];
    let failed = |index: &usize| {
        let stack = &run.stacks[*index];
        stack.stands_still() || is_undecidable(stack)
    };
    let mut queue: VecDeque<(usize, usize)> =
        (0..run.stacks.len()).filter(failed).map(|index| (index, index)).collect();
    while let Some((index, cause)) = queue.pop_front() {
        for child in run.children(index) {
            if blockers[child].is_none() && !failed(&child) && !run.stacks[child].met {
                blockers[child] = Some(cause);
                queue.push_back((child, cause));
            }
        }
    }
    blockers
}

fn status(
    state: &RepositoryState,
    run: &Run,
    index: usize,
    blocker: Option<usize>,
) -> (Status, Option<String>) {
    match &run.stacks[index].progress {
        Progress::Skipped(reason) => (Status::Skipped, Some(reason.to_string())),
        Progress::Refused(reason) => (Status::CannotRun, Some(reason.to_string())),
        Progress::Waiting if !run.is_active() => (Status::Stopped, run_status(run, &BTreeMap::new()).1),
        Progress::Waiting if run.stacks[index].withdrawn().is_some() => {
            (Status::Cancelled, run.stacks[index].withdrawn().map(cancelled))
        }
        Progress::Waiting => match blocker {
            Some(cause) => {
                (Status::Blocked, Some(format!("{} {}", run.key(cause), failure_words(state, run, cause))))
            }
            None if run.stacks[index].unmet_parents > 0 => (Status::Waiting, waits_for(run, index)),
            None => match hold_on(state, run, index) {
                Some(hold) => (Status::Held, Some(hold.to_string())),
                None => (Status::Released, Some(ABOUT_TO_GO.to_owned())),
            },
        },
        Progress::Released { .. } => released(state, run, index),
    }
}

/// Why a stack that may go has not gone: what else keeps it is not in the log.
const ABOUT_TO_GO: &str =
    "it goes as soon as GitHub, the call budget and earlier dispatches of its workflow allow";

/// Nothing below it goes until somebody has said what became of its dispatch.
fn is_undecidable(stack: &Stack) -> bool {
    stack.calls.iter().any(|call| call.stage == Stage::Undecidable)
}

/// What a failed stack is said to have done, and where.
fn failure_words(state: &RepositoryState, run: &Run, index: usize) -> String {
    let failed = run.stacks[index].calls.iter().find(|call| call.stage.is_failure());
    let Some(call) = failed else {
        let stack = &run.stacks[index];
        let words = match stack.withdrawn() {
            _ if is_undecidable(stack) => "is undecidable".to_owned(),
            Some(asked) => format!("was {}", cancelled(asked)),
            None => "cannot run".to_owned(),
        };
        return words;
    };
    let Stage::Concluded(conclusion) = &call.stage else { return "could not be dispatched".to_owned() };
    let dispatch = state.dispatches.get(&call.dispatch);
    let place =
        dispatch.and_then(|dispatch| dispatch.workflow_run).map(|id| format!(" in workflow run {id}"));
    format!("{}{}", conclusion_words(conclusion), place.unwrap_or_default())
}

/// Since when a stack has its status.
fn since(state: &RepositoryState, run: &Run, index: usize, status: Status) -> Option<Timestamp> {
    let stack = &run.stacks[index];
    let Progress::Released { at, .. } = &stack.progress else {
        return (status == Status::Stopped).then(|| run.stopped_at()).flatten();
    };
    let calls = stack.calls.iter().filter(|call| call_status(state, run, stack, call).0 == status);
    let since = calls.map(|call| {
        let Some(dispatch) = state.dispatches.get(&call.dispatch) else { return *at };
        let workflow_run = dispatch.workflow_run.and_then(|id| state.workflow_runs.get(&id));
        workflow_run.map_or(dispatch.at.0, |run| run.since)
    });
    // A stack has succeeded with its last workflow, and is anything else with its first.
    if status == Status::Succeeded { since.max() } else { since.min() }
}

pub(crate) fn conclusion_words(conclusion: &Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success | Conclusion::Neutral => "succeeded",
        Conclusion::Failure => "failed",
        Conclusion::Cancelled => "was cancelled",
        Conclusion::TimedOut => "timed out",
        Conclusion::ActionRequired => "needs an approval to start",
        Conclusion::Stale => "went stale at GitHub",
        Conclusion::Skipped => "was skipped by its workflow",
        Conclusion::StartupFailure => "could not start (workflow file or policy)",
        Conclusion::Other(_) => "ended in a way that this version does not know",
    }
}

/// The nearest ancestors that have not succeeded, through skipped ones.
fn waits_for(run: &Run, index: usize) -> Option<String> {
    let mut names = Vec::new();
    let mut seen = vec![false; run.stacks.len()];
    let mut queue: VecDeque<usize> = run.parents(index).collect();
    while let Some(parent) = queue.pop_front() {
        if std::mem::replace(&mut seen[parent], true) || run.stacks[parent].met {
            continue;
        }
        if matches!(run.plan.stacks[parent].verdict, Verdict::Skip(_)) {
            queue.extend(run.parents(parent));
        } else {
            names.push(run.key(parent).to_string());
        }
    }
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let list = names.join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("waits for {list}")),
        (false, more) => Some(format!("waits for {list} and {more} more")),
    }
}

fn released(state: &RepositoryState, run: &Run, index: usize) -> (Status, Option<String>) {
    let (status, reason) = attempted(state, run, index);
    let stack = &run.stacks[index];
    let asked = attempt_words(stack);
    match (reason, asked) {
        (Some(reason), Some(asked)) => (status, Some(format!("{reason} ({asked})"))),
        (reason, asked) => (status, reason.or(asked)),
    }
}

fn attempted(state: &RepositoryState, run: &Run, index: usize) -> (Status, Option<String>) {
    let stack = &run.stacks[index];
    if let Some(asked) = stack.retry()
        && !stack.in_flight()
    {
        return to_be_retried(state, run, index, asked);
    }
    if stack.succeeded() {
        let noted = stack.calls.iter().find_map(|call| doubles(state.dispatches.get(&call.dispatch)?));
        return (Status::Succeeded, noted);
    }
    // The worst of its workflows speaks for it.
    let worst = stack
        .calls
        .iter()
        .map(|call| call_status(state, run, stack, call))
        .filter(|(status, _)| *status != Status::Succeeded)
        .min_by_key(|(status, _)| *status);
    worst.unwrap_or((Status::Released, None))
}

fn call_status(state: &RepositoryState, run: &Run, stack: &Stack, call: &Call) -> (Status, Option<String>) {
    let (dispatch, withdrawn) = (state.dispatches.get(&call.dispatch), stack.withdrawn());
    let cancel = dispatch.filter(|it| it.cancel.is_some()).and_then(|it| cancel_words(state, it));
    let double = cancel.clone().or_else(|| dispatch.and_then(doubles));
    match &call.stage {
        Stage::Unclaimed if withdrawn.is_some() => (Status::Cancelled, withdrawn.map(cancelled)),
        Stage::Unclaimed if run.is_active() => (Status::Released, Some(ABOUT_TO_GO.to_owned())),
        Stage::Unclaimed => (Status::Stopped, run_status(run, &BTreeMap::new()).1),
        Stage::Dispatching => (Status::Dispatching, dispatch.and_then(dispatching_reason)),
        Stage::Accepted => {
            (Status::Queued, Some("GitHub took the dispatch; its workflow run was not seen yet".to_owned()))
        }
        Stage::Queued => (Status::Queued, double.or_else(|| dispatch.and_then(|d| queued_reason(state, d)))),
        Stage::AwaitingApproval => (
            Status::AwaitingApproval,
            double.or_else(|| Some("somebody has to approve it at GitHub".to_owned())),
        ),
        Stage::Running => (Status::Running, double),
        Stage::Concluded(Conclusion::Success | Conclusion::Neutral) => (Status::Succeeded, double),
        Stage::Concluded(Conclusion::Cancelled) => {
            (Status::Cancelled, cancel.or_else(|| Some("its workflow run was cancelled".to_owned())))
        }
        Stage::Concluded(conclusion) => {
            let words = conclusion_words(conclusion);
            let words = match conclusion {
                Conclusion::Other(word) => format!("its workflow run ended with `{word}`"),
                _ => format!("its workflow run {words}"),
            };
            (Status::Failed, Some(words))
        }
        Stage::Refused if dispatch.is_some_and(Dispatch::is_withdrawn) && withdrawn.is_some() => {
            (Status::Cancelled, withdrawn.map(cancelled))
        }
        Stage::Refused if dispatch.is_some_and(Dispatch::is_withdrawn) => {
            (Status::Stopped, run_status(run, &BTreeMap::new()).1)
        }
        Stage::Refused => (Status::DispatchRefused, dispatch.and_then(refusal_reason)),
        Stage::Undecidable => (Status::Undecidable, dispatch.and_then(dispatching_reason)),
    }
}

fn dispatching_reason(dispatch: &Dispatch) -> Option<String> {
    match &dispatch.answer {
        Answer::None | Answer::Accepted | Answer::Refused { .. } => None,
        Answer::Unknown { error } => {
            Some(format!("GitHub's answer was lost ({error}); it is searched before anything is sent again"))
        }
        Answer::Delayed { until, reason } => Some(format!("{reason}; sent again at {until}")),
        Answer::Undecidable { reason, .. } => Some(reason.clone()),
    }
}

fn refusal_reason(dispatch: &Dispatch) -> Option<String> {
    let Answer::Refused { status, reason, message } = &dispatch.answer else { return None };
    let workflow = &dispatch.claimed.workflow;
    let code = reason.code();
    Some(format!("GitHub answered {status} to `{workflow}` ({code}): {message}. {}", reason.advice()))
}

fn queued_reason(state: &RepositoryState, dispatch: &Dispatch) -> Option<String> {
    let run = state.workflow_runs.get(&dispatch.workflow_run?)?;
    (run.status == RunStatus::Pending).then(|| "a concurrency group holds it at GitHub".to_owned())
}

fn doubles(dispatch: &Dispatch) -> Option<String> {
    let other = dispatch.doubles.first()?;
    Some(format!(
        "the workflow run {other} carries the same dispatch id; somebody started it beside Stackwave"
    ))
}

fn workflow_runs(state: &RepositoryState, run: &Run, index: usize) -> Vec<WorkflowRunView> {
    run.stacks[index]
        .calls
        .iter()
        .filter_map(|call| {
            let dispatch = state.dispatches.get(&call.dispatch)?;
            let id = dispatch.workflow_run?;
            let known = state.workflow_runs.get(&id);
            Some(WorkflowRunView {
                id,
                workflow: dispatch.claimed.workflow.to_string(),
                attempt: known.map_or(1, |run| run.attempt),
                html_url: known
                    .map(|run| run.html_url.clone())
                    .filter(|url| !url.is_empty())
                    .or_else(|| dispatch.html_url.clone()),
            })
        })
        .collect()
}
