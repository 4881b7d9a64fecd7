//! Claims and what became of them (design §5).

use super::{Class, RepositoryState, run::Stage};
use stackwave_domain::{
    DispatchId, Position, ProcessId, RunId, Timestamp, WorkflowRunId,
    event::{
        DispatchAccepted, DispatchClaimed, DispatchDelayed, DispatchFound, DispatchOutcomeUnknown,
        DispatchRefused, DispatchResending, DispatchTakenOver, DispatchUndecidable, FoundBy, RefusalReason,
        SearchEvidence,
    },
};
use std::sync::Arc;

/// One dispatch, from its claim on.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The workflow run, once it is known.
    pub workflow_run: Option<WorkflowRunId>,
    /// The run's page, as the answer told it.
    pub html_url: Option<String>,
    /// How the run was found, when GitHub did not name it in its answer.
    pub found_by: Option<FoundBy>,
    /// GitHub's `workflow_dispatch` webhook carried these inputs while the claim was open: it happened.
    pub acceptance_proven: bool,
    /// Every resend, with what was done to be sure that the one before had not happened.
    pub resends: Vec<SearchEvidence>,
    /// Other runs that carry this dispatch's id: somebody started them beside us.
    pub doubles: Vec<WorkflowRunId>,
    /// When something about it was last heard (by the record's time).
    pub heard_at: Timestamp,
}

