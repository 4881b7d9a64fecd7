//! One send: the request, and the record of what came of it (design §5 steps 2 and 3).

use crate::{Shared, claim::SEND_WITHIN, work::Work};
use stackwave_domain::{
    DispatchClaim, DispatchId, Event, RepositoryId, StreamId, Subject,
    event::{DispatchAccepted, DispatchDelayed, DispatchOutcomeUnknown, DispatchRefused, RefusalReason},
};
use stackwave_github::port::{DispatchError, Target};
use stackwave_runtime::Poke;
use std::{sync::Arc, time::Duration};
use tracing::{Instrument as _, Span};

/// The whole request, sign-in included, ends within this; after it the outcome is unknown.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Send {
    pub(crate) shared: Arc<Shared>,
    pub(crate) work: Work,
    pub(crate) target: Target,
    pub(crate) stream: StreamId,
    pub(crate) poke: Poke,
}

impl Send {
    /// Sends until GitHub took it, refused it, or nobody knows; a certain "not taken" waits and is sent again under the
    /// same claim. `since` is when the claim's append began, by the monotonic clock.
    pub(crate) async fn run(self, claim: DispatchClaim, since: Duration) {
        let span = self.shared.send_span(self.target.id, &claim);
        self.send(claim, since).instrument(span).await;
    }

    async fn send(mut self, claim: DispatchClaim, mut since: Duration) {
        let (dispatch, epoch) = (claim.dispatch().clone(), claim.epoch());
        loop {
            // The last thing before the request: the process may have been stopped anywhere before.
            if self.is_late(since) {
                tracing::warn!(dispatch.id = %dispatch, "a claim is too old to be sent; it is taken over and searched for");
                break;
            }
            let sent = tokio::time::timeout(
                SEND_TIMEOUT,
                self.shared.github.dispatches.dispatch(&self.target, &claim),
            );
            let result = sent
                .await
                .unwrap_or_else(|_| Err(DispatchError::OutcomeUnknown("no answer within 10 s".to_owned())));
            let (event, wait): (Event, Option<Duration>) = match result {
                Ok(answer) => {
                    self.shared.core.health.detail("github", "reachable");
                    if let Some(run) = answer.workflow_run {
                        Span::current().record("workflow_run.id", run.0);
                    }
                    let accepted = DispatchAccepted {
                        dispatch: dispatch.clone(),
                        epoch,
                        workflow_run: answer.workflow_run,
                        html_url: answer.html_url,
                    };
                    (accepted.into(), None)
                }
                Err(DispatchError::Refused { status, reason, message }) => {
                    tracing::warn!(dispatch.id = %dispatch, status, message, "GitHub refused a dispatch");
                    (
                        DispatchRefused { dispatch: dispatch.clone(), epoch, status, reason, message }.into(),
                        None,
                    )
                }
                Err(DispatchError::OutcomeUnknown(error)) => {
                    tracing::warn!(dispatch.id = %dispatch, error, "a dispatch's outcome is unknown; GitHub is searched");
                    (DispatchOutcomeUnknown { dispatch: dispatch.clone(), epoch, error }.into(), None)
                }
                Err(DispatchError::NotSent { reason, wait }) => {
                    tracing::warn!(dispatch.id = %dispatch, reason, "a dispatch was not taken; it is sent again");
                    self.shared.core.health.detail("github", reason.clone());
                    let now = self.shared.core.clock.now();
                    let until = now.checked_add(wait).unwrap_or(now);
                    (DispatchDelayed { dispatch: dispatch.clone(), epoch, until, reason }.into(), Some(wait))
                }
            };
            Span::current().record("outcome", event.name());
            let subject = Subject::dispatch(self.stream, self.target.id);
            let item = self.shared.results(self.target.id, vec![event], Some(claim.position()));
            let position = self.shared.results.append_item_surely(&subject, item).await;
            match (wait, position) {
                (Some(wait), Some(_)) => {
                    tokio::select! {
                        () = self.shared.core.shutdown.cancelled() => break,
                        () = tokio::time::sleep(wait) => {},
                    }
                    // A limit delays and is paid for anew.
                    self.shared.github.dispatches.budget(self.target.installation, 1).await;
                    if let Some(target) = self.shared.target(self.target.id) {
                        self.target = target;
                    }
                    // The waits may have been long: somebody may have taken the claim over, or the run may have stopped.
                    match self.standing_now(&claim).await {
                        Standing::Ours(looked_at) => since = looked_at,
                        Standing::Gone => break,
                        Standing::Stopped => {
                            self.shared.withdraw(self.stream, self.target.id, &dispatch, epoch).await;
                            break;
                        }
                    }
                }
                (None, Some(position)) => {
                    if let Some(view) = self.shared.view.0.get() {
                        view.wait_for(position).await;
                    }
                    break;
                }
                (_, None) => break,
            }
        }
        self.work.lock().tasks.remove(&dispatch);
        self.poke.ask_again(self.target.id);
    }

    /// What was known so long ago is not known any more.
    fn is_late(&self, since: Duration) -> bool {
        self.shared.core.clock.monotonic().saturating_sub(since) > SEND_WITHIN
    }

    /// How the claim stands by all that lies on the ledger. A look that took long is made again: what it was told may be
    /// as old as its question.
    async fn standing_now(&self, claim: &DispatchClaim) -> Standing {
        loop {
            let looked_at = self.shared.core.clock.monotonic();
            if !self.shared.catch_up(self.stream, self.target.id).await {
                return Standing::Gone;
            }
            let standing = self.standing(claim, looked_at);
            if !self.is_late(looked_at) {
                return standing;
            }
        }
    }

    fn standing(&self, claim: &DispatchClaim, looked_at: Duration) -> Standing {
        let Some(view) = self.shared.view.0.get() else { return Standing::Gone };
        view.read(|state| {
            let Some(repository) = state.repository(self.target.id) else { return Standing::Gone };
            let Some(dispatch) = repository.dispatches.get(claim.dispatch()) else { return Standing::Gone };
            let ours = dispatch.is_open()
                && dispatch.epoch.0 == claim.epoch()
                && dispatch.claimant == *self.shared.core.ids.process();
            match (ours, repository.may_be_sent(dispatch)) {
                (false, _) => Standing::Gone,
                (true, true) => Standing::Ours(looked_at),
                (true, false) => Standing::Stopped,
            }
        })
    }
}

/// How a claim stands after a wait.
enum Standing {
    /// It may be sent, as a look says that began at this moment of the monotonic clock.
    Ours(Duration),
    /// Somebody else holds it, or it has ended.
    Gone,
    /// Its run or stack was stopped before GitHub took it.
    Stopped,
}

impl Shared {
    /// Ends a claim that was certainly not taken and must not be sent any more.
    pub(crate) async fn withdraw(
        &self,
        stream: StreamId,
        repository: RepositoryId,
        dispatch: &DispatchId,
        epoch: u32,
    ) {
        let withdrawn = DispatchRefused {
            dispatch: dispatch.clone(),
            epoch,
            status: 0,
            reason: RefusalReason::Withdrawn,
            message: "the run was stopped before GitHub took the dispatch".to_owned(),
        };
        let subject = Subject::dispatch(stream, repository);
        let item = self.results(repository, vec![withdrawn.into()], None);
        self.results.append_item_surely(&subject, item).await;
    }
}
