//! What must hold of a repository's state (design §8), told apart by who is at fault: this code, or the log.

use crate::state::{Dispatch, Progress, RepositoryState, Run, Stage};
use stackwave_domain::{DispatchId, Position, RunId, StackKey, WorkflowRunId, plan::Verdict};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A list or count of the state differs from what it is made of: a fault of this code.
    Structure(String),
    /// The log holds a decision or claim that the rules would not have made. It stands.
    Logged {
        /// Where.
        position: Position,
        /// What is wrong with it.
        what: String,
    },
    /// Two mutating runs have the same stack in flight.
    Together {
        /// Which stack.
        key: StackKey,
        /// The runs.
        runs: (RunId, RunId),
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure(what) => write!(f, "{what}"),
            Self::Logged { position, what } => write!(f, "{what} (at {position})"),
            Self::Together { key, runs: (one, other) } => {
                write!(f, "the mutating runs {one} and {other} both have {key} in flight")
            }
        }
    }
}

impl RepositoryState {
    /// Checks the invariants of design §8 that a state can show.
    ///
    /// # Errors
    /// Everything that does not hold.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let mut violations: Vec<Violation> = self.structure().into_iter().map(Violation::Structure).collect();
        violations.extend(
            self.violations
                .iter()
                .map(|(position, what)| Violation::Logged { position: *position, what: what.clone() }),
        );
        violations.extend(self.together());
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Panics when a list or count differs from what it is made of. Large states are looked at now and then only.
    pub(crate) fn assert_structure(&self) {
        const LARGE: usize = 2_000;
        let size = self.dispatches.len() + self.runs.values().map(|run| run.stacks.len()).sum::<usize>();
        if size > LARGE && !self.last_position().0.is_multiple_of(256) {
            return;
        }
        let wrong = self.structure();
        assert!(
            wrong.is_empty(),
            "the state of repository {} is broken after {}: {}",
            self.id,
            self.last_position(),
            wrong.join("; ")
        );
    }

    fn structure(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for run in self.runs.values() {
            check_run(run, &mut wrong);
        }
        self.check_dispatches(&mut wrong);
        self.check_owners(&mut wrong);
        self.check_lists(&mut wrong);
        wrong.extend(self.check_heads());
        wrong
    }

    fn check_dispatches(&self, wrong: &mut Vec<String>) {
        for (id, dispatch) in &self.dispatches {
            let stack = self.runs.get(dispatch.run()).and_then(|run| run.stacks.get(dispatch.stack));
            let Some(stack) = stack else {
                wrong.push(format!("the dispatch {id} belongs to no stack of {}", dispatch.run()));
                continue;
            };
            if !matches!(stack.progress, Progress::Released { .. }) {
                wrong.push(format!(
                    "the dispatch {id} was claimed for {}, which is not released",
                    key(dispatch)
                ));
            }
            let call = stack.calls.get(dispatch.call).filter(|call| call.dispatch == *id);
            if let Some(call) = call
                && call.stage != self.stage_of(dispatch)
            {
                wrong.push(format!(
                    "{} is {:?}, not {:?}",
                    key(dispatch),
                    self.stage_of(dispatch),
                    call.stage
                ));
            }
        }
        for call in self.runs.values().flat_map(|run| &run.stacks).flat_map(|stack| &stack.calls) {
            if call.stage != Stage::Unclaimed && !self.dispatches.contains_key(&call.dispatch) {
                wrong.push(format!("{} is {:?} without a claim", call.dispatch, call.stage));
            }
        }
    }

    fn check_owners(&self, wrong: &mut Vec<String>) {
        let mut owners: BTreeMap<WorkflowRunId, &DispatchId> = BTreeMap::new();
        for (id, dispatch) in &self.dispatches {
            for run in dispatch.workflow_run.iter().chain(&dispatch.doubles) {
                if let Some(other) = owners.insert(*run, id) {
                    wrong.push(format!("the workflow run {run} belongs to {other} and to {id}"));
                }
            }
        }
        let listed: BTreeMap<WorkflowRunId, &DispatchId> = self.owners().collect();
        expect(wrong, "owners of workflow runs", &listed, &owners);
        let unowned: BTreeSet<WorkflowRunId> =
            self.workflow_runs.keys().filter(|run| !owners.contains_key(run)).copied().collect();
        expect(
            wrong,
            "workflow runs that nobody owns",
            &self.unowned_runs().map(|run| run.id).collect(),
            &unowned,
        );
    }

