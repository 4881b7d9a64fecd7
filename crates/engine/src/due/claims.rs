//! Which dispatches may be claimed, what is sent for them, and which workflow run belongs to one (design §5).

use crate::state::{Dispatch, RepositoryState, Run, WorkflowRun};
use jiff::SignedDuration;
use stackwave_domain::{
    CommitSha, DispatchId, GitRef, Inputs, RunId, StackKey, TraceContext, WorkflowFile, WorkflowRunId,
    event::{DispatchClaimed, FoundBy},
    fragment::WorkflowCall,
    plan::Verdict,
};
use std::{collections::BTreeSet, sync::Arc};

/// A run of GitHub's may seem to be created this much before its claim: the two clocks are not the same.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// The input in which a workflow may ask for its place in the trace.
const TRACE_INPUT: &str = "traceparent";

/// A released dispatch that nobody has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub dispatch: DispatchId,
    /// In which run.
    pub run: RunId,
    /// For which stack.
    pub key: StackKey,
    /// Dispatch attempt.
    pub attempt: u32,
    /// The workflow with its configured inputs.
    pub call: WorkflowCall,
    /// The branch or tag to start it on.
    pub git_ref: GitRef,
    /// The commit that it is told to check out.
    pub sha: CommitSha,
    /// The run's trace.
    pub trace: Option<Arc<str>>,
}

/// Released dispatches without a claim: applies before plans, older runs before newer, at most `limit`.
#[must_use]
pub fn due_dispatches(state: &RepositoryState, limit: usize) -> Vec<Candidate> {
    if state.halted.is_some() {
        return Vec::new();
    }
    let mut candidates = Vec::new();
    for run in state.active_runs().into_iter().filter(|run| run.cancel.is_none()) {
        for (stack, call) in run.unclaimed() {
            if candidates.len() == limit {
                return candidates;
            }
            candidates.extend(candidate(run, stack, call));
        }
    }
    candidates
}

fn candidate(run: &Run, stack: usize, call: usize) -> Option<Candidate> {
    let planned = run.plan.stacks.get(stack)?;
    let Verdict::Dispatch(calls) = &planned.verdict else { return None };
    let crate::state::Progress::Released { attempt, .. } = run.stacks.get(stack)?.progress else {
        return None;
    };
    Some(Candidate {
        dispatch: run.stacks.get(stack)?.calls.get(call)?.dispatch.clone(),
        run: run.id.clone(),
        key: planned.key.clone(),
        attempt,
        call: calls.get(call)?.clone(),
        git_ref: run.git_ref.clone(),
        sha: run.sha.clone(),
        trace: run.trace.clone(),
    })
}

/// The inputs to send: the configured ones, and our two where the workflow declares them (contract §8). With a
/// workflow that could not be read (`declared` is none) both are sent. A workflow that declares `traceparent` gets the
/// span that stands for its run in the run's trace.
#[must_use]
pub fn inputs_for(candidate: &Candidate, declared: Option<&BTreeSet<String>>) -> Inputs {
    let mut inputs = candidate.call.inputs.clone();
    let takes = |name: &str| declared.is_none_or(|declared| declared.contains(name));
    if takes("atmos_pro_run_id") {
        inputs.insert("atmos_pro_run_id", candidate.dispatch.as_str());
    }
    if takes("sha") {
        inputs.insert_new("sha", || candidate.sha.as_str().to_owned());
    }
    if declared.is_some_and(|declared| declared.contains(TRACE_INPUT))
        && let Some(trace) = candidate.trace.as_deref().and_then(TraceContext::parse)
    {
        let span = trace.named(candidate.dispatch.as_str());
        inputs.insert_new(TRACE_INPUT, || span.to_string());
    }
    inputs
}

/// Whether a dispatch may be claimed beside those that are under way. Where neither the host's answer nor the run's
/// title tells which run is which, sends of one workflow and ref go one at a time.
#[must_use]
pub fn may_claim(
    state: &RepositoryState,
    claimed_with_it: &[DispatchClaimed],
    workflow: &WorkflowFile,
    git_ref: &GitRef,
    tells: bool,
) -> bool {
    if tells || state.returns_run_ids == Some(true) {
        return true;
    }
    let same = |other: &DispatchClaimed| other.workflow == *workflow && other.git_ref == *git_ref;
    let unidentified = undecided(state).any(|dispatch| same(&dispatch.claimed));
    !unidentified && !claimed_with_it.iter().any(same)
}

