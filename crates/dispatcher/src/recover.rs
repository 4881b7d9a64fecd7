//! Claims without a result: look before sending again (design §5 step 4).

use crate::{
    ROLE, Shared,
    claim::SEND_WITHIN,
    search, send,
    send::SEND_TIMEOUT,
    work::{Search, Work},
};
use stackwave_domain::{
    DispatchClaim, DispatchId, Event, Subject, Timestamp,
    event::{
        DispatchClaimed, DispatchFound, DispatchResending, DispatchTakenOver, Resolution, SearchEvidence,
    },
};
use stackwave_engine::{
    due::{self, Identification},
    state::{Answer, Dispatch},
};
use stackwave_github::port::Target;
use stackwave_runtime::{Turn, ledger::Permit};
use std::{sync::Arc, time::Duration};

/// A foreign claim without any answer is taken over this long after this process first saw it, by its own clock: its
/// request has ended then. One that its owner searches for, or sends again later, is left to him for longer.
const TAKE_OVER_AFTER: Duration = Duration::from_secs(30);
/// What was sent at the last moment over a connection that broke may reach GitHub so much later: then the kernel has given
/// up as well (`TCP_USER_TIMEOUT` of `github-client`).
const LINGERS: Duration = Duration::from_secs(10);
/// A claimant starts its request within 5 s of the claim, and the request ends within 10 s.
const IN_FLIGHT_FOR: Duration = SEND_WITHIN.saturating_add(SEND_TIMEOUT).saturating_add(LINGERS);

/// Looks at every claim without a result and every dispatch without a workflow run that no task of this process cares
/// for. Returns when to look again.
pub(crate) fn recover(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
) -> Option<Timestamp> {
    let state = turn.repository;
    let now = shared.core.clock.monotonic();
    let mut found = Vec::new();
    let mut take_over = Vec::new();
    let mut resend = Vec::new();
    let mut again = None;
    {
        let mut under_way = work.lock();
        for dispatch in state.open_claims().chain(state.in_flight()).filter(|dispatch| dispatch.lacks_run()) {
            let id = &dispatch.claimed.dispatch;
            if under_way.tasks.contains(id) || under_way.recording.contains(id) {
                continue;
            }
            if let Some(event) = found_by_state(dispatch, due::identify(state, dispatch)) {
                under_way.recording.insert(id.clone());
                under_way.searches.remove(id);
                found.push(event);
                continue;
            }
            if is_said_not_to_have_happened(dispatch) {
                // A person's word stands for a search.
                let evidence = SearchEvidence { listings: 0, runs_seen: 0, searched_ms: 0 };
                resend.push((dispatch, evidence));
                continue;
            }
            if under_way.searches.get(id).is_some_and(|search| search.epoch != dispatch.epoch.0) {
                under_way.searches.remove(id);
            }
            match next_step(shared, dispatch, under_way.searches.get(id)) {
                Step::Wait => {}
                Step::Search(since) => {
                    let epoch = dispatch.epoch.0;
                    let search = Search { epoch, since, listings: 0, runs_seen: 0, exhausted: None };
                    under_way.searches.insert(id.clone(), search);
                    work.new_search.notify_one();
                }
                Step::Resend(evidence) => resend.push((dispatch, evidence)),
                Step::TakeOver if shared.core.log.is_exclusive() || is_own(shared, dispatch) => {
                    take_over.push(dispatch)
                }
                Step::TakeOver => {
                    let seen = *under_way.first_seen.entry((id.clone(), dispatch.epoch.0)).or_insert(now);
                    let wait = patience(shared, dispatch, turn.now).saturating_sub(now.saturating_sub(seen));
                    if wait.is_zero() {
                        take_over.push(dispatch);
                    } else {
                        again = due::earlier(again, in_future(turn.now, wait));
                    }
                }
            }
        }
        under_way.first_seen.retain(|(id, epoch), _| {
            state.dispatches.get(id).is_some_and(|dispatch| dispatch.is_open() && dispatch.epoch.0 == *epoch)
        });
    }
    record_found(shared, work, turn, target, found);
    ledger_steps(shared, work, turn, target, &take_over, &resend);
    search::start(shared, work, turn, target);
    again
}

/// What is to be done for a dispatch whose run the state cannot tell.
enum Step {
    /// Nothing, now.
    Wait,
    /// Search GitHub; the request may have been in flight until this moment of the monotonic clock.
    Search(Duration),
    /// The claim is nobody's: take it.
    TakeOver,
    /// GitHub was searched long enough: send again.
    Resend(stackwave_domain::event::SearchEvidence),
}

fn is_said_not_to_have_happened(dispatch: &Dispatch) -> bool {
    let said = dispatch.unsettled_resolution().map(|resolved| resolved.outcome);
    dispatch.is_open() && said == Some(Resolution::NotHappened)
}

