//! A person's word for what became of a dispatch.

use super::super::{Answer, Class, RepositoryState, Resolved, fold::Fold};
use crate::command::{Ask, Asked};
use stackwave_domain::{
    DispatchId, WorkflowRunId,
    event::{FoundBy, Resolution},
};

impl RepositoryState {
    pub(super) fn start_resolve(&mut self, fold: &Fold<'_>, ask: &Ask, asked: &Asked) {
        let Ask::Resolve { dispatch: id, outcome } = ask else { return };
        let Some(dispatch) = self.dispatches.get_mut(id) else { return };
        dispatch.resolution =
            Some(Box::new(Resolved { asked: asked.clone(), outcome: *outcome, settled: false }));
        match outcome {
            Resolution::NotHappened => {
                // The person has seen these, and says that none of them is it.
                if let Answer::Undecidable { candidates, .. } = &dispatch.answer {
                    dispatch.excluded.extend(candidates.iter().copied());
                }
            }
            Resolution::Happened { workflow_run } => self.join_resolved(fold, *workflow_run),
        }
    }

    /// A workflow run is known that a person said is a dispatch's: it is, unless it cannot be.
    pub(in super::super) fn join_resolved(&mut self, fold: &Fold<'_>, workflow_run: WorkflowRunId) {
        if self.pending.is_empty() || !self.workflow_runs.contains_key(&workflow_run) {
            return;
        }
        let wanted = Resolution::Happened { workflow_run };
        let named = |id: &DispatchId| {
            let resolved = self.dispatches.get(id)?.unsettled_resolution()?;
            (resolved.outcome == wanted).then(|| resolved.asked.command.clone())
        };
        let found = self
            .pending_commands()
            .filter_map(|command| match &command.ask {
                Ask::Resolve { dispatch, .. } => Some((dispatch.clone(), named(dispatch)?)),
                Ask::Retry { .. } | Ask::Cancel { .. } | Ask::Resync { .. } => None,
            })
            .next();
        let Some((id, command)) = found else { return };
        let fits =
            self.dispatches.get(&id).map(|dispatch| crate::command::check_run(self, dispatch, workflow_run));
        match fits {
            Some(Ok(())) => {
                self.join(&id, workflow_run);
                self.with_dispatch(fold, &id, |dispatch| {
                    dispatch.answer = Answer::Accepted;
                    dispatch.answered = Some(fold.position);
                    dispatch.found_by = Some(FoundBy::Person);
                    dispatch.heard_at = fold.at;
                    Class::Applied
                });
                self.settle_resolution(fold, &id);
            }
            Some(Err(refusal)) => {
                self.forget_resolution(fold, &id);
                self.given_up(fold.position, &command, refusal.message);
            }
            None => {}
        }
    }

    /// A dispatch that a person resolved has come to its end, or was sent again.
    pub(in super::super) fn settle_resolution(&mut self, fold: &Fold<'_>, id: &DispatchId) {
        if self.pending.is_empty() {
            return;
        }
        let Some(dispatch) = self.dispatches.get_mut(id) else { return };
        let Some(resolved) = dispatch.resolution.as_mut().filter(|resolved| !resolved.settled) else {
            return;
        };
        resolved.settled = true;
        let (command, outcome) = (resolved.asked.command.clone(), resolved.outcome);
        let taken = matches!(dispatch.answer, Answer::Accepted);
        let turned_out = match (outcome, dispatch.workflow_run) {
            (Resolution::NotHappened, Some(run)) => {
                Some(format!("GitHub took the dispatch: it is the workflow run {run}"))
            }
            (Resolution::NotHappened, None) if taken => Some("GitHub took the dispatch".to_owned()),
            (Resolution::NotHappened, None) => None,
            (Resolution::Happened { workflow_run }, Some(run)) if run == workflow_run => None,
            (Resolution::Happened { .. }, Some(run)) => {
                Some(format!("the dispatch turned out to be the workflow run {run}"))
            }
            (Resolution::Happened { .. }, None) => Some("GitHub refused the dispatch".to_owned()),
        };
        match turned_out {
            Some(reason) => self.given_up(fold.position, &command, reason),
            None => self.carried_out(fold.position, &command),
        }
    }

    /// What a person said cannot be: the dispatch is as it was before.
    pub(super) fn forget_resolution(&mut self, fold: &Fold<'_>, id: &DispatchId) {
        self.with_dispatch(fold, id, |dispatch| {
            dispatch.resolution = None;
            Class::Applied
        });
    }
}
