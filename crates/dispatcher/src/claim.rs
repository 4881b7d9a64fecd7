//! Claiming what is released: budget and workflow files first, then one record for as many stacks as are due and
//! affordable, decided from the newest state (design §5 step 1).

use crate::{
    ROLE, Shared, definitions, send, trace,
    work::{Definition, Work},
};
use futures::FutureExt as _;
use stackwave_domain::{
    DispatchClaim, Event, Position, Subject, event::DispatchClaimed, record::MAX_RECORD_BYTES,
};
use stackwave_engine::due::{self, Candidate};
use stackwave_github::{
    definition::{expected_title, title_tells},
    port::Target,
};
use stackwave_runtime::{Poke, Turn, ledger::Permit};
use std::{sync::Arc, time::Duration};
use tracing::Span;

/// At most so many sends at once: more would only queue for GitHub while their claims grow old.
const MAX_UNDER_WAY: usize = 100;
/// A claim is sent within this of the moment at which its append began, so also of the moment at which it landed; later
/// it is left to be taken over (design §5).
pub(crate) const SEND_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn claim(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target) {
    let room = MAX_UNDER_WAY.saturating_sub(work.lock().tasks.len());
    let candidates = due::due_dispatches(turn.repository, room);
    if candidates.is_empty() {
        return;
    }
    definitions::read_for(shared, work, turn, target, &candidates);
    let affordable = affordable(shared, work, turn, target, candidates.len());
    if affordable == 0 {
        return;
    }
    let claims = claims(shared, work, turn, &candidates, affordable);
    if claims.is_empty() {
        return;
    }
    let Some(permit) = turn.ledger.permit(turn.repository, Subject::ledger(turn.stream, turn.repository.id))
    else {
        return;
    };
    {
        let mut under_way = work.lock();
        under_way.paid -= claims.len().min(under_way.paid);
        under_way.tasks.extend(claims.iter().map(|claim| claim.dispatch.clone()));
    }
    let cause = turn.repository.last_position();
    let task = ClaimTask {
        shared: Arc::clone(shared),
        work: work.clone(),
        target: target.clone(),
        stream: turn.stream,
        poke: turn.poke.clone(),
    };
    let spans = trace::claims(turn.repository, &claims);
    shared.core.tasks.spawn(task.append(permit, claims, spans, cause));
}

/// The claims that can be made now: their workflow file was read, and nothing keeps them from being told apart.
fn claims(
    shared: &Shared,
    work: &Work,
    turn: &Turn<'_>,
    candidates: &[Candidate],
    affordable: usize,
) -> Vec<DispatchClaimed> {
    let now = shared.core.clock.monotonic();
    let under_way = work.lock();
    let mut claims: Vec<DispatchClaimed> = Vec::new();
    let mut bytes = 0;
    for candidate in candidates {
        if claims.len() == affordable {
            break;
        }
        let known = under_way.definitions.get(&definitions::file_of(candidate));
        let Some(definition) = known.filter(|known| known.is_fresh(now)) else { continue };
        let claim = claim_of(shared, candidate, definition);
        let run_name = definition.known.as_ref().and_then(|known| known.run_name.as_deref());
        let tells = run_name.is_some_and(|name| title_tells(name, &claim.inputs, claim.dispatch.as_str()));
        if !due::may_claim(turn.repository, &claims, &claim.workflow, &claim.git_ref, tells) {
            continue;
        }
        bytes += serde_json::to_vec(&claim).map_or(0, |json| json.len());
        if !claims.is_empty() && bytes > MAX_RECORD_BYTES / 2 {
            break;
        }
        claims.push(claim);
    }
    claims
}

fn claim_of(shared: &Shared, candidate: &Candidate, definition: &Definition) -> DispatchClaimed {
    let known = definition.known.as_ref();
    let inputs = due::inputs_for(candidate, known.and_then(|known| known.declared.as_ref()));
    let title = known
        .and_then(|known| known.run_name.as_deref())
        .and_then(|run_name| expected_title(run_name, &inputs));
    DispatchClaimed {
        dispatch: candidate.dispatch.clone(),
        run: candidate.run.clone(),
        key: candidate.key.clone(),
        attempt: candidate.attempt,
        claimant: shared.core.ids.process().clone(),
        workflow: candidate.call.workflow.clone(),
        git_ref: candidate.git_ref.clone(),
        inputs,
        title,
    }
}

/// How many dispatches are paid for. What the budget has is taken at once; otherwise a task waits for it.
fn affordable(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target, wanted: usize) -> usize {
    let mut under_way = work.lock();
    if under_way.paid == 0 && !under_way.paying {
        // A budget that is not taken at once takes nothing when its future is dropped.
        match shared.github.dispatches.budget(target.installation, wanted).now_or_never() {
            Some(paid) => under_way.paid = paid,
            None => {
                under_way.paying = true;
                let (shared, poke) = (Arc::clone(shared), turn.poke.clone());
                tokio::spawn(pay(shared, work.clone(), target.clone(), wanted, poke));
            }
        }
    }
    under_way.paid
}

async fn pay(shared: Arc<Shared>, work: Work, target: Target, wanted: usize, poke: Poke) {
    let paid = shared.github.dispatches.budget(target.installation, wanted).await;
    {
        let mut under_way = work.lock();
        under_way.paying = false;
        under_way.paid += paid;
    }
    poke.ask_again(target.id);
}

struct ClaimTask {
    shared: Arc<Shared>,
    work: Work,
    target: Target,
    stream: stackwave_domain::StreamId,
    poke: Poke,
}

impl ClaimTask {
    async fn append(
        self,
        permit: Permit,
        claims: Vec<DispatchClaimed>,
        spans: Vec<(Span, Option<Arc<str>>)>,
        cause: Position,
    ) {
        let events: Vec<Event> = claims.iter().cloned().map(Event::from).collect();
        let mut record = self.shared.core.record(ROLE, events).caused_by(cause);
        record.trace = spans.iter().find_map(|(_, trace)| trace.as_deref().map(str::to_owned));
        let began = self.shared.core.clock.monotonic();
        match permit.append(record).await {
            Ok(receipt) => {
                for (span, _) in spans {
                    span.record("position", receipt.position.0);
                }
                for claimed in claims {
                    let claim = DispatchClaim::granted(&receipt, self.target.id, claimed, 1);
                    let send = send::Send {
                        shared: Arc::clone(&self.shared),
                        work: self.work.clone(),
                        target: self.target.clone(),
                        stream: self.stream,
                        poke: self.poke.clone(),
                    };
                    self.shared.core.tasks.spawn(send.run(claim, began));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the claim did not land; what is due is claimed from the newer state");
                let mut under_way = self.work.lock();
                under_way.paid += claims.len();
                for claim in &claims {
                    under_way.tasks.remove(&claim.dispatch);
                }
                drop(under_way);
                self.poke.ask_again(self.target.id);
            }
        }
    }
}
