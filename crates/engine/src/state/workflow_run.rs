//! Workflow runs at GitHub: late, repeated and reordered news never moves one backwards (design §4.2).

use super::{Class, RepositoryState, fold::Fold, run::Stage};
use crate::identity;
use stackwave_domain::{
    DispatchId, GitRef, Position, Timestamp, WorkflowFile, WorkflowRunId,
    event::{WorkflowDispatchObserved, WorkflowJobWaiting, WorkflowRunObserved},
    workflow::{Conclusion, RunStatus},
};

/// A workflow run as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRun {
    /// GitHub's id.
    pub id: WorkflowRunId,
    /// GitHub's attempt.
    pub attempt: u32,
    /// Its workflow.
    pub workflow: WorkflowFile,
    /// What `run-name` gave.
    pub title: String,
    /// The branch.
    pub head_branch: Option<GitRef>,
    /// How far it is.
    pub status: RunStatus,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// When it was created, by GitHub's clock.
    pub created_at: Timestamp,
    /// The newest `updated_at` seen of this attempt.
    pub updated_at: Timestamp,
    /// Its page.
    pub html_url: String,
    /// When it was last heard of, by the record's time.
    pub heard_at: Timestamp,
    /// Where the log tells what is known of it.
    pub told: Position,
    /// An App started it, as far as the actor's name tells.
    pub by_app: bool,
}

impl WorkflowRun {
    pub(super) fn stage(&self) -> Stage {
        match (&self.status, &self.conclusion) {
            (RunStatus::Completed, Some(conclusion)) => Stage::Concluded(conclusion.clone()),
            (RunStatus::Completed, None) => Stage::Concluded(Conclusion::Other("none".to_owned())),
            (RunStatus::Waiting, _) => Stage::AwaitingApproval,
            (RunStatus::InProgress, _) => Stage::Running,
            (RunStatus::Requested | RunStatus::Queued | RunStatus::Pending | RunStatus::Other(_), _) => {
                Stage::Queued
            }
        }
    }

    /// Whether an observation tells more than is known.
    #[must_use]
    pub fn is_news(&self, observed: &WorkflowRunObserved) -> bool {
        let completed = self.status == RunStatus::Completed;
        match observed.attempt.cmp(&self.attempt) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal if completed => {
                observed.status == RunStatus::Completed
                    && observed.updated_at > self.updated_at
                    && observed.conclusion != self.conclusion
            }
            std::cmp::Ordering::Equal => {
                observed.status == RunStatus::Completed
                    || observed.updated_at > self.updated_at
                    || (observed.updated_at == self.updated_at && rank(&observed.status) > rank(&self.status))
            }
        }
    }

    fn take(&mut self, position: Position, observed: &WorkflowRunObserved) {
        self.attempt = observed.attempt;
        self.status = observed.status.clone();
        self.conclusion.clone_from(&observed.conclusion);
        self.updated_at = observed.updated_at;
        self.told = position;
        if !observed.title.is_empty() {
            self.title.clone_from(&observed.title);
        }
    }
}

/// The usual order of the open statuses, for news of the same second.
const fn rank(status: &RunStatus) -> u8 {
    match status {
        RunStatus::Requested => 0,
        RunStatus::Queued | RunStatus::Other(_) => 1,
        RunStatus::Pending => 2,
        RunStatus::Waiting => 3,
        RunStatus::InProgress => 4,
        RunStatus::Completed => 5,
    }
}

impl RepositoryState {
    pub(super) fn observe_workflow_run(&mut self, fold: &Fold<'_>, observed: &WorkflowRunObserved) -> Class {
        if observed.event != "workflow_dispatch" {
            return Class::Known;
        }
        let owner = self.owners.get(&observed.run).cloned();
        // Somebody else's runs are of no interest, unless a run of that workflow is being waited for: a host may name the
        // actor in its own way. A re-run keeps its first actor, so ours are never missed.
        let known = owner.is_some() || self.workflow_runs.contains_key(&observed.run);
        if !known && !is_an_apps(observed) && !self.is_awaited(observed) {
            return Class::Known;
        }
        let class = match self.workflow_runs.get_mut(&observed.run) {
            Some(known) => {
                known.heard_at = known.heard_at.max(fold.at);
                if !known.is_news(observed) {
                    return self.hear(fold, owner, Class::Stale);
                }
                known.take(fold.position, observed);
                Class::Applied
            }
            None => {
                let run = WorkflowRun {
                    id: observed.run,
                    attempt: observed.attempt,
                    workflow: observed.workflow.clone(),
                    title: observed.title.clone(),
                    head_branch: observed.head_branch.clone(),
                    status: observed.status.clone(),
                    conclusion: observed.conclusion.clone(),
                    created_at: observed.created_at,
                    updated_at: observed.updated_at,
                    html_url: observed.html_url.clone(),
                    by_app: is_an_apps(observed),
                    heard_at: fold.at,
                    told: fold.position,
                };
                self.workflow_runs.insert(observed.run, run);
                if owner.is_none() {
                    self.unowned_runs.insert(observed.run);
                }
                Class::Applied
            }
        };
        if owner.is_none() {
            self.note_double(fold, observed);
        }
        self.hear(fold, owner, class)
    }

