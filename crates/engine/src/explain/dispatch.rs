//! The evidence that a dispatch happened once: claim, request, answer, workflow run, first webhook, and whether any other
//! run carries its id.

use crate::state::{Answer, Dispatch, Progress, RepositoryState, WorkflowRun};
use stackwave_domain::{
    DispatchId, GitRef, Position, RunId, StackKey, Timestamp, WorkflowFile, WorkflowRunId,
    event::{CancelAnswer, FoundBy, Resolution},
};
use std::fmt;

/// What the log holds about one dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which dispatch.
    pub dispatch: DispatchId,
    /// In which run.
    pub run: RunId,
    /// For which stack.
    pub key: StackKey,
    /// Dispatch attempt.
    pub attempt: u32,
    /// What was started.
    pub workflow: WorkflowFile,
    /// On which branch or tag.
    pub git_ref: GitRef,
    /// The workflow run, once it is known.
    pub workflow_run: Option<WorkflowRunId>,
    /// Other workflow runs that carry its id.
    pub others: Vec<WorkflowRunId>,
    /// What happened, in its order.
    pub steps: Vec<Step>,
    /// What follows.
    pub verdict: Verdict,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub kind: StepKind,
    /// In a sentence, without a full stop.
    pub text: String,
    /// The record; none where the evidence is that there is none.
    pub position: Option<Position>,
    /// When, where the state still knows.
    pub at: Option<Timestamp>,
}

/// A piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// The stack was released.
    Released,
    /// The intention was recorded before anything was sent.
    Claimed,
    /// Somebody else took the claim over.
    TakenOver,
    /// GitHub was searched, nothing was found, and it was sent again.
    Resent,
    /// What GitHub answered, or what was found out instead.
    Answered,
    /// GitHub's own word that it took these inputs.
    Acknowledged,
    /// The workflow run.
    WorkflowRun,
    /// GitHub's first webhook of that run.
    FirstWebhook,
    /// A person said what had become of it.
    Resolved,
    /// GitHub was asked to cancel its workflow run.
    Cancelled,
    /// Whether another run carries the id.
    Others,
}

impl StepKind {
    /// The word for tables and APIs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Claimed => "claimed",
            Self::TakenOver => "taken_over",
            Self::Resent => "resent",
            Self::Answered => "answered",
            Self::Acknowledged => "acknowledged",
            Self::WorkflowRun => "workflow_run",
            Self::FirstWebhook => "first_webhook",
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
            Self::Others => "others",
        }
    }
}

/// What the evidence comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It happened, and once.
    Once,
    /// It did not happen: GitHub refused it.
    Refused,
    /// The claim has not ended yet.
    Open,
    /// It happened; which workflow run is its is not known yet.
    Unidentified,
    /// Nobody can tell; a person has to.
    Undecidable,
    /// More than one workflow run carries its id.
    Doubled,
}

impl Verdict {
    /// The word for tables and APIs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Unidentified => "unidentified",
            Self::Undecidable => "undecidable",
            Self::Doubled => "doubled",
        }
    }

    /// In a sentence, without a full stop.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Once => "it happened once",
            Self::Refused => "it did not happen",
            Self::Open => "it may have happened; nothing is sent again before GitHub was searched",
            Self::Unidentified => "it happened; its workflow run is being looked for",
            Self::Undecidable => "nothing tells which workflow run is its; somebody has to say (`resolve`)",
            Self::Doubled => {
                "more than one workflow run carries its id: it was started beside Stackwave, or sent twice"
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "{} (at {position})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl fmt::Display for Evidence {
    /// Lines for people: the dispatch, each step, and what follows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dispatch, key, workflow, git_ref, attempt, .. } = self;
        writeln!(f, "{dispatch}: {key} by {workflow} on {git_ref}, attempt {attempt}")?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        write!(f, "  → {}", self.verdict.sentence())
    }
}

