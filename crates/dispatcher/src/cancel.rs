//! Cancelling workflow runs whose run, or stack, was stopped (design §4.3). GitHub takes a cancellation twice without
//! harm, so no claim is needed: the log says that GitHub is about to be asked, and what it said.

use crate::{
    Shared,
    work::{Failed, Work},
};
use stackwave_domain::{
    Event, StreamId, Subject, Timestamp,
    event::{CancelAnswer, WorkflowCancelAnswered, WorkflowCancelRequested},
};
use stackwave_engine::due::{self, DueCancel};
use stackwave_github::port::{CallError, CancelOutcome, Target};
use stackwave_runtime::{PartitionView, Poke, Turn};
use std::{sync::Arc, time::Duration};

/// Not again before this after a failure; twice as long after each further one, up to five minutes.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const AFTER_FAILURES: Duration = Duration::from_secs(300);

/// Starts to cancel what is to be cancelled, one workflow run after the other.
pub(crate) fn cancel(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
) -> Option<Timestamp> {
    let due = due::due_cancels(turn.repository);
    if due.is_empty() {
        return None;
    }
    let mut under_way = work.lock();
    if under_way.cancelling {
        return None;
    }
    let wait = under_way.cancel_failed.until.saturating_sub(shared.core.clock.monotonic());
    if !wait.is_zero() {
        return turn.now.checked_add(wait).ok();
    }
    under_way.cancelling = true;
    drop(under_way);
    let canceller = Canceller {
        shared: Arc::clone(shared),
        work: work.clone(),
        target: target.clone(),
        stream: turn.stream,
        poke: turn.poke.clone(),
    };
    // What is asked is also recorded: a stop waits for it.
    shared.core.tasks.spawn(canceller.run(due));
    None
}

struct Canceller {
    shared: Arc<Shared>,
    work: Work,
    target: Target,
    stream: StreamId,
    poke: Poke,
}

impl Canceller {
    async fn run(self, due: Vec<DueCancel>) {
        let mut failed = None;
        if let Some(view) = self.shared.view.0.get().cloned() {
            for due in due {
                if self.shared.core.shutdown.is_cancelled() {
                    break;
                }
                if let Err(error) = self.cancel(&view, due).await {
                    failed = Some(error);
                    break;
                }
            }
        }
        let now = self.shared.core.clock.monotonic();
        {
            let mut under_way = self.work.lock();
            under_way.cancelling = false;
            under_way.cancel_failed = match &failed {
                None => Failed::default(),
                Some(error) => {
                    let times = under_way.cancel_failed.times;
                    let wait = match error {
                        CallError::RateLimited { wait } => *wait,
                        CallError::NotFound(_)
                        | CallError::Refused { .. }
                        | CallError::Unavailable(_)
                        | CallError::Unauthorized(_) => {
                            (AFTER_FAILURE * 2u32.pow(times.min(6))).min(AFTER_FAILURES)
                        }
                    };
                    Failed { times: times + 1, until: now + wait }
                }
            };
        }
        if let Some(error) = failed {
            tracing::warn!(%error, repository.name = %self.target.name, "GitHub cannot be asked to cancel; asking again later");
            self.shared.core.health.detail("github", error.to_string());
        }
        self.poke.ask_again(self.target.id);
    }

    async fn cancel(&self, view: &PartitionView, due: DueCancel) -> Result<(), CallError> {
        tokio::select! {
            () = self.shared.core.shutdown.cancelled() => return Ok(()),
            () = self.shared.github.cancels.pay_cancel(self.target.installation) => {},
        }
        // Paying may have taken long.
        let Some(due) = self.still(view, &due) else { return Ok(()) };
        if due.look_first {
            self.look(view, &due).await?;
        }
        let Some(due) = self.still(view, &due) else { return Ok(()) };
        let DueCancel { dispatch, workflow_run, attempt, command, asked, .. } = due;
        if !asked {
            let dispatch = dispatch.clone();
            let requested = WorkflowCancelRequested { dispatch, workflow_run, attempt, command };
            if !self.record(view, requested.into()).await {
                return Ok(());
            }
        }
        let answer = match self.shared.github.cancels.cancel(&self.target, workflow_run).await {
            Ok(CancelOutcome::Accepted) => CancelAnswer::Accepted,
            Ok(CancelOutcome::TooLate) => CancelAnswer::TooLate,
            Err(CallError::NotFound(message)) => CancelAnswer::Refused { status: 404, message },
            Err(CallError::Refused { status, message }) => CancelAnswer::Refused { status, message },
            Err(
                error @ (CallError::RateLimited { .. }
                | CallError::Unavailable(_)
                | CallError::Unauthorized(_)),
            ) => return Err(error),
        };
        tracing::info!(workflow_run.id = %workflow_run, dispatch.id = %dispatch, ?answer, "GitHub was asked to cancel a workflow run");
        self.record(view, WorkflowCancelAnswered { dispatch, workflow_run, attempt, answer }.into()).await;
        Ok(())
    }

    /// Whether it is to be cancelled by what is known now.
    fn still(&self, view: &PartitionView, due: &DueCancel) -> Option<DueCancel> {
        view.read(|state| {
            let repository = state.repository(self.target.id)?;
            due::due_cancels(repository).into_iter().find(|now| now.dispatch == due.dispatch)
        })
    }

    /// What GitHub says of the run goes into the state, which decides.
    async fn look(&self, view: &PartitionView, due: &DueCancel) -> Result<(), CallError> {
        let asked_at = view.read(stackwave_engine::State::position);
        let run = match self.shared.github.runs.run(&self.target, due.workflow_run).await {
            Ok(run) => run,
            // The cancellation itself will say so.
            Err(CallError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let news = self.shared.news(view, self.target.id, vec![run], asked_at);
        self.shared.observe(view, self.stream, self.target.id, "workflow_run", news, asked_at).await;
        Ok(())
    }

    async fn record(&self, view: &PartitionView, event: Event) -> bool {
        let subject = Subject::dispatch(self.stream, self.target.id);
        let cause = view.read(stackwave_engine::State::position);
        match self.shared.results.append_surely(&subject, vec![event], Some(cause)).await {
            Some(position) => {
                view.wait_for(position).await;
                true
            }
            None => false,
        }
    }
}
