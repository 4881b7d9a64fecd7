//! Claims and what became of them (design §5).

use super::{Class, RepositoryState, Run, Stack, WorkflowRun, fold::Fold, stack::Stage};
use crate::command::Asked;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommandId, DispatchId, Position, ProcessId, RunId, Timestamp, WorkflowRunId,
    event::{
        CancelAnswer, DispatchAccepted, DispatchClaimed, DispatchDelayed, DispatchFound,
        DispatchOutcomeUnknown, DispatchRefused, DispatchResending, DispatchTakenOver, DispatchUndecidable,
        FoundBy, RefusalReason, Resolution, SearchEvidence,
    },
    plan::Verdict,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One dispatch, from its claim on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The claim.
    pub claimed: Arc<DispatchClaimed>,
    /// When it was claimed and where the log says so.
    pub at: (Timestamp, Position),
    /// The stack's index in its run's plan.
    pub stack: usize,
    /// Which of the stack's workflows.
    pub call: usize,
    /// Who holds the claim.
    pub claimant: ProcessId,
    /// Grows with each take-over and resend; a position tells when the newest began.
    pub epoch: (u32, Position),
    /// What GitHub said.
    pub answer: Answer,
    /// Where the log says so.
    pub answered: Option<Position>,
    /// The workflow run, once it is known.
    pub workflow_run: Option<WorkflowRunId>,
    /// The run's page, as the answer told it.
    pub html_url: Option<String>,
    /// How the run was found, when GitHub did not name it in its answer.
    pub found_by: Option<FoundBy>,
    /// GitHub's `workflow_dispatch` webhook carried these inputs while the claim was open: it happened.
    pub acceptance_proven: bool,
    /// The epochs after the first, in order.
    #[serde(default)]
    pub later: Vec<Epoch>,
    /// Every resend, with what was done to be sure that the one before had not happened.
    pub resends: Vec<SearchEvidence>,
    /// Other workflow runs of this dispatch: somebody started them beside us, or it was sent twice. They belong to no
    /// other dispatch.
    pub doubles: Vec<WorkflowRunId>,
    /// When something about it was last heard (by the record's time).
    pub heard_at: Timestamp,
    /// Its workflow run is to be cancelled at GitHub, or was.
    #[serde(default)]
    pub cancel: Option<Box<Cancel>>,
    /// A person said what became of it; kept once it is settled.
    #[serde(default)]
    pub resolution: Option<Box<Resolved>>,
    /// Workflow runs that a person said are not its.
    #[serde(default)]
    pub excluded: BTreeSet<WorkflowRunId>,
    /// Whether the lists of open claims and of dispatches in flight have it.
    #[serde(skip)]
    pub(super) listed: (bool, bool, bool),
}

/// A cancellation of a dispatch's workflow run at GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The person's command; none when the run was superseded or closed.
    pub command: Option<CommandId>,
    /// A running apply as well.
    pub force: bool,
    /// GitHub's newest attempt when it was cancelled: one that somebody starts after it is his own affair.
    pub attempt: u32,
    /// Where the log says that GitHub is about to be asked.
    pub asked: Option<Position>,
    /// What GitHub said, and where.
    pub answer: Option<(CancelAnswer, Position)>,
}

/// A person's word for what became of a dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// Who said so.
    pub asked: Asked,
    /// What became of it.
    pub outcome: Resolution,
    /// It was acted upon: the run is joined, or the dispatch sent again or withdrawn.
    pub settled: bool,
}

/// A take-over of a claim, or a resend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number; the claim itself is 1.
    pub number: u32,
    /// When it began and where the log says so.
    pub at: (Timestamp, Position),
    /// Who began it.
    pub claimant: ProcessId,
    /// It was sent again, after a search; otherwise somebody took the claim over.
    pub resent: bool,
}

/// What GitHub said to a dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Nothing is recorded: the request may have been sent.
    None,
    /// The answer was lost.
    Unknown {
        /// What went wrong.
        error: String,
    },
    /// It was certainly not taken; it is sent again.
    Delayed {
        /// When.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// It was taken.
    Accepted,
    /// It was refused for good.
    Refused {
        /// HTTP status.
        status: u16,
        /// What it means.
        reason: RefusalReason,
        /// GitHub's words.
        message: String,
    },
    /// Nothing tells which run is its.
    Undecidable {
        /// The runs that may be.
        candidates: Vec<WorkflowRunId>,
        /// In words.
        reason: String,
    },
}

