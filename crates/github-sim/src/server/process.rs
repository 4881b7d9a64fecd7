//! From a request to what is to be answered, with the faults that are set.

use tokio::task::JoinError;

use super::{
    answer::{Answer, ApiError},
    call::Call,
    dispatch,
    enter::{Caller, enter},
};
use crate::{
    endpoint::Endpoint,
    faults::{Failure, Moment},
    handle::GitHub,
    routes,
    state::Effect,
};

/// What a request has led to.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) result: Result<Answer, Refused>,
    pub(super) caller: Option<Caller>,
    /// What happens once the answer is written, or cannot be.
    pub(super) afterwards: Afterwards,
}

/// What follows from a request when it is over: at the drop, so that it also follows when the sender has gone away and
/// the server lets go of the request.
#[derive(Debug, Default)]
pub(super) struct Afterwards(Option<(GitHub, Vec<Effect>)>);

impl Afterwards {
    pub(super) fn new(github: &GitHub, effects: Vec<Effect>) -> Self {
        Self((!effects.is_empty()).then(|| (github.clone(), effects)))
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.is_none()
    }
}

impl Drop for Afterwards {
    fn drop(&mut self) {
        if let Some((github, effects)) = self.0.take() {
            let worker = github.clone();
            // On another task, so that this one goes on to write what it has in its buffer.
            github.spawn(async move { worker.release(effects) });
        }
    }
}

/// Why there is no proper answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// GitHub says no.
    ByGitHub(ApiError),
    /// A fault.
    ByFault(Failure),
}

impl Finished {
    pub(super) fn crashed(panic: &JoinError) -> Self {
        tracing::error!(%panic, "the simulated GitHub failed on a request");
        Self::without_caller(Refused::ByGitHub(ApiError::new(500, "Server Error")))
    }

    fn without_caller(refused: Refused) -> Self {
        Self { result: Err(refused), caller: None, afterwards: Afterwards::default() }
    }
}

pub(super) async fn process(github: GitHub, call: Call) -> Finished {
    if let Some(failure) = fault(&github, &call, Moment::BeforeAccept).await {
        return Finished::without_caller(Refused::ByFault(failure));
    }
    let caller = match github.change(|state| enter(state, &call)) {
        Ok(caller) => caller,
        Err(error) => return Finished::without_caller(Refused::ByGitHub(error)),
    };
    let mut finished = if call.target.endpoint == Endpoint::Dispatch {
        dispatch::dispatch(&github, &call, &caller).await
    } else {
        let result = github.change(|state| routes::answer(state, &call, &caller));
        Finished {
            result: result.map_err(Refused::ByGitHub),
            caller: None,
            afterwards: Afterwards::default(),
        }
    };
    if finished.result.is_ok()
        && let Some(failure) = fault(&github, &call, Moment::AfterAccept).await
    {
        finished.result = Err(Refused::ByFault(failure));
    }
    finished.caller = Some(caller);
    finished
}

/// What a hook or a fault does to a request at this moment.
async fn fault(github: &GitHub, call: &Call, moment: Moment) -> Option<Failure> {
    let request = || github.read(|state| state.requests().get(call.number).cloned());
    if let Some(failure) = github.shared.request_hook.ask(moment, request).await {
        return Some(failure);
    }
    let (endpoint, key) = (call.target.endpoint, call.key());
    github.change(|state| state.faults.http.take(state.seed, endpoint, moment, &key))
}
