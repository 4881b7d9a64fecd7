//! What becomes of workflow runs.

use crate::{
    error::Result,
    handle::GitHub,
    outcome::{Outcome, RunSelector},
    state::{Conclusion, Run, RunId},
};

/// Methods that move a run fail with [`Error::Unknown`](crate::Error::Unknown) when it is not there, and with
/// [`Error::Impossible`](crate::Error::Impossible) when its status does not allow the step.
#[expect(clippy::missing_errors_doc, reason = "the block says it once for all")]
impl GitHub {
    /// A run as it is.
    #[must_use]
    pub fn run(&self, run: RunId) -> Option<Run> {
        self.read(|state| state.run(run).cloned())
    }

    /// Starts the job: `workflow_job.in_progress`, `workflow_run.in_progress`.
    pub fn begin_run(&self, run: RunId) -> Result<()> {
        self.change(|state| state.begin_run(run))
    }

    /// Ends the run: `workflow_job.completed`, `workflow_run.completed`. Begins it first where the conclusion says that
    /// a job has run.
    pub fn complete_run(&self, run: RunId, conclusion: Conclusion) -> Result<()> {
        self.change(|state| state.complete_run(run, conclusion))
    }

    /// An environment wants an approval: `workflow_job.waiting`, and a `workflow_run` with the status `waiting`.
    pub fn hold_run(&self, run: RunId) -> Result<()> {
        self.change(|state| state.hold_run(run))
    }

    /// Someone approves a waiting run: it begins, and goes on as it was planned.
    pub fn approve_run(&self, run: RunId) -> Result<()> {
        self.change(|state| state.approve_run(run))
    }

    /// Someone presses "Re-run" on a completed run: a new attempt, without `workflow_run.requested`. `outcome`: how it
    /// goes; `None`: as planned. Returns the number of the attempt.
    pub fn rerun(&self, run: RunId, login: &str, outcome: Option<Outcome>) -> Result<u64> {
        self.change(|state| state.rerun(run, login, outcome))
    }

    /// Plans the next attempts that the selector means, one outcome each. Then they go as usual again.
    pub fn plan_outcomes(&self, selector: RunSelector, outcomes: impl IntoIterator<Item = Outcome>) {
        self.change(|state| state.outcomes.plan(selector, outcomes));
    }

    /// The next attempt of this stack fails.
    pub fn fail_once(&self, component: &str, stack: &str) {
        self.plan_outcomes(RunSelector::stack(component, stack), [Outcome::failure()]);
    }

    /// Decides every attempt that nothing is planned for. `None`: as usual. Do not call the simulation from inside.
    pub fn decide_outcomes(&self, decide: impl Fn(&Run) -> Option<Outcome> + Send + Sync + 'static) {
        self.change(|state| state.outcomes.decide = Some(std::sync::Arc::new(decide)));
    }
}