impl Dispatch {
    /// The run that it belongs to.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.claimed.run
    }

    fn begin(&mut self, fold: &Fold<'_>, number: u32, claimant: &ProcessId, resent: bool) {
        self.epoch = (number, fold.position);
        self.claimant = claimant.clone();
        let at = (fold.at, fold.position);
        self.later.push(Epoch { number, at, claimant: claimant.clone(), resent });
    }

    /// When its newest epoch began.
    #[must_use]
    pub fn sent_at(&self) -> Timestamp {
        self.later.last().map_or(self.at.0, |epoch| epoch.at.0)
    }

    /// A person said what became of it, and that is not acted upon yet.
    #[must_use]
    pub fn unsettled_resolution(&self) -> Option<&Resolved> {
        self.resolution.as_deref().filter(|resolved| !resolved.settled)
    }

    /// The claim has not ended: the request may be in flight, or has to be looked for.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.answer {
            Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. } | Answer::Undecidable { .. } => {
                true
            }
            Answer::Accepted | Answer::Refused { .. } => false,
        }
    }

    /// We took it back before GitHub had it.
    #[must_use]
    pub const fn is_withdrawn(&self) -> bool {
        matches!(self.answer, Answer::Refused { reason: RefusalReason::Withdrawn, .. })
    }

    /// It happened (as far as is known) and its workflow run is still to be found.
    #[must_use]
    pub const fn lacks_run(&self) -> bool {
        self.workflow_run.is_none() && !matches!(self.answer, Answer::Refused { .. })
    }
}

/// A claim whose texts are those of its run: each is in memory once, however many dispatches a run has.
pub(super) fn shared(claimed: &DispatchClaimed, run: &Run, stack: usize, call: usize) -> DispatchClaimed {
    let mut claimed = claimed.clone();
    claimed.run = run.id.clone();
    let Some(planned) = run.plan.stacks.get(stack) else { return claimed };
    claimed.key = planned.key.clone();
    if claimed.git_ref == run.git_ref {
        claimed.git_ref = run.git_ref.clone();
    }
    if let Some(known) = run.stacks[stack].calls.get(call).filter(|it| it.dispatch == claimed.dispatch) {
        claimed.dispatch = known.dispatch.clone();
    }
    if let Verdict::Dispatch(calls) = &planned.verdict
        && let Some(known) = calls.get(call).filter(|it| it.workflow == claimed.workflow)
    {
        claimed.workflow = known.workflow.clone();
    }
    claimed
}

impl RepositoryState {
    pub(super) fn claim(&mut self, fold: &Fold<'_>, claimed: &DispatchClaimed) -> Class {
        if self.dispatches.contains_key(&claimed.dispatch) {
            return Class::Known;
        }
        let Some(run) = self.runs.get(&claimed.run) else {
            return Class::Impossible(format!("a claim for the unknown run {}", claimed.run));
        };
        let place = run.find(&claimed.key).and_then(|stack| {
            let call = run.stacks[stack].calls.iter().position(|call| call.dispatch == claimed.dispatch)?;
            Some((stack, call))
        });
        let Some((stack, call)) = place else {
            return Class::Impossible(format!("a claim for {}, which was not released", claimed.key));
        };
        let kept = Arc::new(shared(claimed, run, stack, call));
        if !run.is_active() {
            let what = format!("{} was claimed in the run {}, which had stopped", claimed.key, claimed.run);
            self.note_violation(fold.position, what);
        }
        let dispatch = Dispatch {
            claimed: kept,
            at: (fold.at, fold.position),
            stack,
            call,
            claimant: claimed.claimant.clone(),
            epoch: (1, fold.position),
            answer: Answer::None,
            answered: None,
            workflow_run: None,
            html_url: None,
            found_by: None,
            acceptance_proven: false,
            later: Vec::new(),
            resends: Vec::new(),
            doubles: Vec::new(),
            heard_at: fold.at,
            cancel: None,
            resolution: None,
            excluded: BTreeSet::new(),
            listed: (false, false, false),
        };
        self.dispatches.insert(dispatch.claimed.dispatch.clone(), dispatch);
        self.with_dispatch(fold, &claimed.dispatch, |_| Class::Applied)
    }

    pub(super) fn take_over(&mut self, fold: &Fold<'_>, taken: &DispatchTakenOver) -> Class {
        self.with_dispatch(fold, &taken.dispatch, |dispatch| {
            if taken.epoch <= dispatch.epoch.0 {
                return Class::Stale;
            }
            dispatch.begin(fold, taken.epoch, &taken.claimant, false);
            Class::Applied
        })
    }

