//! Runs whose view depends on other runs: a stack that is ready may be held by another run that has it.

use super::touched::Touched;
use stackwave_domain::{Position, RepositoryId, RunId};
use stackwave_engine::{
    State,
    state::{RepositoryState, Run},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Such runs, by repository.
#[derive(Default)]
pub(super) struct Held {
    runs: BTreeMap<RepositoryId, BTreeSet<RunId>>,
    /// Repositories that were not looked at, for want of time.
    late: BTreeSet<RepositoryId>,
    spent: Spent,
}

impl Held {
    pub(super) fn of(state: &State) -> Self {
        let mut held = Self::default();
        for repository in state.repositories() {
            for run in repository.active_runs() {
                held.judge(repository.id, run);
            }
        }
        held
    }

    /// Notes whether a run, as it is now, depends on others.
    pub(super) fn judge(&mut self, repository: RepositoryId, run: &Run) {
        let ready = run.ready().next().is_some() || run.ordered().next().is_some();
        if run.is_active() && run.is_mutating() && ready {
            self.runs.entry(repository).or_default().insert(run.id.clone());
        } else if let Some(runs) = self.runs.get_mut(&repository) {
            runs.remove(&run.id);
            if runs.is_empty() {
                self.runs.remove(&repository);
            }
        }
    }

    /// Repositories that are to be looked at although nothing new was told of them.
    pub(super) fn take_late(&mut self) -> BTreeSet<RepositoryId> {
        std::mem::take(&mut self.late)
    }

    /// Whatever happened in a repository may have changed why its other runs are held. Hundreds of runs that wait for
    /// each other are looked at less often than records come: each release or skip touches its own run anyway, so what
    /// is late is the name of the run that is waited for.
    pub(super) fn touch(&mut self, repository: &RepositoryState, at: Position, touched: &mut Touched) {
        let Some(runs) = self.runs.get(&repository.id) else { return };
        let others = runs.iter().filter(|run| !touched.runs.contains_key(*run));
        let others: Vec<RunId> = others.cloned().collect();
        if others.is_empty() {
            return;
        }
        if !self.spent.may_go_on() {
            self.late.insert(repository.id);
            return;
        }
        let cost = repository.runs.len().saturating_mul(others.len());
        self.spent.add(cost);
        for run in others {
            touched.run(at, &run);
        }
    }
}

/// Keeps the looks at held runs to a share of the time.
struct Spent {
    since: Instant,
    cost: usize,
}

/// So many pairs of runs are compared at once without a thought.
const FREE: usize = 200_000;
/// The budget is renewed after this.
const PERIOD: Duration = Duration::from_millis(250);

impl Default for Spent {
    fn default() -> Self {
        Self { since: Instant::now(), cost: 0 }
    }
}

impl Spent {
    fn may_go_on(&mut self) -> bool {
        if self.since.elapsed() >= PERIOD {
            *self = Self::default();
        }
        self.cost < FREE
    }

    fn add(&mut self, cost: usize) {
        self.cost = self.cost.saturating_add(cost);
    }
}
