//! Workflow runs at GitHub: late, repeated and reordered news never moves one backwards (design §4.2).

use super::{Class, Dispatch, RepositoryState, fold::Fold, stack::Stage};
use crate::identity;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    DispatchId, GitRef, Position, Timestamp, WorkflowFile, WorkflowRunId,
    event::{FoundBy, Source, WorkflowDispatchObserved, WorkflowJobWaiting, WorkflowRunObserved},
    workflow::{Conclusion, RunStatus},
};

/// A workflow run as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Who started it, as a login.
    pub actor: Option<String>,
    /// How far it is.
    pub status: RunStatus,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// When it was created, by GitHub's clock.
    pub created_at: Timestamp,
    /// The newest `updated_at` seen of this attempt.
    pub updated_at: Timestamp,
    /// Its page; empty until it is told.
    pub html_url: String,
    /// When it was last heard of, by the record's time.
    pub heard_at: Timestamp,
    /// Where the log tells what is known of it.
    pub told: Position,
    /// Since when it is as it is, by GitHub's clock.
    #[serde(default)]
    pub since: Timestamp,
    /// When this attempt was first seen running, by GitHub's clock.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// Where the log tells of it for the first time.
    #[serde(default)]
    pub first_told: Position,
    /// GitHub's first webhook about it.
    #[serde(default)]
    pub first_webhook: Option<Position>,
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
        if observed.attempt != self.attempt {
            self.started_at = None;
        }
        let same = (observed.attempt, &observed.status, &observed.conclusion)
            == (self.attempt, &self.status, &self.conclusion);
        if !same {
            self.since = observed.updated_at;
        }
        if observed.status == RunStatus::InProgress && self.started_at.is_none() {
            self.started_at = Some(observed.updated_at);
        }
        self.attempt = observed.attempt;
        self.status = observed.status.clone();
        self.conclusion.clone_from(&observed.conclusion);
        self.updated_at = observed.updated_at;
        self.told = position;
        if !observed.title.is_empty() {
            self.title.clone_from(&observed.title);
        }
    }

    /// Takes over what a job's webhook, should it have come first, did not tell.
    fn learn(&mut self, observed: &WorkflowRunObserved) {
        if self.html_url.is_empty() {
            self.html_url.clone_from(&observed.html_url);
            self.title.clone_from(&observed.title);
            self.actor.clone_from(&observed.actor);
            self.created_at = observed.created_at;
        }
    }

    /// The same with the texts of its dispatch, where they are the same: each is in memory once.
    fn shared(mut self, dispatch: &Dispatch) -> Self {
        let claimed = &dispatch.claimed;
        if self.workflow == claimed.workflow {
            self.workflow = claimed.workflow.clone();
        }
        if self.head_branch.as_ref() == Some(&claimed.git_ref) {
            self.head_branch = Some(claimed.git_ref.clone());
        }
        self
    }

    /// A run of a dispatch, of which only a job was heard.
    fn of_job(dispatch: &Dispatch, waiting: &WorkflowJobWaiting, fold: &Fold<'_>) -> Self {
        let claimed = &dispatch.claimed;
        Self {
            id: waiting.run,
            attempt: waiting.attempt,
            workflow: claimed.workflow.clone(),
            title: claimed.title.clone().unwrap_or_default(),
            head_branch: Some(claimed.git_ref.clone()),
            actor: None,
            status: RunStatus::Waiting,
            conclusion: None,
            created_at: waiting.at,
            updated_at: waiting.at,
            html_url: String::new(),
            heard_at: fold.at,
            told: fold.position,
            since: waiting.at,
            started_at: None,
            first_told: fold.position,
            first_webhook: webhook(&waiting.source, fold),
        }
    }
}

