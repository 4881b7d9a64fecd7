//! Starting workflows.
//!
//! What an answer proves decides what happens next, so it is told apart with care: only a connection that was never
//! made, an answer that is a definite no, and a redirect that is not followed prove that nothing was started.

use crate::{
    budget::Kind,
    call::{Caller, Trouble},
    client::GitHubClient,
    http::{Answer, Ask, Failure},
    path,
};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};
use stackwave_domain::{DispatchClaim, Inputs, InstallationId, WorkflowRunId, event::RefusalReason};
use stackwave_github::{
    port::{CallError, DispatchAnswer, DispatchError, Dispatches, Target},
    refusal::{self, Meaning},
};
use std::{sync::atomic::Ordering, time::Duration};

/// The inputs that we add to the configured ones; a workflow need not declare them.
const OWN_INPUTS: [&str; 3] = ["atmos_pro_run_id", "sha", "traceparent"];

/// When GitHub cannot be reached, or has no place for the call.
const UNREACHABLE_WAIT: Duration = Duration::from_secs(5);

/// When the App cannot sign in: somebody has to do something.
const UNAUTHORIZED_WAIT: Duration = Duration::from_secs(60);

#[async_trait]
impl Dispatches for GitHubClient {
    /// The dispatches that are returned are *paid*: they are taken out of the installation's budget here, and
    /// [`Dispatches::dispatch`] takes nothing more. So claim at most as many as this returned, and call `dispatch` once
    /// for each; what is not used is lost to the budget, and filled up again with time. While a limit of GitHub holds,
    /// this waits for its end. A dropped future takes nothing.
    async fn budget(&self, installation: InstallationId, wanted: usize) -> usize {
        self.inner.budgets.lane(Some(installation)).take(Kind::Dispatch, wanted).await
    }

    async fn dispatch(
        &self,
        target: &Target,
        claim: &DispatchClaim,
    ) -> Result<DispatchAnswer, DispatchError> {
        let deadline = self.inner.deadline();
        let lane = self.inner.budgets.lane(Some(target.installation));
        let path = path::repository(
            &target.name,
            &format!("/actions/workflows/{}/dispatches", path::segment(claim.workflow().as_str())),
        );
        let mut inputs = claim.inputs().clone();
        let mut own_dropped = false;
        loop {
            let details = self.inner.knows_run_details.load(Ordering::Relaxed);
            let body = body(claim, &inputs, details);
            let ask = Ask::write(Method::POST, path.clone(), &body);
            let exchange =
                Box::pin(self.inner.exchange(Caller::Installation(target.installation), &ask, deadline));
            let answer = exchange.await.map_err(not_taken)?;
            if (200..300).contains(&answer.status) {
                lane.succeeded();
                return accepted(&answer);
            }
            let message = answer.message();
            if details && matches!(answer.status, 400 | 422) && message.contains("return_run_details") {
                tracing::info!("the host does not know `return_run_details`; it is left out from here on");
                self.inner.knows_run_details.store(false, Ordering::Relaxed);
                lane.overdraw();
                continue;
            }
            if answer.status == 422 && message.to_lowercase().contains("unexpected input") {
                self.inner.definitions.forget(target.id, claim.workflow(), claim.git_ref());
                if !own_dropped && drop_own(&mut inputs, &message) {
                    own_dropped = true;
                    lane.overdraw();
                    continue;
                }
            }
            return Err(refused(answer.status, message));
        }
    }
}

fn body(claim: &DispatchClaim, inputs: &Inputs, details: bool) -> Value {
    let mut body = Map::new();
    body.insert("ref".to_owned(), json!(claim.git_ref().as_str()));
    body.insert("inputs".to_owned(), json!(inputs));
    if details {
        body.insert("return_run_details".to_owned(), json!(true));
    }
    Value::Object(body)
}

/// Takes our own inputs out: those that the message names, or all of them when it names none. Whether there were any.
fn drop_own(inputs: &mut Inputs, message: &str) -> bool {
    let named =
        |name: &str| message.contains(&format!("\"{name}\"")) || message.contains(&format!("'{name}'"));
    let any_named = OWN_INPUTS.iter().any(|name| named(name));
    let before = inputs.len();
    inputs.retain(|name| !(OWN_INPUTS.contains(&name) && (named(name) || !any_named)));
    inputs.len() < before
}

fn accepted(answer: &Answer) -> Result<DispatchAnswer, DispatchError> {
    if answer.body.is_empty() {
        return Ok(DispatchAnswer { workflow_run: None, html_url: None });
    }
    // A success that is not GitHub's JSON may be that of something between us and GitHub.
    let json = answer.json().filter(Value::is_object).ok_or_else(|| {
        DispatchError::OutcomeUnknown(format!("it answered {} with a body that is no JSON", answer.status))
    })?;
    Ok(DispatchAnswer {
        workflow_run: json["workflow_run_id"].as_u64().map(WorkflowRunId),
        html_url: json["html_url"].as_str().map(str::to_owned),
    })
}

/// The exchange ended without an answer of the call's own.
fn not_taken(trouble: Trouble) -> DispatchError {
    let not_sent = |reason: String, wait| DispatchError::NotSent { reason, wait };
    match trouble {
        Trouble::Limited(wait) => not_sent("GitHub limits our calls".to_owned(), wait),
        Trouble::Failed(Failure::NotSent(reason)) => not_sent(reason, UNREACHABLE_WAIT),
        Trouble::Failed(Failure::Unknown(reason)) => DispatchError::OutcomeUnknown(reason),
        Trouble::Failed(Failure::Redirected { status, message }) => {
            DispatchError::Refused { status, reason: RefusalReason::Other, message }
        }
        Trouble::SignIn(error) => {
            let wait = match &error {
                CallError::RateLimited { wait } => *wait,
                CallError::Unavailable(_) => UNREACHABLE_WAIT,
                CallError::NotFound(_) | CallError::Refused { .. } | CallError::Unauthorized(_) => {
                    UNAUTHORIZED_WAIT
                }
            };
            not_sent(error.to_string(), wait)
        }
    }
}

fn refused(status: u16, message: String) -> DispatchError {
    match refusal::classify(status, &message) {
        Meaning::Refused(reason) => DispatchError::Refused { status, reason, message },
        Meaning::Limited => DispatchError::NotSent { reason: message, wait: UNAUTHORIZED_WAIT },
        Meaning::Unauthorized => DispatchError::NotSent {
            reason: format!("GitHub does not take a token that it has just given: {message}"),
            wait: UNAUTHORIZED_WAIT,
        },
        Meaning::Unknown => DispatchError::OutcomeUnknown(format!("it answered {status}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_inputs_are_dropped_and_only_those_that_are_named() {
        let all = || Inputs::from(["atmos_pro_run_id", "sha", "stack"].map(|name| (name, "")));
        let left = |message: &str| {
            let mut inputs = all();
            let dropped = drop_own(&mut inputs, message);
            (dropped, inputs.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
        };
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            left(r#"Unexpected inputs provided: ["sha"]"#),
            (true, owned(&["atmos_pro_run_id", "stack"]))
        );
        assert_eq!(left(r#"Unexpected inputs provided: ["stack"]"#), (true, owned(&["stack"])));
        let mut none = Inputs::from([("stack", "")]);
        assert!(!drop_own(&mut none, "Unexpected inputs provided"));
    }
}
