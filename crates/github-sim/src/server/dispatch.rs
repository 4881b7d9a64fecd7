//! The one endpoint that takes its time: a caller's hook is asked before and after, and webhooks may overtake the answer.

use std::time::Duration;

use super::{
    answer::{Answer, ApiError},
    call::Call,
    enter::Caller,
    process::{Afterwards, Finished, Refused},
};
use crate::{
    faults::Failure,
    handle::GitHub,
    hook::DispatchPhase,
    routes,
    state::{DispatchOutcome, Effect, RunId, State},
};

/// How long an answer waits for the webhooks that go first.
const WEBHOOKS_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn dispatch(github: &GitHub, call: &Call, caller: &Caller) -> Finished {
    if let Some(failure) = ask(github, call, DispatchPhase::BeforeAccept).await {
        return finished(github, Err(Refused::ByFault(failure)), Vec::new());
    }
    let (accepted, mut effects) = github.change_and_hold(|state| accept(state, call, caller));
    let run = match accepted {
        Ok(Accepted::Run(run)) => run,
        Ok(Accepted::Moved(answer)) => return finished(github, Ok(answer), effects),
        Err(error) => return finished(github, Err(Refused::ByGitHub(error)), effects),
    };
    if let Some(failure) = ask(github, call, DispatchPhase::AfterAccept).await {
        return finished(github, Err(Refused::ByFault(failure)), effects);
    }
    if github.read(|state| state.faults.webhooks_first) {
        deliver_first(github, std::mem::take(&mut effects)).await;
    }
    if let Some(failure) = ask(github, call, DispatchPhase::BeforeAnswer).await {
        return finished(github, Err(Refused::ByFault(failure)), effects);
    }
    finished(github, Ok(github.read(|state| routes::dispatch::answer(state, call, run))), effects)
}

enum Accepted {
    Run(RunId),
    Moved(Answer),
}

fn finished(github: &GitHub, result: Result<Answer, Refused>, effects: Vec<Effect>) -> Finished {
    Finished { result, caller: None, afterwards: Afterwards::new(github, effects) }
}

async fn ask(github: &GitHub, call: &Call, phase: DispatchPhase) -> Option<Failure> {
    let dispatch = || github.change(|state| state.dispatch_mut(call.dispatch?).cloned());
    github.shared.dispatch_hook.ask(phase, dispatch).await
}

fn accept(state: &mut State, call: &Call, caller: &Caller) -> Result<Accepted, ApiError> {
    let repository = match routes::reach(state, call, caller) {
        Ok(repository) => repository.id,
        Err(routes::Unreachable::Moved(answer)) => return Ok(Accepted::Moved(answer)),
        Err(routes::Unreachable::Error(error)) => return Err(note(state, call, error)),
    };
    if let Err(error) = routes::dispatch::check_keys(state, call) {
        return Err(note(state, call, error));
    }
    match state.dispatch(repository, &call.target.argument, &call.json()) {
        Ok(run_id) => {
            decide(state, call, DispatchOutcome::Accepted { run_id });
            Ok(Accepted::Run(run_id))
        }
        Err(refusal) => Err(note(state, call, ApiError::new(refusal.status, refusal.message))),
    }
}

fn note(state: &mut State, call: &Call, error: ApiError) -> ApiError {
    decide(state, call, DispatchOutcome::Refused { status: error.status, message: error.message.clone() });
    error
}

fn decide(state: &mut State, call: &Call, outcome: DispatchOutcome) {
    if let Some(dispatch) = call.dispatch.and_then(|number| state.dispatch_mut(number)) {
        dispatch.outcome = outcome;
    }
}

/// Sends the webhooks of a dispatch and waits until they are answered.
async fn deliver_first(github: &GitHub, effects: Vec<Effect>) {
    let first: Vec<u64> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Deliver { delivery, after, .. } => after.is_zero().then_some(*delivery),
            Effect::Step { .. } | Effect::ReleaseReordered { .. } => None,
        })
        .collect();
    github.release(effects);
    let all_settled = |state: &State| {
        state
            .deliveries()
            .iter()
            .filter(|delivery| first.contains(&delivery.id))
            .all(|delivery| delivery.is_settled())
    };
    if let Err(error) = github.wait_until("the webhooks of a dispatch", WEBHOOKS_WITHIN, all_settled).await {
        tracing::warn!(%error, "the dispatch is answered before its webhooks");
    }
}
