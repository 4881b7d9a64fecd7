//! Workflow runs: how they live. `queued` → (`waiting`) → `in_progress` → `completed`, and from there a new attempt.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{Conclusion, Draft, Effect, Job, RepositoryId, Run, RunId, RunStatus, State, User, UserKind};
use crate::{
    config::RunMode,
    error::{Error, Result},
    json::Json,
    outcome::{Course, Outcome},
    shapes,
};

/// What a timer does to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Begin,
    Wait,
    Complete(Conclusion),
}

/// A run to start.
#[derive(Debug)]
pub(crate) struct NewRun {
    pub(crate) repository: RepositoryId,
    pub(crate) path: String,
    pub(crate) event: String,
    pub(crate) head_branch: String,
    pub(crate) head_sha: String,
    pub(crate) inputs: BTreeMap<String, String>,
    pub(crate) actor: User,
    /// Title of a run whose workflow has no `run-name`; `None`: the workflow's name.
    pub(crate) title: Option<String>,
}

impl State {
    pub(crate) fn our_bot(&self) -> User {
        User::new(&self.config.app.bot_login(), UserKind::Bot)
    }

    /// Makes a run and lets it live as planned.
    pub(crate) fn start_run(&mut self, new: NewRun) -> Result<RunId> {
        let (now, serial) = (self.now(), self.next());
        let id = 17_000_000_000 + self.seed.below(900_000_000, &["runs"]) + serial;
        let listed = self.faults.listing.take();
        let commit = self.known_repository(new.repository)?.commits.get(&new.head_sha);
        let definition = commit
            .and_then(|commit| self.definition(commit, &new.path))
            .and_then(|parsed| parsed.clone().ok());
        let definition = definition.unwrap_or_default();
        let repository = self.known_repository_mut(new.repository)?;
        let full_name = repository.full_name();
        let workflow = repository
            .workflows
            .get_mut(&new.path)
            .ok_or_else(|| Error::unknown(format!("workflow `{}` of `{full_name}`", new.path)))?;
        workflow.runs += 1;
        let mut run = Run {
            id,
            repository_id: new.repository,
            workflow_id: workflow.id,
            path: new.path,
            workflow_name: workflow.name.clone(),
            number: workflow.runs,
            attempt: 1,
            event: new.event,
            status: RunStatus::Queued,
            conclusion: None,
            head_branch: new.head_branch,
            head_sha: new.head_sha,
            inputs: new.inputs,
            display_title: String::new(),
            triggering_actor: new.actor.clone(),
            actor: new.actor,
            created_at: now,
            updated_at: now,
            run_started_at: now,
            job: Job {
                id: 50_000_000_000 + serial,
                name: definition.job_name(),
                created_at: now,
                started_at: None,
                completed_at: None,
            },
            listed,
        };
        let fallback = new.title.unwrap_or_else(|| run.workflow_name.clone());
        run.display_title = definition.title(&run, &full_name).unwrap_or(fallback);
        let outcome = self.outcomes.take(&run).unwrap_or_else(|| self.usual_outcome());
        self.runs.insert(id, run);
        self.send_run(id, "requested");
        if outcome.conclusion != Conclusion::StartupFailure {
            self.send_job(id, "queued");
        }
        self.plan(id, outcome);
        Ok(id)
    }

    /// GitHub's "Re-run": same id, one attempt more, no `requested`.
    pub(crate) fn rerun(&mut self, id: RunId, login: &str, outcome: Option<Outcome>) -> Result<u64> {
        let (now, serial) = (self.now(), self.next());
        let run = self.run_mut(id)?;
        if !run.is_completed() {
            return Err(impossible(run, "re-run"));
        }
        run.attempt += 1;
        run.status = RunStatus::Queued;
        run.conclusion = None;
        run.triggering_actor = User::person(login);
        run.run_started_at = now;
        run.updated_at = now;
        run.job = Job {
            id: 50_000_000_000 + serial,
            name: run.job.name.clone(),
            created_at: now,
            started_at: None,
            completed_at: None,
        };
        let (attempt, run) = (run.attempt, run.clone());
        let outcome = outcome.or_else(|| self.outcomes.take(&run)).unwrap_or_else(|| self.usual_outcome());
        self.send_job(id, "queued");
        self.plan(id, outcome);
        Ok(attempt)
    }

    pub(crate) fn begin_run(&mut self, id: RunId) -> Result<()> {
        let now = self.now();
        let run = self.run_mut(id)?;
        if run.is_completed() || run.status == RunStatus::InProgress {
            return Err(impossible(run, "started"));
        }
        run.status = RunStatus::InProgress;
        run.job.started_at = Some(now);
        run.updated_at = now;
        self.send_job(id, "in_progress");
        self.send_run(id, "in_progress");
        Ok(())
    }

    /// A deployment protection rule holds the run. GitHub has no action for that: `workflow_job.waiting` says it, and
    /// a `workflow_run` whose status is `waiting` (its schema allows that status for `requested` only).
    pub(crate) fn hold_run(&mut self, id: RunId) -> Result<()> {
        let now = self.now();
        let run = self.run_mut(id)?;
        if run.is_completed() {
            return Err(impossible(run, "held"));
        }
        run.status = RunStatus::Waiting;
        run.updated_at = now;
        self.send_job(id, "waiting");
        self.send_run(id, "requested");
        Ok(())
    }