fn next_step(shared: &Shared, dispatch: &Dispatch, search: Option<&Search>) -> Step {
    let own = is_own(shared, dispatch);
    let now = shared.core.clock.monotonic();
    if let Some(search) = search {
        return match &search.exhausted {
            Some(evidence) if dispatch.is_open() && own => Step::Resend(evidence.clone()),
            Some(_) | None => Step::Wait,
        };
    }
    match &dispatch.answer {
        Answer::Accepted => Step::Search(now),
        // A person has to decide; should its run turn up after all, the state tells.
        Answer::Undecidable { .. } | Answer::Refused { .. } => Step::Wait,
        Answer::Unknown { .. } if own => Step::Search(now),
        // Taken over by this process, which therefore has to search.
        Answer::None if own && dispatch.epoch.0 > 1 => Step::Search(now),
        Answer::Delayed { .. } if own && dispatch.epoch.0 > 1 => Step::Search(owner_gone_at(shared, now)),
        // Switched off, it could never send again: whoever may has to take it.
        Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. } if !shared.config.enabled => {
            Step::Wait
        }
        Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. } => Step::TakeOver,
    }
}

/// How long a foreign claim is left to its owner, from when this process first saw it as it is.
fn patience(shared: &Shared, dispatch: &Dispatch, now: Timestamp) -> Duration {
    let search = shared.config.grace + IN_FLIGHT_FOR;
    match &dispatch.answer {
        Answer::None if dispatch.epoch.0 == 1 => TAKE_OVER_AFTER,
        Answer::Delayed { until, .. } => {
            Duration::try_from(until.duration_since(now)).unwrap_or_default() + TAKE_OVER_AFTER + search
        }
        // Its owner searches for it.
        Answer::None
        | Answer::Unknown { .. }
        | Answer::Accepted
        | Answer::Refused { .. }
        | Answer::Undecidable { .. } => TAKE_OVER_AFTER + search,
    }
}

/// Until when a request of the one before may have been in flight. A process that is certainly gone has none; one that
/// waited for a limit may have sent just before it learnt of the take-over. A claim without any answer is taken over
/// so late that its request has ended.
fn owner_gone_at(shared: &Shared, now: Duration) -> Duration {
    if shared.core.log.is_exclusive() { now } else { now + IN_FLIGHT_FOR }
}

fn is_own(shared: &Shared, dispatch: &Dispatch) -> bool {
    dispatch.claimant == *shared.core.ids.process()
}

fn in_future(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    now.checked_add(wait).ok()
}

fn found_by_state(dispatch: &Dispatch, identification: Identification) -> Option<DispatchFound> {
    let (workflow_run, by) = match identification {
        Identification::Run(run, by) => (Some(run), by),
        Identification::Accepted if dispatch.is_open() => {
            (None, stackwave_domain::event::FoundBy::DispatchWebhook)
        }
        Identification::Accepted | Identification::Ambiguous(_) | Identification::Nothing => return None,
    };
    let (dispatch, epoch) = (dispatch.claimed.dispatch.clone(), dispatch.epoch.0);
    Some(DispatchFound { dispatch, epoch, workflow_run, by })
}

fn record_found(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
    found: Vec<DispatchFound>,
) {
    if found.is_empty() {
        return;
    }
    let subject = Subject::dispatch(turn.stream, target.id);
    let (shared, work, poke, id) = (Arc::clone(shared), work.clone(), turn.poke.clone(), target.id);
    let cause = turn.repository.last_position();
    tokio::spawn(async move {
        let dispatches: Vec<DispatchId> = found.iter().map(|found| found.dispatch.clone()).collect();
        let events = found.into_iter().map(Event::from).collect();
        let item = shared.results(id, events, Some(cause));
        let position = shared.results.append_item_surely(&subject, item).await;
        if let (Some(position), Some(view)) = (position, shared.view.0.get()) {
            view.wait_for(position).await;
        }
        let mut under_way = work.lock();
        for dispatch in dispatches {
            under_way.recording.remove(&dispatch);
        }
        drop(under_way);
        poke.ask_again(id);
    });
}