/// What the state holds about a dispatch.
#[must_use]
pub fn explain_dispatch(state: &RepositoryState, dispatch: &Dispatch) -> Evidence {
    let claimed = &dispatch.claimed;
    let others = others(state, dispatch);
    let mut steps: Vec<Step> = released(state, dispatch).into_iter().collect();
    steps.extend(requests(dispatch));
    steps.extend(answer(dispatch));
    if dispatch.acceptance_proven {
        let text = "GitHub's `workflow_dispatch` webhook carried exactly these inputs".to_owned();
        steps.push(Step { kind: StepKind::Acknowledged, text, position: None, at: None });
    }
    steps.extend(resolved(dispatch));
    steps.extend(workflow_run(state, dispatch));
    steps.extend(cancelled(state, dispatch));
    steps.push(told_of_others(state, dispatch, &others));
    let verdict = verdict(dispatch, &others);
    Evidence {
        dispatch: claimed.dispatch.clone(),
        run: claimed.run.clone(),
        key: claimed.key.clone(),
        attempt: claimed.attempt,
        workflow: claimed.workflow.clone(),
        git_ref: claimed.git_ref.clone(),
        workflow_run: dispatch.workflow_run,
        others,
        steps,
        verdict,
    }
}

fn verdict(dispatch: &Dispatch, others: &[WorkflowRunId]) -> Verdict {
    match &dispatch.answer {
        _ if !others.is_empty() => Verdict::Doubled,
        Answer::Accepted if dispatch.workflow_run.is_some() => Verdict::Once,
        Answer::Accepted => Verdict::Unidentified,
        Answer::Refused { .. } => Verdict::Refused,
        Answer::Undecidable { .. } => Verdict::Undecidable,
        Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. } => Verdict::Open,
    }
}

fn released(state: &RepositoryState, dispatch: &Dispatch) -> Option<Step> {
    let run = state.runs.get(dispatch.run())?;
    let stack = run.stacks.get(dispatch.stack)?;
    let Progress::Released { attempt, at } = &stack.progress else { return None };
    // The state keeps the release of the newest attempt only.
    (*attempt == dispatch.claimed.attempt).then(|| Step {
        kind: StepKind::Released,
        text: match run.parents(dispatch.stack).next() {
            Some(_) => "its parents had succeeded, and it was released".to_owned(),
            None => "it depends on nothing, and was released".to_owned(),
        },
        position: stack.decided,
        at: Some(*at),
    })
}

/// The claim, and each time that a request may have left.
fn requests(dispatch: &Dispatch) -> Vec<Step> {
    let mut steps = vec![Step {
        kind: StepKind::Claimed,
        text: format!("claimed by process {}, epoch 1, before anything was sent", dispatch.claimed.claimant),
        position: Some(dispatch.at.1),
        at: Some(dispatch.at.0),
    }];
    let mut evidence = dispatch.resends.iter();
    for epoch in &dispatch.later {
        let (number, claimant) = (epoch.number, &epoch.claimant);
        let (kind, text) = if epoch.resent {
            let searched = evidence.next().map(|found| match found.listings {
                0 => ", since somebody had said that it did not happen".to_owned(),
                _ => format!(
                    ", after {} listings of GitHub's runs over {} s: the last held {}, and none was its",
                    found.listings,
                    found.searched_ms / 1_000,
                    found.runs_seen
                ),
            });
            let searched = searched.unwrap_or_default();
            let text =
                format!("sent again under the same id by process {claimant}, epoch {number}{searched}");
            (StepKind::Resent, text)
        } else {
            (StepKind::TakenOver, format!("taken over by process {claimant}, epoch {number}"))
        };
        steps.push(Step { kind, text, position: Some(epoch.at.1), at: Some(epoch.at.0) });
    }
    steps
}

fn answer(dispatch: &Dispatch) -> Option<Step> {
    let text = match (&dispatch.answer, dispatch.found_by) {
        (Answer::None, _) => return None,
        (Answer::Unknown { error }, _) => format!("GitHub's answer was lost: {error}"),
        (Answer::Delayed { until, reason }, _) => {
            format!("GitHub did certainly not take it ({reason}); sent again at {until}")
        }
        (Answer::Refused { status, reason, message }, _) => {
            format!("GitHub refused it with {status} ({}): {message}", reason.code())
        }
        (Answer::Undecidable { reason, .. }, _) => reason.clone(),
        (Answer::Accepted, None) => "GitHub accepted it".to_owned(),
        (Answer::Accepted, Some(by)) => format!("GitHub's answer was lost; found {}", found(by)),
    };
    Some(Step { kind: StepKind::Answered, text, position: dispatch.answered, at: None })
}

