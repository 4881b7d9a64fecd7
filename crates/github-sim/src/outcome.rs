//! What becomes of workflow runs: planned by a test for some of them, by [`crate::RunMode`] for the others.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use crate::state::{Conclusion, Run, RunId};

/// How one attempt of a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ends.
    pub conclusion: Conclusion,
    /// What it does until then.
    pub course: Course,
}

/// What an attempt does until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Starts at once and ends after this time; `None`: after the usual one.
    Runs {
        /// From start to end.
        job_time: Option<Duration>,
    },
    /// Waits for [`approve_run`](crate::GitHub::approve_run), then runs.
    Waits {
        /// From approval to end.
        job_time: Option<Duration>,
    },
    /// Stays `queued` until the test moves it on.
    Stays,
}

impl Outcome {
    /// Runs for the usual time and ends so.
    #[must_use]
    pub fn of(conclusion: Conclusion) -> Self {
        Self { conclusion, course: Course::Runs { job_time: None } }
    }

    /// Succeeds after the usual time.
    #[must_use]
    pub fn success() -> Self {
        Self::of(Conclusion::Success)
    }

    /// Fails after the usual time.
    #[must_use]
    pub fn failure() -> Self {
        Self::of(Conclusion::Failure)
    }

    /// Stays `queued`.
    #[must_use]
    pub fn manual() -> Self {
        Self { course: Course::Stays, ..Self::success() }
    }

    /// The same, but waits for an approval first.
    #[must_use]
    pub fn once_approved(self) -> Self {
        let job_time = match self.course {
            Course::Runs { job_time } | Course::Waits { job_time } => job_time,
            Course::Stays => None,
        };
        Self { course: Course::Waits { job_time }, ..self }
    }

    /// The same, with a job that takes this long.
    #[must_use]
    pub fn after(self, job_time: Duration) -> Self {
        let job_time = Some(job_time);
        let course = match self.course {
            Course::Runs { .. } | Course::Stays => Course::Runs { job_time },
            Course::Waits { .. } => Course::Waits { job_time },
        };
        Self { course, ..self }
    }
}

/// Which runs an outcome is planned for. The empty selector means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSelector {
    workflow: Option<String>,
    inputs: Vec<(String, String)>,
}

impl RunSelector {
    /// All runs.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Runs whose inputs `component` and `stack` are these.
    #[must_use]
    pub fn stack(component: &str, stack: &str) -> Self {
        Self::any().input("component", component).input("stack", stack)
    }

    /// Only those with this input.
    #[must_use]
    pub fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only those of this workflow file.
    #[must_use]
    pub fn workflow(mut self, file: &str) -> Self {
        self.workflow = Some(file.to_owned());
        self
    }

    /// Whether it means this run.
    #[must_use]
    pub fn selects(&self, run: &Run) -> bool {
        self.workflow.as_ref().is_none_or(|file| run.path.rsplit('/').next() == file.rsplit('/').next())
            && self.inputs.iter().all(|(name, value)| run.input(name) == value)
    }
}

type Decide = Arc<dyn Fn(&Run) -> Option<Outcome> + Send + Sync>;

/// All plans. A queue goes before the closure, the closure before the mode.
#[derive(Default)]
pub(crate) struct Outcomes {
    queues: Vec<(RunSelector, VecDeque<Outcome>)>,
    pub(crate) decide: Option<Decide>,
    /// What runs that wait for an approval do afterwards.
    pub(crate) held: HashMap<RunId, Outcome>,
}

impl Outcomes {
    pub(crate) fn plan(&mut self, selector: RunSelector, outcomes: impl IntoIterator<Item = Outcome>) {
        match self.queues.iter_mut().find(|(known, _)| *known == selector) {
            Some((_, queue)) => queue.extend(outcomes),
            None => self.queues.push((selector, outcomes.into_iter().collect())),
        }
    }

    pub(crate) fn take(&mut self, run: &Run) -> Option<Outcome> {
        let queued = self
            .queues
            .iter_mut()
            .filter(|(selector, _)| selector.selects(run))
            .find_map(|(_, queue)| queue.pop_front());
        queued.or_else(|| self.decide.as_ref().and_then(|decide| decide(run)))
    }
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes")
            .field("queues", &self.queues)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