    pub(super) fn resend(&mut self, fold: &Fold<'_>, resending: &DispatchResending) -> Class {
        let mut closed = false;
        let class = self.with_dispatch(fold, &resending.dispatch, |dispatch| {
            if resending.epoch <= dispatch.epoch.0 {
                return Class::Stale;
            }
            dispatch.begin(fold, resending.epoch, &resending.claimant, true);
            dispatch.resends.push(resending.evidence.clone());
            if dispatch.is_open() {
                dispatch.answer = Answer::None;
                dispatch.answered = None;
            } else {
                closed = fold.knew(dispatch.answered);
            }
            Class::Applied
        });
        if class == Class::Applied {
            self.settle_resolution(fold, &resending.dispatch);
        }
        if closed {
            self.note_violation(
                fold.position,
                format!("{} was sent again after its answer", resending.dispatch),
            );
        }
        class
    }

    pub(super) fn accept(&mut self, fold: &Fold<'_>, accepted: &DispatchAccepted) -> Class {
        if accepted.workflow_run.is_some() {
            self.returns_run_ids = Some(true);
        } else if self.returns_run_ids.is_none() {
            self.returns_run_ids = Some(false);
        }
        let joined = accepted.workflow_run.is_some_and(|run| self.join(&accepted.dispatch, run));
        if let Some(run) = accepted.workflow_run {
            self.learn_actor(&accepted.dispatch, run);
        }
        let class = self.with_dispatch(fold, &accepted.dispatch, |dispatch| {
            if matches!(dispatch.answer, Answer::Accepted) && !joined {
                return Class::Known;
            }
            // Whatever was believed before: GitHub took it.
            dispatch.answer = Answer::Accepted;
            dispatch.answered = Some(fold.position);
            dispatch.heard_at = fold.at;
            if dispatch.workflow_run == accepted.workflow_run {
                dispatch.html_url.clone_from(&accepted.html_url);
            }
            Class::Applied
        });
        self.settle_taken(fold, &accepted.dispatch);
        class
    }

    /// GitHub took a dispatch of which a person had said what became of it: that is settled as far as it is known.
    fn settle_taken(&mut self, fold: &Fold<'_>, id: &DispatchId) {
        let settled = self.dispatches.get(id).is_some_and(|dispatch| {
            let said = dispatch.unsettled_resolution().map(|resolved| resolved.outcome);
            dispatch.workflow_run.is_some() || said == Some(Resolution::NotHappened)
        });
        if settled {
            self.settle_resolution(fold, id);
        }
    }

    pub(super) fn find(&mut self, fold: &Fold<'_>, found: &DispatchFound) -> Class {
        let Some(dispatch) = self.dispatches.get(&found.dispatch) else { return unknown(&found.dispatch) };
        let accepted = matches!(dispatch.answer, Answer::Accepted);
        if dispatch.workflow_run.is_some() || (accepted && found.workflow_run.is_none()) {
            return Class::Known;
        }
        // The run turned out to be another's: the claim stays open, and is searched for again.
        if found.workflow_run.is_some_and(|run| self.owners.contains_key(&run)) {
            return Class::Stale;
        }
        if let Some(run) = found.workflow_run {
            self.join(&found.dispatch, run);
        }
        let class = self.with_dispatch(fold, &found.dispatch, |dispatch| {
            dispatch.answer = Answer::Accepted;
            dispatch.answered = Some(fold.position);
            dispatch.found_by = Some(found.by);
            dispatch.heard_at = fold.at;
            Class::Applied
        });
        self.settle_taken(fold, &found.dispatch);
        class
    }

    pub(super) fn refuse(&mut self, fold: &Fold<'_>, refused: &DispatchRefused) -> Class {
        let class = self.answer(fold, &refused.dispatch, refused.epoch, || Answer::Refused {
            status: refused.status,
            reason: refused.reason,
            message: refused.message.clone(),
        });
        if class == Class::Applied {
            self.settle_resolution(fold, &refused.dispatch);
        }
        class
    }

    pub(super) fn delay(&mut self, fold: &Fold<'_>, delayed: &DispatchDelayed) -> Class {
        self.answer(fold, &delayed.dispatch, delayed.epoch, || Answer::Delayed {
            until: delayed.until,
            reason: delayed.reason.clone(),
        })
    }

    pub(super) fn lose_outcome(&mut self, fold: &Fold<'_>, unknown: &DispatchOutcomeUnknown) -> Class {
        self.answer(fold, &unknown.dispatch, unknown.epoch, || Answer::Unknown {
            error: unknown.error.clone(),
        })
    }

    pub(super) fn give_up(&mut self, fold: &Fold<'_>, undecidable: &DispatchUndecidable) -> Class {
        self.answer(fold, &undecidable.dispatch, undecidable.epoch, || Answer::Undecidable {
            candidates: undecidable.candidates.clone(),
            reason: undecidable.reason.clone(),
        })
    }