    /// A dispatch's run was heard of.
    fn hear(&mut self, fold: &Fold<'_>, owner: Option<DispatchId>, class: Class) -> Class {
        let Some(id) = owner else { return class };
        self.with_dispatch(fold, &id, |dispatch| {
            dispatch.heard_at = dispatch.heard_at.max(fold.at);
            class
        })
    }

    /// Whether a dispatch of this workflow has no workflow run yet.
    fn is_awaited(&self, observed: &WorkflowRunObserved) -> bool {
        self.open_claims()
            .chain(self.in_flight())
            .any(|dispatch| dispatch.lacks_run() && dispatch.claimed.workflow == observed.workflow)
    }

    /// A second run that carries the id of a dispatch which has its run: shown, never acted upon.
    fn note_double(&mut self, fold: &Fold<'_>, observed: &WorkflowRunObserved) {
        for id in identity::dispatch_ids_in(&observed.title) {
            let has_another =
                self.dispatches.get(&id).is_some_and(|dispatch| dispatch.workflow_run.is_some());
            if has_another && self.join(&id, observed.run) {
                self.with_dispatch(fold, &id, |_| Class::Applied);
            }
        }
    }

    pub(super) fn observe_job_waiting(&mut self, fold: &Fold<'_>, waiting: &WorkflowJobWaiting) -> Class {
        let Some(run) = self.workflow_runs.get_mut(&waiting.run) else {
            // The run's own webhook, or the next look, tells it again.
            return Class::Known;
        };
        run.heard_at = run.heard_at.max(fold.at);
        let newer = waiting.attempt > run.attempt
            || (waiting.attempt == run.attempt
                && run.status != RunStatus::Completed
                && waiting.at >= run.updated_at
                && run.status != RunStatus::Waiting);
        if !newer {
            return Class::Stale;
        }
        run.attempt = waiting.attempt;
        run.status = RunStatus::Waiting;
        run.conclusion = None;
        run.updated_at = run.updated_at.max(waiting.at);
        run.told = fold.position;
        let owner = self.owners.get(&waiting.run).cloned();
        self.hear(fold, owner, Class::Applied)
    }

    /// GitHub's word that it accepted a dispatch with these inputs: it proves one open claim that sent them. The word
    /// for a dispatch that has its answer already is spent on that one.
    pub(super) fn observe_dispatch_webhook(
        &mut self,
        fold: &Fold<'_>,
        observed: &WorkflowDispatchObserved,
    ) -> Class {
        let sent_these = |id: &&DispatchId| {
            self.dispatches.get(*id).is_some_and(|dispatch| {
                let claimed = &dispatch.claimed;
                !dispatch.acceptance_proven
                    && claimed.workflow == observed.workflow
                    && claimed.git_ref == observed.git_ref
                    && claimed.inputs.iter().all(|(name, value)| observed.inputs.get(name) == Some(value))
            })
        };
        let proven = if let Some(answered) = self.in_flight.iter().find(sent_these) {
            answered.clone()
        } else {
            let mut open = self.open_claims.iter().filter(sent_these);
            let (Some(only), None) = (open.next(), open.next()) else { return Class::Known };
            only.clone()
        };
        self.with_dispatch(fold, &proven, |dispatch| {
            dispatch.acceptance_proven = true;
            Class::Applied
        })
    }
}

/// Only Apps are `[bot]`s; which one is ours the engine does not know.
fn is_an_apps(observed: &WorkflowRunObserved) -> bool {
    observed.actor.as_deref().is_none_or(|actor| actor.ends_with("[bot]"))
}
