//! A run told by the names of its stacks, so that it can be held against another.

use crate::{Moment, Player};
use stackwave_domain::{
    DispatchId, Event, RunId, StackKey, Timestamp, WorkflowRunId, plan::Verdict, workflow::RunStatus,
};
use stackwave_engine::{state::Run, view::run_view};
use std::collections::{BTreeMap, BTreeSet};

/// A run as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Its id.
    pub run: String,
    /// What is told of the run itself, by name.
    pub fields: Vec<(&'static str, String)>,
    /// Its stacks by name.
    pub stacks: BTreeMap<String, Stack>,
    /// Parent and child by name.
    pub edges: BTreeSet<(String, String)>,
    /// Its decisions in their order.
    pub decisions: Vec<String>,
}

/// One stack of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// What is planned, by name.
    pub settings: BTreeMap<String, String>,
    /// How it stands.
    pub status: String,
    /// When what happened to it, the first time.
    pub timings: Timings,
}

/// When what happened to a stack, the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    released: Option<Timestamp>,
    claimed: Option<Timestamp>,
    answered: Option<Timestamp>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

impl Timings {
    /// How long each step took, in seconds.
    #[must_use]
    pub fn steps(&self) -> [(&'static str, Option<i64>); 4] {
        let between =
            |from: Option<Timestamp>, to: Option<Timestamp>| Some(to?.duration_since(from?).as_secs());
        [
            ("release_to_claim", between(self.released, self.claimed)),
            ("claim_to_answer", between(self.claimed, self.answered)),
            ("answer_to_start", between(self.answered, self.started)),
            ("start_to_end", between(self.started, self.ended)),
        ]
    }
}

impl Story {
    /// The story of a run at the end of its recording; none when the recording has no such run.
    #[must_use]
    pub fn of(player: &mut Player, run: Option<&RunId>) -> Option<Self> {
        player.seek(Moment::End);
        let repository = player.repository()?;
        let run = run.map_or_else(|| player.run(), |run| player.find_run(run))?;
        let view = run_view(repository, run);
        let status = format!("{:?}", view.status).to_lowercase();
        let mut story = Self {
            run: run.id.to_string(),
            fields: vec![
                ("trigger", run.trigger.to_string()),
                ("commit", run.head_sha.to_string()),
                ("ref", run.git_ref.to_string()),
                ("checked out", run.sha.to_string()),
                ("status", status),
            ],
            ..Self::default()
        };
        for (index, view) in view.stacks.iter().enumerate() {
            let stack = Stack {
                settings: settings(run, index),
                status: view.status.as_str().to_owned(),
                timings: Timings::default(),
            };
            story.stacks.insert(view.key.to_string(), stack);
        }
        let name = |index: u32| run.plan.stacks.get(index as usize).map(|stack| stack.key.to_string());
        story.edges = run.plan.edges.iter().filter_map(|(a, b)| Some((name(*a)?, name(*b)?))).collect();
        story.follow(player, &run.id);
        Some(story)
    }

    /// Takes decisions and moments from the records.
    fn follow(&mut self, player: &Player, run: &RunId) {
        let mut dispatches: BTreeMap<DispatchId, StackKey> = BTreeMap::new();
        let mut workflow_runs: BTreeMap<WorkflowRunId, StackKey> = BTreeMap::new();
        if let Some(repository) = player.repository() {
            for dispatch in repository.dispatches.values().filter(|dispatch| dispatch.run() == run) {
                let key = dispatch.claimed.key.clone();
                workflow_runs.extend(dispatch.workflow_run.map(|id| (id, key.clone())));
                dispatches.insert(dispatch.claimed.dispatch.clone(), key);
            }
        }
        for entry in player.entries() {
            let at = entry.record.at;
            for event in &entry.record.events {
                match event {
                    Event::RunOpened(it) if it.run == *run => self.decisions.push("run opened".to_owned()),
                    Event::StackReleased(it) if it.run == *run => {
                        self.decide(&it.key, &format!("released, attempt {}", it.attempt));
                        self.note(&it.key, |timings| &mut timings.released, at);
                    }
                    Event::StackSkipped(it) if it.run == *run => {
                        self.decide(&it.key, &format!("skipped: {}", it.reason));
                    }
                    Event::StackWithdrawn(it) if it.run == *run => self.decide(&it.key, "withdrawn"),
                    Event::RetryDropped(it) if it.run == *run => self.decide(&it.key, "retry dropped"),
                    Event::RunSuperseded(it) if it.run == *run => {
                        self.decisions.push("run superseded".to_owned());
                    }
                    Event::RunClosed(it) if it.run == *run => {
                        self.decisions.push(format!("run closed: {}", it.reason));
                    }
                    Event::RunCancelled(it) if it.run == *run => {
                        self.decisions.push("run cancelled".to_owned());
                    }
                    Event::RunEnded(it) if it.run == *run => {
                        self.decisions.push(format!("run ended: {:?}", it.outcome).to_lowercase());
                    }
                    Event::DispatchClaimed(it) if it.run == *run => {
                        self.note(&it.key, |timings| &mut timings.claimed, at);
                    }
                    Event::DispatchAccepted(it) => self.answer(dispatches.get(&it.dispatch), at),
                    Event::DispatchFound(it) => self.answer(dispatches.get(&it.dispatch), at),
                    Event::DispatchRefused(it) => self.answer(dispatches.get(&it.dispatch), at),
                    Event::WorkflowRunObserved(it) => {
                        let Some(key) = workflow_runs.get(&it.run) else { continue };
                        if it.status == RunStatus::InProgress {
                            self.note(key, |timings| &mut timings.started, it.updated_at);
                        } else if it.status == RunStatus::Completed {
                            self.note(key, |timings| &mut timings.ended, it.updated_at);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn decide(&mut self, key: &StackKey, what: &str) {
        self.decisions.push(format!("{key} {what}"));
    }

    fn answer(&mut self, key: Option<&StackKey>, at: Timestamp) {
        if let Some(key) = key {
            self.note(key, |timings| &mut timings.answered, at);
        }
    }

    fn note(
        &mut self,
        key: &StackKey,
        field: impl FnOnce(&mut Timings) -> &mut Option<Timestamp>,
        at: Timestamp,
    ) {
        if let Some(stack) = self.stacks.get_mut(&key.to_string()) {
            field(&mut stack.timings).get_or_insert(at);
        }
    }
}

fn settings(run: &Run, index: usize) -> BTreeMap<String, String> {
    let Some(stack) = run.plan.stacks.get(index) else { return BTreeMap::new() };
    let mut settings = BTreeMap::from([(
        "directly affected".to_owned(),
        if stack.directly_affected { "yes" } else { "no" }.to_owned(),
    )]);
    match &stack.verdict {
        Verdict::Skip(reason) => {
            settings.insert("runs".to_owned(), format!("no: {reason}"));
        }
        Verdict::Refuse(reason) => {
            settings.insert("runs".to_owned(), format!("cannot: {reason}"));
        }
        Verdict::Dispatch(calls) => {
            settings.insert("runs".to_owned(), "yes".to_owned());
            for call in calls {
                settings.insert(format!("workflow {}", call.workflow), "dispatched".to_owned());
                for (name, value) in call.inputs.iter() {
                    settings.insert(format!("input {name} of {}", call.workflow), value.to_owned());
                }
            }
        }
    }
    settings
}