    /// A result that is not an acceptance counts only for the newest epoch of a claim that is open.
    fn answer(
        &mut self,
        fold: &Fold<'_>,
        id: &DispatchId,
        epoch: u32,
        answer: impl FnOnce() -> Answer,
    ) -> Class {
        self.with_dispatch(fold, id, |dispatch| {
            if !dispatch.is_open() {
                return Class::Known;
            }
            if epoch < dispatch.epoch.0 {
                return Class::Stale;
            }
            let answer = answer();
            if answer == dispatch.answer {
                return Class::Known;
            }
            dispatch.answer = answer;
            dispatch.answered = Some(fold.position);
            Class::Applied
        })
    }

    /// Changes a dispatch. If that was news, works out anew how far it is, tells its run, and keeps the lists of open
    /// claims and of dispatches in flight.
    pub(super) fn with_dispatch(
        &mut self,
        fold: &Fold<'_>,
        id: &DispatchId,
        change: impl FnOnce(&mut Dispatch) -> Class,
    ) -> Class {
        let Some(dispatch) = self.dispatches.get_mut(id) else { return unknown(id) };
        let class = change(dispatch);
        if class != Class::Applied {
            return class;
        }
        let stage = stage(&self.workflow_runs, dispatch);
        let open = dispatch.is_open();
        let active = self.active.contains(&dispatch.claimed.run);
        let listed = (open, !open && stage.is_unsettled(), active && stage.is_failure());
        if listed != dispatch.listed {
            let id = &dispatch.claimed.dispatch;
            set(&mut self.open_claims, id, listed.0);
            set(&mut self.in_flight, id, listed.1);
            set(&mut self.failed, id, listed.2);
            dispatch.listed = listed;
        }
        let (claimed, stack) = (Arc::clone(&dispatch.claimed), dispatch.stack);
        if let Some(run) = self.runs.get_mut(&claimed.run) {
            let succeeded = |run: &Run| run.stacks.get(stack).is_some_and(Stack::succeeded);
            let before = succeeded(run);
            if run.set_stage(stack, dispatch.call, id, stage) {
                run.changed_at = self.last_at;
            }
            let news = !before && succeeded(run);
            if let Some(number) = run.pull_request {
                self.touch_pull(fold.position, number);
            }
            if news {
                self.remember(&claimed.run, stack);
            }
        }
        class
    }

    /// Gives a workflow run to its dispatch, as its run or as a double; false when nothing changed. A run belongs to
    /// one dispatch only.
    pub(super) fn join(&mut self, id: &DispatchId, run: WorkflowRunId) -> bool {
        let Some(dispatch) = self.dispatches.get_mut(id) else { return false };
        if self.owners.contains_key(&run) {
            return false;
        }
        self.owners.insert(run, dispatch.claimed.dispatch.clone());
        self.unowned_runs.remove(&run);
        if dispatch.workflow_run.is_some() {
            dispatch.doubles.push(run);
            return true;
        }
        dispatch.workflow_run = Some(run);
        for double in self.unowned_with(id) {
            self.join(id, double);
        }
        true
    }

    fn unowned_with(&self, id: &DispatchId) -> Vec<WorkflowRunId> {
        self.unowned_runs().filter(|run| run.title.contains(id.as_str())).map(|run| run.id).collect()
    }

    /// How far a dispatch is, worked out from its claim and its workflow run.
    pub(crate) fn stage_of(&self, dispatch: &Dispatch) -> Stage {
        stage(&self.workflow_runs, dispatch)
    }
}

fn stage(workflow_runs: &BTreeMap<WorkflowRunId, WorkflowRun>, dispatch: &Dispatch) -> Stage {
    let workflow_run = dispatch.workflow_run.and_then(|run| workflow_runs.get(&run));
    match (&dispatch.answer, workflow_run) {
        (_, Some(run)) => run.stage(),
        (Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. }, None) => Stage::Dispatching,
        (Answer::Accepted, None) => Stage::Accepted,
        (Answer::Refused { .. }, None) => Stage::Refused,
        (Answer::Undecidable { .. }, None) => Stage::Undecidable,
    }
}

fn unknown(id: &DispatchId) -> Class {
    Class::Impossible(format!("nothing is known of the dispatch {id}"))
}

fn set(ids: &mut BTreeSet<DispatchId>, id: &DispatchId, member: bool) {
    if !member {
        ids.remove(id);
    } else if !ids.contains(id) {
        ids.insert(id.clone());
    }
}