/// Take-overs and resends: on the ledger, decided from this state.
fn ledger_steps(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
    take_over: &[&Dispatch],
    resend: &[(&Dispatch, stackwave_domain::event::SearchEvidence)],
) {
    let claimant = shared.core.ids.process().clone();
    let mut events: Vec<Event> = take_over
        .iter()
        .map(|dispatch| {
            let taken = DispatchTakenOver {
                dispatch: dispatch.claimed.dispatch.clone(),
                epoch: dispatch.epoch.0 + 1,
                claimant: claimant.clone(),
            };
            taken.into()
        })
        .collect();
    let mut resends = Vec::new();
    let mut searches = Vec::new();
    for (dispatch, evidence) in resend {
        if !turn.repository.may_be_sent(dispatch) {
            withdraw(shared, work, turn, target, dispatch);
        } else if shared.config.enabled {
            let epoch = dispatch.epoch.0 + 1;
            let resending = DispatchResending {
                dispatch: dispatch.claimed.dispatch.clone(),
                epoch,
                claimant: claimant.clone(),
                evidence: evidence.clone(),
            };
            events.push(resending.into());
            resends.push((DispatchClaimed::clone(&dispatch.claimed), epoch));
        }
    }
    if events.is_empty() || work.lock().taking_over {
        return;
    }
    let subject = Subject::ledger(turn.stream, target.id);
    let Some(permit) = turn.ledger.permit(turn.repository, subject) else { return };
    {
        let mut under_way = work.lock();
        under_way.taking_over = true;
        for (claimed, _) in &resends {
            searches.extend(under_way.searches.remove_entry(&claimed.dispatch));
            under_way.tasks.insert(claimed.dispatch.clone());
        }
    }
    let send = send::Send {
        shared: Arc::clone(shared),
        work: work.clone(),
        target: target.clone(),
        stream: turn.stream,
        poke: turn.poke.clone(),
    };
    let cause = turn.repository.last_position();
    let record = shared.core.record(ROLE, events).caused_by(cause);
    shared.core.tasks.spawn(append_and_resend(send, permit, record, resends, searches));
}

fn withdraw(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target, dispatch: &Dispatch) {
    let id = dispatch.claimed.dispatch.clone();
    let epoch = dispatch.epoch.0;
    {
        let mut under_way = work.lock();
        under_way.searches.remove(&id);
        under_way.recording.insert(id.clone());
    }
    let (shared, work, poke, repository, stream) =
        (Arc::clone(shared), work.clone(), turn.poke.clone(), target.id, turn.stream);
    tokio::spawn(async move {
        shared.withdraw(stream, repository, &id, epoch).await;
        work.lock().recording.remove(&id);
        poke.ask_again(repository);
    });
}

async fn append_and_resend(
    send: send::Send,
    permit: Permit,
    record: stackwave_domain::Record,
    resends: Vec<(DispatchClaimed, u32)>,
    searches: Vec<(DispatchId, Search)>,
) {
    let began = send.shared.core.clock.monotonic();
    let result = permit.append(record).await;
    send.work.lock().taking_over = false;
    match result {
        Ok(receipt) => {
            if let Some(view) = send.shared.view.0.get() {
                view.wait_for(receipt.position).await;
            }
            for (claimed, epoch) in resends {
                let again = send::Send {
                    shared: Arc::clone(&send.shared),
                    work: send.work.clone(),
                    target: send.target.clone(),
                    stream: send.stream,
                    poke: send.poke.clone(),
                };
                let claim = DispatchClaim::granted(&receipt, send.target.id, claimed, epoch);
                send.shared.core.tasks.spawn(resend_one(again, claim, began));
            }
        }
        Err(error) => {
            tracing::debug!(%error, "a take-over did not land; what is due is decided from the newer state");
            let mut under_way = send.work.lock();
            for (claimed, _) in &resends {
                under_way.tasks.remove(&claimed.dispatch);
            }
            // What was found out stays found out.
            under_way.searches.extend(searches);
        }
    }
    send.poke.ask_again(send.target.id);
}

/// The state is asked once more after it has folded the resend: only then is the dispatch sent again, and only while the
/// resend is young. What the budget does not allow in time is searched for anew.
async fn resend_one(send: send::Send, claim: DispatchClaim, began: Duration) {
    let clock = Arc::clone(&send.shared.core.clock);
    let left = SEND_WITHIN.saturating_sub(clock.monotonic().saturating_sub(began));
    let paid =
        tokio::time::timeout(left, send.shared.github.dispatches.budget(send.target.installation, 1)).await;
    let young = paid.is_ok() && clock.monotonic().saturating_sub(began) < SEND_WITHIN;
    let nothing_found = young
        && send.shared.view.0.get().is_some_and(|view| {
            view.read(|state| {
                let repository = state.repository(send.target.id)?;
                let dispatch = repository.dispatches.get(claim.dispatch())?;
                let free = dispatch.is_open() && dispatch.epoch.0 == claim.epoch();
                Some(free && due::identify(repository, dispatch) == Identification::Nothing)
            })
            .unwrap_or(false)
        });
    if nothing_found {
        send.run(claim, began).await;
    } else {
        send.work.lock().tasks.remove(claim.dispatch());
        send.poke.ask_again(send.target.id);
    }
}
