//! Cancellations: of what was not sent by decisions, of what GitHub has by asking GitHub.

use super::super::{Cancel, Class, Phase, RepositoryState, fold::Fold};
use crate::command::{Ask, Asked, newly_cancelled};
use stackwave_domain::{
    CommandId, DispatchId, RunId,
    event::{RunCancelled, StackWithdrawn, WorkflowCancelAnswered, WorkflowCancelRequested},
};

impl RepositoryState {
    pub(super) fn start_cancel(&mut self, fold: &Fold<'_>, ask: &Ask, asked: &Asked) {
        let Ask::Cancel { run: id, key, force } = ask else { return };
        let Some(run) = self.runs.get_mut(id) else { return };
        let index = key.as_ref().and_then(|key| run.find(key));
        let mut to_decide = run.is_active();
        match index {
            _ if !to_decide => {}
            Some(index) => {
                to_decide = run.stacks[index].cancel().is_none();
                run.set_orders(index, |orders| {
                    orders.cancel.get_or_insert_with(|| asked.clone());
                });
            }
            None => {
                to_decide = run.cancel.is_none();
                run.cancel.get_or_insert_with(|| asked.clone());
            }
        }
        self.cancel_under_way(id, index, Some(&asked.command), *force);
        if !to_decide {
            self.carried_out(fold.position, &asked.command);
        }
    }

    pub(in super::super) fn cancel_run(&mut self, fold: &Fold<'_>, cancelled: &RunCancelled) -> Class {
        let known = self.runs.get(&cancelled.run).and_then(|run| run.cancel.clone());
        let asked = known.filter(|asked| asked.command == cancelled.command).unwrap_or_else(|| Asked {
            command: cancelled.command.clone(),
            by: cancelled.by.clone(),
            reason: None,
            at: fold.position,
        });
        self.stop(fold, &cancelled.run, Phase::Cancelled(asked, fold.at))
    }

    pub(in super::super) fn withdraw(&mut self, fold: &Fold<'_>, withdrawn: &StackWithdrawn) -> Class {
        let Some(run) = self.runs.get_mut(&withdrawn.run) else {
            return Class::Impossible(format!("a withdrawal in the unknown run {}", withdrawn.run));
        };
        let Some(index) = run.find(&withdrawn.key) else {
            return Class::Impossible(format!(
                "a withdrawal of {}, which the run does not have",
                withdrawn.key
            ));
        };
        run.stacks[index].decided = Some(fold.position);
        let mut retry = None;
        let mut done = None;
        run.set_orders(index, |orders| {
            retry = orders.retry.take();
            done = orders.cancel.take_if(|asked| asked.command == withdrawn.command);
            orders.withdrawn = Some(done.clone().unwrap_or_else(|| Asked {
                command: withdrawn.command.clone(),
                by: withdrawn.by.clone(),
                reason: None,
                at: fold.position,
            }));
        });
        let force = self.is_forced(&withdrawn.command);
        self.cancel_under_way(&withdrawn.run, Some(index), Some(&withdrawn.command), force);
        if let Some(retry) = retry {
            let reason = format!("{} was cancelled by {}", withdrawn.key, withdrawn.by);
            self.given_up(fold.position, &retry.command, reason);
        }
        if let Some(done) = done {
            self.carried_out(fold.position, &done.command);
        }
        self.touch_run(fold.position, &withdrawn.run);
        Class::Applied
    }

    /// A run stopped: what GitHub has of it and has not started is cancelled there. A plan that succeeded, or failed for
    /// so long that it expired, has nothing there but what somebody re-runs.
    pub(super) fn stop_what_is_left(&mut self, _: &Fold<'_>, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        match &run.phase {
            Phase::Cancelled(asked, _) => {
                let command = asked.command.clone();
                let force = self.is_forced(&command);
                self.cancel_under_way(id, None, Some(&command), force);
            }
            Phase::Superseded(..) | Phase::Closed(..) => self.cancel_under_way(id, None, None, false),
            Phase::Active | Phase::Ended(..) => {}
        }
    }

    fn is_forced(&self, command: &CommandId) -> bool {
        self.commands.get(command).is_some_and(|known| matches!(known.ask, Ask::Cancel { force: true, .. }))
    }

    /// Marks what is under way, so that it is cancelled at GitHub as soon as, and only while, it may be.
    fn cancel_under_way(
        &mut self,
        id: &RunId,
        stack: Option<usize>,
        command: Option<&CommandId>,
        force: bool,
    ) {
        let Some(run) = self.runs.get(id) else { return };
        let mutating = run.is_mutating();
        let marked: Vec<(DispatchId, u32)> = self
            .under_way(run, stack)
            .filter(|dispatch| match command {
                // What it may not do now it may have to do later: an apply that waits for an approval, say.
                Some(_) => newly_cancelled(self, dispatch, mutating, force) || dispatch.cancel.is_none(),
                None => dispatch.cancel.is_none(),
            })
            .map(|dispatch| {
                let known = dispatch.workflow_run.and_then(|run| self.workflow_runs.get(&run));
                (dispatch.claimed.dispatch.clone(), known.map_or(1, |run| run.attempt))
            })
            .collect();
        for (dispatch, attempt) in marked {
            if let Some(dispatch) = self.dispatches.get_mut(&dispatch) {
                let command = command.cloned();
                dispatch.cancel =
                    Some(Box::new(Cancel { command, force, attempt, asked: None, answer: None }));
            }
        }
    }

    pub(in super::super) fn ask_to_cancel(
        &mut self,
        fold: &Fold<'_>,
        requested: &WorkflowCancelRequested,
    ) -> Class {
        self.with_dispatch(fold, &requested.dispatch, |dispatch| {
            let cancel = dispatch.cancel.get_or_insert_with(|| {
                Box::new(Cancel {
                    command: requested.command.clone(),
                    force: false,
                    attempt: requested.attempt,
                    asked: None,
                    answer: None,
                })
            });
            if cancel.asked.is_some() {
                return Class::Known;
            }
            cancel.asked = Some(fold.position);
            Class::Applied
        })
    }

    pub(in super::super) fn answer_cancel(
        &mut self,
        fold: &Fold<'_>,
        answered: &WorkflowCancelAnswered,
    ) -> Class {
        self.with_dispatch(fold, &answered.dispatch, |dispatch| {
            let Some(cancel) = &mut dispatch.cancel else {
                return Class::Impossible(format!("{} was not to be cancelled", answered.dispatch));
            };
            if cancel.answer.is_some() {
                return Class::Known;
            }
            cancel.answer = Some((answered.answer.clone(), fold.position));
            Class::Applied
        })
    }
}