    /// Ends the latest attempt. A run that has not begun begins first, where the conclusion implies it.
    pub(crate) fn complete_run(&mut self, id: RunId, conclusion: Conclusion) -> Result<()> {
        let run = self.run_mut(id)?;
        if run.is_completed() {
            return Err(impossible(run, "completed"));
        }
        if run.status != RunStatus::InProgress && conclusion.needs_a_start() {
            self.begin_run(id)?;
        }
        let now = self.now();
        let run = self.run_mut(id)?;
        run.status = RunStatus::Completed;
        run.conclusion = Some(conclusion);
        run.updated_at = now;
        run.job.completed_at = Some(now);
        if conclusion != Conclusion::StartupFailure {
            self.send_job(id, "completed");
        }
        self.send_run(id, "completed");
        Ok(())
    }

    /// A timer fires. It does nothing to an attempt that a test has moved on in the meantime.
    pub(crate) fn step(&mut self, id: RunId, attempt: u64, step: Step) {
        let Some(run) = self.runs.get(&id) else { return };
        if run.attempt != attempt || run.is_completed() {
            return;
        }
        let done = match step {
            Step::Begin if run.status == RunStatus::InProgress => Ok(()),
            Step::Begin => self.begin_run(id),
            Step::Wait => self.hold_run(id),
            Step::Complete(conclusion) => self.complete_run(id, conclusion),
        };
        debug_assert!(done.is_ok(), "the status was looked at: {done:?}");
    }

    /// Someone approves: the run goes on, and succeeds as an automatic one would.
    pub(crate) fn approve_run(&mut self, id: RunId) -> Result<()> {
        let run = self.run_mut(id)?;
        if run.status != RunStatus::Waiting {
            return Err(impossible(run, "approved"));
        }
        self.begin_run(id)?;
        let outcome = self.outcomes.held.remove(&id).unwrap_or_else(|| self.usual_outcome());
        if let Course::Runs { job_time } = outcome.course {
            let after = job_time.unwrap_or_else(|| self.usual_time());
            self.schedule(id, Step::Complete(outcome.conclusion), after);
        }
        Ok(())
    }

    /// GitHub cancels the latest attempt, soon.
    pub(crate) fn cancel_run(&mut self, id: RunId) {
        self.schedule(id, Step::Complete(Conclusion::Cancelled), Duration::ZERO);
    }

    fn plan(&mut self, id: RunId, outcome: Outcome) {
        match outcome.course {
            Course::Stays => {}
            Course::Runs { job_time } => {
                if outcome.conclusion.needs_a_start() {
                    self.schedule(id, Step::Begin, Duration::ZERO);
                }
                let after = job_time.unwrap_or_else(|| self.usual_time());
                self.schedule(id, Step::Complete(outcome.conclusion), after);
            }
            Course::Waits { job_time } => {
                self.outcomes.held.insert(id, Outcome { course: Course::Runs { job_time }, ..outcome });
                self.schedule(id, Step::Wait, Duration::ZERO);
            }
        }
    }

    fn schedule(&mut self, run: RunId, step: Step, after: Duration) {
        let attempt = self.runs.get(&run).map_or(1, |run| run.attempt);
        self.effect(Effect::Step { run, attempt, step, after });
    }

    fn usual_outcome(&self) -> Outcome {
        match self.config.runs {
            RunMode::Automatic { .. } => Outcome::success(),
            RunMode::Manual => Outcome::manual(),
        }
    }

    fn usual_time(&self) -> Duration {
        match self.config.runs {
            RunMode::Automatic { job_time } => job_time,
            RunMode::Manual => Duration::ZERO,
        }
    }

    fn send_run(&mut self, id: RunId, action: &'static str) {
        let Some(run) = self.runs.get(&id) else { return };
        let Some(repository) = self.repositories.get(&run.repository_id) else { return };
        let rendered = shapes::run::run(&self.urls, repository, run);
        let workflow = repository
            .workflows
            .get(&run.path)
            .map_or_else(Json::null, |workflow| shapes::workflow::workflow(&self.urls, repository, workflow));
        let draft = Draft {
            event: "workflow_run",
            action: Some(action),
            repository: Some(run.repository_id),
            subject: subject(run),
            sender: run.triggering_actor.clone(),
            body: Json::from(json!({})).with("workflow", &workflow).with("workflow_run", &rendered),
        };
        self.emit(draft);
    }

    fn send_job(&mut self, id: RunId, action: &'static str) {
        let Some(run) = self.runs.get(&id) else { return };
        let Some(repository) = self.repositories.get(&run.repository_id) else { return };
        let rendered = shapes::job::job(&self.urls, repository, run);
        let draft = Draft {
            event: "workflow_job",
            action: Some(action),
            repository: Some(run.repository_id),
            subject: subject(run),
            sender: run.triggering_actor.clone(),
            body: Json::from(json!({})).with("workflow_job", &rendered),
        };
        self.emit(draft);
    }
}

/// By title and attempt, not by id: ids follow the order of arrival, which a seed must not depend on.
fn subject(run: &Run) -> String {
    let inputs: Vec<_> = run.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("run/{}/{}/{}/{}", run.path, run.display_title, inputs.join(","), run.attempt)
}

fn impossible(run: &Run, wish: &'static str) -> Error {
    Error::Impossible { what: format!("workflow run {}", run.id), wish, state: run.status.to_string() }
}
