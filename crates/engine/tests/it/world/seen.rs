//! What a scenario can look at, and what must hold at its end.

use super::{REPOSITORY, World, fold, github::Titles, graph, graph::key};
use stackwave_engine::{
    state::{RepositoryState, Run},
    view::{self, Status},
};
use std::collections::BTreeSet;

impl World {
    // What can be seen.

    pub(crate) fn repository(&self) -> &RepositoryState {
        self.state.repository(REPOSITORY).expect("something was appended")
    }

    /// The newest run of an activity.
    pub(crate) fn run(&self, activity: &str) -> &Run {
        let runs = self.repository().runs.values().filter(|run| run.trigger.activity == activity);
        runs.max_by_key(|run| run.opened.1).unwrap_or_else(|| panic!("no run of {activity}: {}", self.runs()))
    }

    /// `opened running, synchronize superseded`, in the order of the log.
    pub(crate) fn runs(&self) -> String {
        let mut runs: Vec<&Run> = self.repository().runs.values().collect();
        runs.sort_by_key(|run| run.opened.1);
        let words: Vec<String> = runs
            .into_iter()
            .map(|run| {
                let status = view::run_view(self.repository(), run).status;
                format!("{} {}", run.trigger.activity, format!("{status:?}").to_lowercase())
            })
            .collect();
        words.join(", ")
    }

    pub(crate) fn status(&self, activity: &str, stack: &str) -> Status {
        let run = self.run(activity);
        let index = run.find(&key(stack)).unwrap_or_else(|| panic!("no stack {stack}"));
        view::run_view(self.repository(), run).stacks[index].status
    }

    pub(crate) fn reason(&self, activity: &str, stack: &str) -> String {
        let run = self.run(activity);
        let index = run.find(&key(stack)).unwrap_or_else(|| panic!("no stack {stack}"));
        view::run_view(self.repository(), run).stacks[index].reason.clone().unwrap_or_default()
    }

    /// `plan:vpc plan:app apply:vpc`: what GitHub took, in its order.
    pub(crate) fn dispatched(&self) -> String {
        let words: Vec<String> = self
            .github
            .runs
            .values()
            .map(|run| {
                let workflow = run.claimed.workflow.as_str().trim_end_matches(".yaml");
                format!("{workflow}:{}", graph::name(&run.claimed.key))
            })
            .collect();
        words.join(" ")
    }

    /// What GitHub took, in its order. After a cut some are sent later than others.
    pub(crate) fn assert_dispatched(&self, expected: &str) {
        let dispatched = self.dispatched();
        if self.process == 1 {
            assert_eq!(dispatched, expected);
        } else {
            let sorted = |words: &str| {
                let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
                words.sort();
                words
            };
            assert_eq!(sorted(&dispatched), sorted(expected));
        }
    }

    /// What a scenario came to: every dispatch that GitHub took, and every stack's status.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut dispatches: Vec<String> =
            self.github.runs.values().map(|run| run.claimed.dispatch.to_string()).collect();
        dispatches.sort();
        let stacks = self
            .repository()
            .runs
            .values()
            .map(|run| {
                let view = view::run_view(self.repository(), run);
                let stacks =
                    view.stacks.iter().map(|stack| (graph::name(&stack.key), stack.status)).collect();
                (run.id.to_string(), format!("{:?}", view.status), stacks)
            })
            .collect();
        Outcome { dispatches, runs: stacks }
    }

    /// What must hold at the end of every scenario.
    pub(crate) fn end(&self) {
        let mut dispatches = BTreeSet::new();
        for run in self.github.runs.values() {
            assert!(dispatches.insert(&run.claimed.dispatch), "{} was started twice", run.claimed.key);
        }
        if self.github.titles != Titles::Alike && self.repository().halted.is_none() {
            let open: Vec<_> = self.repository().open_claims().collect();
            assert!(open.is_empty(), "claims are left open: {open:#?}");
        }
        let again = fold(&self.log);
        assert!(again == self.state, "folding again gives another state");
        assert_eq!(format!("{again:?}"), format!("{:?}", self.state), "folding again gives other bytes");
    }
}

/// The end of a scenario, as far as a cut must not change it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) dispatches: Vec<String>,
    pub(crate) runs: Vec<RunOutcome>,
}

/// A run's id, how it stands, and how its stacks do.
pub(crate) type RunOutcome = (String, String, Vec<(String, Status)>);