/// What GitHub said to a dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl RepositoryState {
    pub(super) fn claim(&mut self, at: Timestamp, position: Position, claimed: &DispatchClaimed) -> Class {
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
        let dispatch = Dispatch {
            claimed: Arc::new(claimed.clone()),
            at: (at, position),
            stack,
            call,
            claimant: claimed.claimant.clone(),
            epoch: (1, position),
            answer: Answer::None,
            workflow_run: None,
            html_url: None,
            found_by: None,
            acceptance_proven: false,
            resends: Vec::new(),
            doubles: Vec::new(),
            heard_at: at,
        };
        self.dispatches.insert(claimed.dispatch.clone(), dispatch);
        self.open_claims.insert(claimed.dispatch.clone());
        self.restage(position, &claimed.dispatch);
        Class::Applied
    }

    pub(super) fn take_over(&mut self, position: Position, taken: &DispatchTakenOver) -> Class {
        self.with_dispatch(position, &taken.dispatch, |dispatch| {
            if taken.epoch <= dispatch.epoch.0 {
                return Class::Stale;
            }
            dispatch.epoch = (taken.epoch, position);
            dispatch.claimant = taken.claimant.clone();
            Class::Applied
        })
    }

    pub(super) fn resend(&mut self, position: Position, resending: &DispatchResending) -> Class {
        self.with_dispatch(position, &resending.dispatch, |dispatch| {
            if resending.epoch <= dispatch.epoch.0 {
                return Class::Stale;
            }
            dispatch.epoch = (resending.epoch, position);
            dispatch.claimant = resending.claimant.clone();
            dispatch.resends.push(resending.evidence.clone());
            if dispatch.is_open() {
                dispatch.answer = Answer::None;
            }
            Class::Applied
        })
    }

    pub(super) fn accept(&mut self, at: Timestamp, position: Position, accepted: &DispatchAccepted) -> Class {
        if accepted.workflow_run.is_some() {
            self.returns_run_ids = Some(true);
        } else if self.returns_run_ids.is_none() {
            self.returns_run_ids = Some(false);
        }
        let class = self.with_dispatch(position, &accepted.dispatch, |dispatch| {
            if matches!(dispatch.answer, Answer::Accepted)
                && (accepted.workflow_run.is_none() || dispatch.workflow_run.is_some())
            {
                return Class::Known;
            }
            // Whatever was believed before: GitHub took it.
            dispatch.answer = Answer::Accepted;
            dispatch.html_url.clone_from(&accepted.html_url);
            dispatch.heard_at = at;
            Class::Applied
        });
        if let Some(run) = accepted.workflow_run {
            self.join(position, &accepted.dispatch, run);
        }
        self.restage(position, &accepted.dispatch);
        class
    }

    pub(super) fn find(&mut self, at: Timestamp, position: Position, found: &DispatchFound) -> Class {
        let class = self.with_dispatch(position, &found.dispatch, |dispatch| {
            if dispatch.workflow_run.is_some() {
                return Class::Known;
            }
            dispatch.answer = Answer::Accepted;
            dispatch.found_by = Some(found.by);
            dispatch.heard_at = at;
            Class::Applied
        });
        if class == Class::Applied
            && let Some(run) = found.workflow_run
        {
            self.join(position, &found.dispatch, run);
        }
        self.restage(position, &found.dispatch);
        class
    }

    pub(super) fn refuse(&mut self, position: Position, refused: &DispatchRefused) -> Class {
        self.answer(position, &refused.dispatch, refused.epoch, |_| Answer::Refused {
            status: refused.status,
            reason: refused.reason,
            message: refused.message.clone(),
        })
    }

    pub(super) fn delay(&mut self, position: Position, delayed: &DispatchDelayed) -> Class {
        self.answer(position, &delayed.dispatch, delayed.epoch, |_| Answer::Delayed {
            until: delayed.until,
            reason: delayed.reason.clone(),
        })
    }

    pub(super) fn lose_outcome(&mut self, position: Position, unknown: &DispatchOutcomeUnknown) -> Class {
        self.answer(position, &unknown.dispatch, unknown.epoch, |_| Answer::Unknown {
            error: unknown.error.clone(),
        })
    }

    pub(super) fn give_up(&mut self, position: Position, undecidable: &DispatchUndecidable) -> Class {
        self.answer(position, &undecidable.dispatch, undecidable.epoch, |_| Answer::Undecidable {
            candidates: undecidable.candidates.clone(),
            reason: undecidable.reason.clone(),
        })
    }

    /// A result that is not an acceptance counts only for the newest epoch of a claim that is open.
    fn answer(
        &mut self,
        position: Position,
        id: &DispatchId,
        epoch: u32,
        answer: impl FnOnce(&Dispatch) -> Answer,
    ) -> Class {
        self.with_dispatch(position, id, |dispatch| {
            if !dispatch.is_open() {
                return Class::Known;
            }
            if epoch < dispatch.epoch.0 {
                return Class::Stale;
            }
            let answer = answer(dispatch);
            if answer == dispatch.answer {
                return Class::Known;
            }
            dispatch.answer = answer;
            Class::Applied
        })
    }

    fn with_dispatch(
        &mut self,
        position: Position,
        id: &DispatchId,
        change: impl FnOnce(&mut Dispatch) -> Class,
    ) -> Class {
        let Some(dispatch) = self.dispatches.get_mut(id) else {
            return Class::Impossible(format!("nothing is known of the dispatch {id}"));
        };
        let class = change(dispatch);
        self.restage(position, id);
        class
    }

    /// Gives a workflow run to its dispatch.
    fn join(&mut self, position: Position, id: &DispatchId, run: WorkflowRunId) {
        let owned_by_another = self.owners.get(&run).is_some_and(|owner| owner != id);
        let Some(dispatch) = self.dispatches.get_mut(id) else { return };
        if owned_by_another {
            return;
        }
        match dispatch.workflow_run {
            None => dispatch.workflow_run = Some(run),
            Some(known) if known == run => {}
            Some(_) => {
                if !dispatch.doubles.contains(&run) {
                    dispatch.doubles.push(run);
                }
                return;
            }
        }
        self.owners.insert(run, id.clone());
        self.unowned_runs.remove(&run);
        self.restage(position, id);
    }

    /// Works out a dispatch's stage from its claim and its workflow run, and tells its run.
    pub(super) fn restage(&mut self, position: Position, id: &DispatchId) {
        let Some(dispatch) = self.dispatches.get(id) else { return };
        if dispatch.is_open() {
            self.open_claims.insert(id.clone());
        } else {
            self.open_claims.remove(id);
        }
        let workflow_run = dispatch.workflow_run.and_then(|run| self.workflow_runs.get(&run));
        let stage = match (&dispatch.answer, workflow_run) {
            (_, Some(run)) => run.stage(),
            (Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. }, None) => Stage::Dispatching,
            (Answer::Accepted, None) => Stage::Accepted,
            (Answer::Refused { .. }, None) => Stage::Refused,
            (Answer::Undecidable { .. }, None) => Stage::Undecidable,
        };
        let unsettled = match &stage {
            Stage::Concluded(_) | Stage::Refused => false,
            Stage::Unclaimed
            | Stage::Dispatching
            | Stage::Accepted
            | Stage::Queued
            | Stage::AwaitingApproval
            | Stage::Running
            | Stage::Undecidable => true,
        };
        if unsettled && !dispatch.is_open() {
            self.in_flight.insert(id.clone());
        } else {
            self.in_flight.remove(id);
        }
        let (run, stack, call) = (dispatch.claimed.run.clone(), dispatch.stack, dispatch.call);
        if let Some(run) = self.runs.get_mut(&run) {
            run.set_stage(stack, call, stage);
        }
        self.touch_run(position, &run);
    }
}