    fn check_lists(&self, wrong: &mut Vec<String>) {
        let active: BTreeSet<&RunId> =
            self.runs.values().filter(|run| run.is_active()).map(|run| &run.id).collect();
        expect(wrong, "active runs", &self.active_runs().into_iter().map(|run| &run.id).collect(), &active);
        let dispatches = || self.dispatches.values();
        let open: BTreeSet<&DispatchId> =
            dispatches().filter(|dispatch| dispatch.is_open()).map(id).collect();
        expect(wrong, "open claims", &self.open_claims().map(id).collect(), &open);
        let flying: BTreeSet<&DispatchId> = dispatches()
            .filter(|dispatch| !dispatch.is_open() && self.stage_of(dispatch).is_unsettled())
            .map(id)
            .collect();
        expect(wrong, "dispatches in flight", &self.in_flight().map(id).collect(), &flying);
        let failed: BTreeSet<&DispatchId> = dispatches()
            .filter(|dispatch| self.stage_of(dispatch).is_failure() && active.contains(dispatch.run()))
            .map(id)
            .collect();
        expect(wrong, "dispatches that failed", &self.failed().map(id).collect(), &failed);
        wrong.extend(self.check_commands());
        for upload in self.uploads.values() {
            if self.uploads_of(&upload.head_sha).filter(|listed| listed.digest == upload.digest).count() != 1
            {
                wrong.push(format!("the upload {} is not listed once under its commit", upload.digest));
            }
        }
        wrong.extend(self.check_changes());
    }

    fn together(&self) -> Vec<Violation> {
        let mut flying: BTreeMap<&StackKey, &RunId> = BTreeMap::new();
        let mut together = Vec::new();
        for run in self.runs.values().filter(|run| run.is_mutating() && run.is_in_flight()) {
            for stack in (0..run.stacks.len()).filter(|stack| self.first_attempt_in_flight(run, *stack)) {
                if let Some(other) = flying.insert(run.key(stack), &run.id) {
                    let runs = (other.clone(), run.id.clone());
                    together.push(Violation::Together { key: run.key(stack).clone(), runs });
                }
            }
        }
        together
    }
}

fn id(dispatch: &Dispatch) -> &DispatchId {
    &dispatch.claimed.dispatch
}

fn key(dispatch: &Dispatch) -> &StackKey {
    &dispatch.claimed.key
}

fn expect<T: PartialEq + fmt::Debug>(wrong: &mut Vec<String>, what: &str, listed: &T, real: &T) {
    if listed != real {
        wrong.push(format!("the list of {what} is {listed:?}, it should be {real:?}"));
    }
}

fn check_run(run: &Run, wrong: &mut Vec<String>) {
    let counts = run.counts();
    let mut ready = BTreeSet::new();
    let mut unclaimed = BTreeSet::new();
    let mut ordered = BTreeSet::new();
    for (index, stack) in run.stacks.iter().enumerate() {
        let key = run.key(index);
        let unmet = run.parents(index).filter(|parent| !run.stacks[*parent].met).count();
        if unmet != stack.unmet_parents as usize {
            wrong.push(format!("{key} has {unmet} unmet parents, not {}", stack.unmet_parents));
        }
        let met = match &stack.progress {
            Progress::Skipped(_) => unmet == 0,
            Progress::Released { .. } => stack.succeeded(),
            Progress::Waiting | Progress::Refused(_) => false,
        };
        if met != stack.met {
            wrong.push(format!("{key} lets its children go: {met}, not {}", stack.met));
        }
        if stack.may_be_released() && unmet == 0 {
            ready.insert(index);
        }
        let planned = matches!(run.plan.stacks[index].verdict, Verdict::Dispatch(_));
        if matches!(stack.progress, Progress::Released { .. }) && !planned {
            wrong.push(format!("{key} was released in a run whose plan does not run it"));
        }
        unclaimed.extend(stack.to_be_claimed().map(|call| (index, call)));
        if stack.retry().is_some() || stack.cancel().is_some() {
            ordered.insert(index);
        }
    }
    let what = |list: &str| format!("{list} of {}", run.id);
    expect(wrong, &what("ready stacks"), counts.ready, &ready);
    expect(wrong, &what("unclaimed dispatches"), counts.unclaimed, &unclaimed);
    expect(wrong, &what("stacks of which something is wanted"), counts.ordered, &ordered);
    expect(
        wrong,
        &what("unmet stacks"),
        &counts.unmet,
        &run.stacks.iter().filter(|stack| !stack.met).count(),
    );
    let flying = run.stacks.iter().filter(|stack| stack.in_flight()).count();
    expect(wrong, &what("stacks in flight"), &counts.flying, &flying);
}