const fn found(by: FoundBy) -> &'static str {
    match by {
        FoundBy::DispatchIdInTitle => "by its id in the run's title",
        FoundBy::ExactTitle => "by the exact title that only it expected",
        FoundBy::OnlyCandidate => "as the only run, and this the only claim, of its workflow and ref",
        FoundBy::DispatchWebhook => "by GitHub's `workflow_dispatch` webhook with its inputs",
        FoundBy::Person => "by a person, who said which run is its",
    }
}

fn workflow_run(state: &RepositoryState, dispatch: &Dispatch) -> Vec<Step> {
    let Some(id) = dispatch.workflow_run else { return Vec::new() };
    let known = state.workflow_runs.get(&id);
    let carries = known.is_some_and(|run| run.title.contains(dispatch.claimed.dispatch.as_str()));
    let title = if carries { ", whose title carries the id" } else { "" };
    let mut steps = vec![Step {
        kind: StepKind::WorkflowRun,
        text: format!("it is workflow run {id}{title}"),
        position: known.map(|run| run.first_told).or(dispatch.answered),
        at: known.map(|run| run.created_at),
    }];
    match known.and_then(|run| run.first_webhook) {
        Some(position) => steps.push(Step {
            kind: StepKind::FirstWebhook,
            text: "GitHub's first webhook of that run".to_owned(),
            position: Some(position),
            at: None,
        }),
        None => steps.push(Step {
            kind: StepKind::FirstWebhook,
            text: "no webhook of that run has come; what is known of it was asked".to_owned(),
            position: None,
            at: None,
        }),
    }
    steps
}

/// What a person said had become of it.
fn resolved(dispatch: &Dispatch) -> Option<Step> {
    let resolved = dispatch.resolution.as_ref()?;
    let asked = &resolved.asked;
    let text = match resolved.outcome {
        Resolution::Happened { workflow_run } => {
            format!("{} said that it is workflow run {workflow_run}", asked.by)
        }
        Resolution::NotHappened => format!("{} said that it had not happened", asked.by),
    };
    Some(Step { kind: StepKind::Resolved, text, position: Some(asked.at), at: None })
}

/// What came of its cancellation.
fn cancelled(state: &RepositoryState, dispatch: &Dispatch) -> Option<Step> {
    let cancel = dispatch.cancel.as_ref()?;
    let asked = cancel.asked?;
    let command = cancel.command.as_ref().and_then(|id| state.command(id));
    let why = command
        .map_or_else(|| "since its run had stopped".to_owned(), |command| format!("for {}", command.by));
    let said = match &cancel.answer {
        None => "nothing is recorded of its answer".to_owned(),
        Some((CancelAnswer::Accepted, _)) => "it agreed".to_owned(),
        Some((CancelAnswer::TooLate, _)) => "it was too late".to_owned(),
        Some((CancelAnswer::Refused { status, message }, _)) => format!("it answered {status}: {message}"),
    };
    Some(Step {
        kind: StepKind::Cancelled,
        text: format!("GitHub was asked to cancel the workflow run, {why}; {said}"),
        position: cancel.answer.as_ref().map_or(Some(asked), |(_, at)| Some(*at)),
        at: None,
    })
}

/// Other runs that carry the dispatch's id, whoever owns them.
fn others(state: &RepositoryState, dispatch: &Dispatch) -> Vec<WorkflowRunId> {
    let id = dispatch.claimed.dispatch.as_str();
    let carries = |run: &&WorkflowRun| Some(run.id) != dispatch.workflow_run && run.title.contains(id);
    let mut others: Vec<WorkflowRunId> = match dispatch.workflow_run {
        // Before a run is known, one that carries the id is not another, but probably it.
        None => Vec::new(),
        Some(_) => state.workflow_runs.values().filter(carries).map(|run| run.id).collect(),
    };
    others.extend(&dispatch.doubles);
    others.sort_unstable();
    others.dedup();
    others
}

fn told_of_others(state: &RepositoryState, dispatch: &Dispatch, others: &[WorkflowRunId]) -> Step {
    let known = state.workflow_runs.len();
    let id = &dispatch.claimed.dispatch;
    let (text, position) = match others {
        [] => (format!("no other of the {known} known workflow runs of the repository carries {id}"), None),
        others => {
            let ids: Vec<String> = others.iter().map(ToString::to_string).collect();
            let first =
                others.iter().filter_map(|other| state.workflow_runs.get(other)).map(|run| run.first_told);
            (format!("the workflow runs {} carry {id} too", ids.join(", ")), first.min())
        }
    };
    Step { kind: StepKind::Others, text, position, at: None }
}
