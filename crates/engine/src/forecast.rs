//! When a run will be done, and along which path: from how long the same stacks took before.
//!
//! The longest remaining path by median durations. Each stack has its estimate from the moment its run was opened
//! ([`Run::estimates`]), so a forecast is a function of the run and of now, and what other runs do does not change it. A
//! stack without a past is taken for a usual one of its repository, and where there is no past at all, for one of those
//! that have ended in the same run. What waits for people (an approval, a failed stack) is not guessed.

mod longest;
mod text;

pub use text::{path, sentence};

use crate::{
    graph::Graph,
    state::{Basis, Estimate, Past, Progress, RepositoryState, Run, Stage, Took, median},
    words::between,
};
use jiff::SignedDuration;
use longest::{Node, longest};
use stackwave_domain::{RunPlan, Timestamp, plan::Verdict};

/// What is to be expected of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// As of when.
    pub at: Timestamp,
    /// When everything that can go will have succeeded; none when nothing is known of the past.
    pub finish: Option<Timestamp>,
    /// The stacks that decide when that is, in their order, as indices into the run's stacks.
    pub critical_path: Vec<usize>,
    /// The stacks that still have to succeed and can.
    pub open: usize,
    /// What the estimates of those rest on.
    pub rests_on: RestsOn,
    /// A stack of the critical path already takes longer than usual.
    pub late: bool,
    /// So many of the open stacks wait for somebody's approval, which no past tells.
    pub approvals: usize,
}

/// On what the estimates of open stacks rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestsOn {
    /// So many on successes of the same stack.
    pub stack: usize,
    /// So many on those of other stacks.
    pub others: usize,
    /// So many on nothing.
    pub nothing: usize,
}

impl Forecast {
    /// How long it still takes at a later moment; nothing once the expected moment is over.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        self.finish.map(|finish| between(now, finish))
    }
}

/// What is to be expected of a run that goes on; none of one that has stopped, or of which nothing can go.
#[must_use]
pub fn forecast(state: &RepositoryState, run: &Run, now: Timestamp) -> Option<Forecast> {
    if !run.is_active() {
        return None;
    }
    let here = typical_here(state, run);
    let mut late = vec![false; run.stacks.len()];
    let nodes: Vec<Node> = (0..run.stacks.len())
        .map(|index| {
            let stack = &run.stacks[index];
            if stack.met {
                return Node::Done;
            }
            let stuck = stack.failure().is_some()
                || stack.calls.iter().any(|call| call.stage == Stage::Undecidable)
                || matches!(stack.progress, Progress::Refused(_));
            if stuck {
                return Node::Stuck;
            }
            if matches!(stack.progress, Progress::Skipped(_)) {
                return Node::Passes;
            }
            let own = run.estimates.get(index).copied().flatten();
            let took = own.map(|estimate| estimate.took).or(here);
            let left = took.map(|took| {
                let (left, over) = left(state, run, index, took, now);
                late[index] = over;
                left
            });
            Node::Takes(left)
        })
        .collect();
    let found = longest(&nodes, |index| run.parents(index), |index| run.children(index))?;
    let awaits =
        |index: usize| run.stacks[index].calls.iter().any(|call| call.stage == Stage::AwaitingApproval);
    let finish = found.takes.and_then(|takes| now.checked_add(takes).ok());
    Some(Forecast {
        at: now,
        finish,
        late: found.path.iter().any(|index| late[*index]),
        critical_path: found.path,
        open: found.open.len(),
        approvals: found.open.iter().filter(|index| awaits(**index)).count(),
        rests_on: rests_on(&run.estimates, &found.open, here.is_some()),
    })
}

fn rests_on(estimates: &[Option<Estimate>], open: &[usize], known_here: bool) -> RestsOn {
    let mut rests_on = RestsOn::default();
    for index in open {
        match estimates.get(*index).copied().flatten().map(|estimate| estimate.basis) {
            Some(Basis::Stack) => rests_on.stack += 1,
            Some(Basis::Repository) => rests_on.others += 1,
            None if known_here => rests_on.others += 1,
            None => rests_on.nothing += 1,
        }
    }
    rests_on
}

/// What a stack of this run usually takes, told by those that have succeeded.
fn typical_here(state: &RepositoryState, run: &Run) -> Option<Took> {
    if run.estimates.iter().all(Option::is_some) {
        return None;
    }
    let ended = (0..run.stacks.len()).filter(|index| run.stacks[*index].succeeded());
    median(ended.filter_map(|index| state.took(run, index)))
}

/// How long a stack that is not done still takes by itself, and whether it is beyond what is usual.
fn left(
    state: &RepositoryState,
    run: &Run,
    index: usize,
    took: Took,
    now: Timestamp,
) -> (SignedDuration, bool) {
    let (queue, runs) = (seconds(took.queue_s), seconds(took.run_s));
    let whole = queue + runs;
    let calls = run.stacks[index].calls.iter().map(|call| {
        let dispatch = state.dispatches.get(&call.dispatch);
        let workflow_run = dispatch.and_then(|dispatch| state.workflow_runs.get(&dispatch.workflow_run?));
        match (&call.stage, workflow_run) {
            (Stage::Concluded(_), _) => (SignedDuration::ZERO, false),
            (Stage::AwaitingApproval, _) => (runs, false),
            (Stage::Running, Some(known)) => {
                let ran = between(known.started_at.unwrap_or(known.since), now);
                ((runs - ran).max(SignedDuration::ZERO), is_late(ran, runs))
            }
            (Stage::Queued, Some(known)) => {
                let waited = between(known.since, now);
                ((queue - waited).max(SignedDuration::ZERO) + runs, is_late(waited, queue))
            }
            _ => (whole, false),
        }
    });
    calls.reduce(|one, other| (one.0.max(other.0), one.1 || other.1)).unwrap_or((whole, false))
}

/// Beyond what is usual by more than usual things differ: a quarter, and half a minute.
fn is_late(took: SignedDuration, usual: SignedDuration) -> bool {
    took > usual + usual / 4 + SignedDuration::from_secs(30)
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

/// What is to be expected of a plan that no run has yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanForecast {
    /// How long it takes when nothing fails and nothing has to wait for people; none without a past.
    pub takes: Option<SignedDuration>,
    /// The stacks that decide it, in their order, as indices into the plan's stacks.
    pub critical_path: Vec<usize>,
    /// What the estimates rest on.
    pub rests_on: RestsOn,
}

/// What is to be expected of a plan, with what the past of its repository tells; none when nothing of it runs.
#[must_use]
pub fn of_plan(plan: &RunPlan, mutating: bool, past: Option<&Past>) -> Option<PlanForecast> {
    let graph = Graph::new(plan.stacks.len(), &plan.edges);
    let estimates: Vec<Option<Estimate>> =
        past.map_or_else(|| vec![None; plan.stacks.len()], |past| past.estimates(plan, mutating));
    let nodes: Vec<Node> = plan
        .stacks
        .iter()
        .zip(&estimates)
        .map(|(stack, estimate)| match &stack.verdict {
            Verdict::Skip(_) => Node::Passes,
            Verdict::Refuse(_) => Node::Stuck,
            Verdict::Dispatch(_) => {
                let took = estimate.map(|estimate| estimate.took);
                Node::Takes(took.map(|took| seconds(took.queue_s) + seconds(took.run_s)))
            }
        })
        .collect();
    let found = longest(&nodes, |index| graph.parents(index), |index| graph.children(index))?;
    let rests_on = rests_on(&estimates, &found.open, false);
    Some(PlanForecast { takes: found.takes, critical_path: found.path, rests_on })
}