/// Where a record that GitHub's webhook made lies.
fn webhook(source: &Source, fold: &Fold<'_>) -> Option<Position> {
    match source {
        Source::Webhook { .. } => Some(fold.position),
        Source::Poll { .. } => None,
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
        if !self.concerns_us(observed) {
            return Class::Known;
        }
        let class = match self.workflow_runs.get_mut(&observed.run) {
            Some(known) => {
                known.heard_at = known.heard_at.max(fold.at);
                known.first_webhook = known.first_webhook.or_else(|| webhook(&observed.source, fold));
                known.learn(observed);
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
                    actor: observed.actor.clone(),
                    status: observed.status.clone(),
                    conclusion: observed.conclusion.clone(),
                    created_at: observed.created_at,
                    updated_at: observed.updated_at,
                    html_url: observed.html_url.clone(),
                    heard_at: fold.at,
                    told: fold.position,
                    since: observed.updated_at,
                    started_at: (observed.status == RunStatus::InProgress).then_some(observed.updated_at),
                    first_told: fold.position,
                    first_webhook: webhook(&observed.source, fold),
                };
                let run = match owner.as_ref().and_then(|id| self.dispatches.get(id)) {
                    Some(dispatch) => run.shared(dispatch),
                    None => run,
                };
                self.workflow_runs.insert(observed.run, run);
                if owner.is_none() {
                    self.unowned_runs.insert(observed.run);
                }
                Class::Applied
            }
        };
        match &owner {
            Some(dispatch) => self.learn_actor(dispatch, observed.run),
            None => self.note_double(fold, observed),
        }
        let class = self.hear(fold, owner, class);
        self.join_resolved(fold, observed.run);
        class
    }

    /// A dispatch's run was heard of.
    fn hear(&mut self, fold: &Fold<'_>, owner: Option<DispatchId>, class: Class) -> Class {
        let Some(id) = owner else { return class };
        self.with_dispatch(fold, &id, |dispatch| {
            dispatch.heard_at = dispatch.heard_at.max(fold.at);
            class
        })
    }

    /// Whether an actor may be our App. Its name is learnt from the first run that is certainly ours; until then Apps
    /// are known by their `[bot]`.
    pub(crate) fn may_be_ours(&self, actor: Option<&str>) -> bool {
        match (actor, self.our_actor.as_deref()) {
            (None, _) => true,
            (Some(actor), Some(ours)) => actor == ours,
            (Some(actor), None) => actor.ends_with("[bot]"),
        }
    }

    /// Learns our App's name from a run that GitHub named in its answer, or, before any such, one that carries our id.
    pub(super) fn learn_actor(&mut self, dispatch: &DispatchId, run: WorkflowRunId) {
        let Some(actor) = self.workflow_runs.get(&run).and_then(|run| run.actor.as_ref()) else { return };
        if self.our_actor.as_ref() == Some(actor) {
            return;
        }
        let certain = self.dispatches.get(dispatch).is_some_and(|dispatch| {
            dispatch.workflow_run == Some(run)
                && match dispatch.found_by {
                    None => true,
                    Some(FoundBy::DispatchIdInTitle) => self.our_actor.is_none(),
                    Some(
                        FoundBy::ExactTitle
                        | FoundBy::OnlyCandidate
                        | FoundBy::DispatchWebhook
                        | FoundBy::Person,
                    ) => false,
                }
        });
        if certain {
            self.our_actor = Some(actor.clone());
        }
    }

    /// Whether folding an observation would change anything: a look records only what does.
    #[must_use]
    pub fn is_news(&self, observed: &WorkflowRunObserved) -> bool {
        self.workflow_runs
            .get(&observed.run)
            .map_or_else(|| self.concerns_us(observed), |known| known.is_news(observed))
    }

    /// Somebody else's runs are of no interest, unless a run of that workflow is being waited for: a host may name the
    /// actor in its own way. A re-run keeps its first actor, so ours are never missed.
    fn concerns_us(&self, observed: &WorkflowRunObserved) -> bool {
        self.owners.contains_key(&observed.run)
            || self.workflow_runs.contains_key(&observed.run)
            || self.may_be_ours(observed.actor.as_deref())
            || self.is_awaited(observed)
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
        if !self.workflow_runs.contains_key(&waiting.run)
            && let Some(id) = self.owners.get(&waiting.run).cloned()
            && let Some(dispatch) = self.dispatches.get(&id)
        {
            let run = WorkflowRun::of_job(dispatch, waiting, fold);
            self.workflow_runs.insert(waiting.run, run);
            return self.hear(fold, Some(id), Class::Applied);
        }
        // One of an unknown run is told again by the next look, once the run is ours.
        let Some(run) = self.workflow_runs.get_mut(&waiting.run) else { return Class::Known };
        run.heard_at = run.heard_at.max(fold.at);
        let newer = waiting.attempt > run.attempt
            || (waiting.attempt == run.attempt
                && run.status != RunStatus::Completed
                && waiting.at >= run.updated_at
                && run.status != RunStatus::Waiting);
        if !newer {
            return Class::Stale;
        }
        if waiting.attempt != run.attempt {
            run.started_at = None;
        }
        run.since = waiting.at;
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
                    && claimed.inputs.are_in(&observed.inputs)
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