/// Which workflow run a dispatch has, as far as the state can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identification {
    /// This one.
    Run(WorkflowRunId, FoundBy),
    /// It happened; its run is not known.
    Accepted,
    /// One of these, and nothing tells which.
    Ambiguous(Vec<WorkflowRunId>),
    /// Nothing speaks for its having happened.
    Nothing,
}

/// Looks among the workflow runs that nobody owns for the one that belongs to a dispatch.
#[must_use]
pub fn identify(state: &RepositoryState, dispatch: &Dispatch) -> Identification {
    let claimed = &dispatch.claimed;
    // Two runs with our id: the older is ours, the younger somebody's copy.
    let by_id = state.unowned_runs().filter(|run| run.title.contains(claimed.dispatch.as_str()));
    if let Some(oldest) = by_id.min_by_key(|run| (run.created_at, run.id)) {
        return Identification::Run(oldest.id, FoundBy::DispatchIdInTitle);
    }
    let candidates: Vec<&WorkflowRun> =
        state.unowned_runs().filter(|run| is_possible(state, dispatch, run)).collect();
    let rivals: Vec<&Dispatch> = rivals(state, dispatch).collect();
    if let Some(title) = &claimed.title {
        let exact: Vec<&&WorkflowRun> = candidates.iter().filter(|run| run.title == *title).collect();
        let contested = rivals.iter().any(|rival| rival.claimed.title.as_ref() == Some(title));
        return match (exact.as_slice(), contested) {
            ([], _) if dispatch.acceptance_proven => Identification::Accepted,
            ([], _) => unexplained(&candidates, &rivals),
            ([only], false) => Identification::Run(only.id, FoundBy::ExactTitle),
            (several, _) => Identification::Ambiguous(several.iter().map(|run| run.id).collect()),
        };
    }
    let wanted_by_others = |run: &WorkflowRun| rivals.iter().any(|rival| !rival.excluded.contains(&run.id));
    match (candidates.as_slice(), candidates.first().is_none_or(|only| !wanted_by_others(only))) {
        ([], _) if dispatch.acceptance_proven => Identification::Accepted,
        ([], _) => Identification::Nothing,
        ([only], true) => Identification::Run(only.id, FoundBy::OnlyCandidate),
        (several, _) => Identification::Ambiguous(several.iter().map(|run| run.id).collect()),
    }
}

/// No run has the title that the claim expects. A run that no other claim explains may be its all the same, under a title
/// that the workflow file gives since it was read: hold, never double.
fn unexplained(candidates: &[&WorkflowRun], rivals: &[&Dispatch]) -> Identification {
    let explained =
        |run: &WorkflowRun| rivals.iter().any(|rival| rival.claimed.title.as_ref() == Some(&run.title));
    let unexplained: Vec<WorkflowRunId> =
        candidates.iter().filter(|run| !explained(run)).map(|run| run.id).collect();
    if unexplained.is_empty() { Identification::Nothing } else { Identification::Ambiguous(unexplained) }
}

/// Whether a run without a dispatch's id can be its at all: started by our App, the same workflow and ref, not older
/// than the claim, and no other dispatch's id in its title.
fn is_possible(state: &RepositoryState, dispatch: &Dispatch, run: &WorkflowRun) -> bool {
    let claimed = &dispatch.claimed;
    let since = dispatch.at.0.checked_sub(CLOCKS_DIFFER).unwrap_or(dispatch.at.0);
    state.may_be_ours(run.actor.as_deref())
        && !dispatch.excluded.contains(&run.id)
        && run.workflow == claimed.workflow
        && run.head_branch.as_ref().is_none_or(|branch| *branch == claimed.git_ref)
        && run.created_at >= since
        && crate::identity::dispatch_ids_in(&run.title).all(|id| id == claimed.dispatch)
}

/// Other dispatches of the same workflow and ref whose run is not known.
fn rivals<'a>(state: &'a RepositoryState, dispatch: &'a Dispatch) -> impl Iterator<Item = &'a Dispatch> {
    undecided(state).filter(|other| {
        other.claimed.dispatch != dispatch.claimed.dispatch
            && other.claimed.workflow == dispatch.claimed.workflow
            && other.claimed.git_ref == dispatch.claimed.git_ref
    })
}

/// Dispatches that may have happened and whose workflow run is not known.
fn undecided(state: &RepositoryState) -> impl Iterator<Item = &Dispatch> {
    state.open_claims().chain(state.in_flight()).filter(|dispatch| dispatch.lacks_run())
}
