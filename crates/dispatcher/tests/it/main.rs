//! The claim protocol of design §5 over a real log: every outcome of a send, and what happens after it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod github;
mod world;

use stackwave_dispatcher::Config;
use stackwave_domain::{
    DispatchId, ProcessId, Record, RecordId, StackKey, Subject, Timestamp, WorkflowRunId,
    event::{
        DispatchClaimed, DispatchTakenOver, FoundBy, RefusalReason, RunSuperseded, Source, Successor,
        WorkflowDispatchObserved, WorkflowRunObserved,
    },
    workflow::RunStatus,
};
use stackwave_engine::{
    identity,
    state::{Answer, Dispatch},
};
use stackwave_event_log::Append;
use stackwave_github::port::{DispatchAnswer, DispatchError};
use std::{sync::atomic::Ordering, time::Duration};
use world::{REPOSITORY, STREAM, World, run_id};

const GRACE: Duration = Duration::from_millis(800);

fn config() -> Config {
    Config { enabled: true, grace: GRACE }
}

fn dispatch_of(component: &str) -> DispatchId {
    identity::dispatch_id(&run_id(), &StackKey::new("dev", component), &"tf-plan.yaml".into(), 1)
}

fn is_accepted(dispatch: &Dispatch) -> bool {
    matches!(dispatch.answer, Answer::Accepted)
}

fn workflow_run(id: u64, title: &str, at: Timestamp) -> WorkflowRunObserved {
    WorkflowRunObserved {
        source: Source::Poll { asked_at: stackwave_domain::Position(0) },
        run: WorkflowRunId(id),
        attempt: 1,
        workflow: "tf-plan.yaml".into(),
        title: title.to_owned(),
        event: "workflow_dispatch".to_owned(),
        status: RunStatus::Queued,
        conclusion: None,
        head_branch: Some("main".into()),
        head_sha: "41b7c0de92ab3f6658d07e1c4a9f5b2d3c6e8f90".into(),
        actor: Some("stackwave[bot]".to_owned()),
        created_at: at,
        updated_at: at,
        html_url: format!("https://github.com/acme/infra/actions/runs/{id}"),
    }
}

fn lost() -> Result<DispatchAnswer, DispatchError> {
    Err(DispatchError::OutcomeUnknown("connection reset".to_owned()))
}

#[tokio::test]
async fn a_released_stack_is_claimed_in_the_log_and_sent_once() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.release(&["vpc"]).await;
    world.wait_until("accepted", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 1)]);
    let claims = world.events("dispatch_claimed").await;
    assert_eq!(claims.len(), 1);
    world.nudge().await;
    world.wait_until("folded", |state| state.open_claims().count() == 0).await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn a_workflow_file_is_read_before_a_stack_s_turn_comes_and_again_before_it_is_old() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.wait_for_reads(1).await;
    assert!(world.events("stack_released").await.is_empty());
    world.github.reading_hangs.store(true, Ordering::SeqCst);
    world.clock.put_forward(Duration::from_secs(31));
    world.nudge().await;
    world.github.wait_for_reads(2).await;
    world.release(&["vpc"]).await;
    // What the file said half a minute ago is good enough; nobody waits for GitHub.
    world.wait_until("accepted", |state| state.dispatches.values().any(is_accepted)).await;
}

#[tokio::test]
async fn switched_off_it_claims_and_sends_nothing() {
    let world = World::start(Config { enabled: false, grace: GRACE }, true, &["vpc"]).await;
    world.release(&["vpc"]).await;
    world.nudge().await;
    world.wait_until("released", |state| state.runs.values().any(|run| run.unclaimed().count() == 1)).await;
    assert!(world.events("dispatch_claimed").await.is_empty());
    assert!(world.github.sent().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_run_that_carries_the_dispatch_id() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.answer(lost());
    let title = format!("plan vpc {}", dispatch_of("vpc"));
    world.github.runs.lock().unwrap().push(workflow_run(900, &title, world.core.clock.now()));
    world.release(&["vpc"]).await;
    world.wait_until("found", |state| state.dispatches.values().any(is_accepted)).await;
    let found = world.view.read(|state| {
        let dispatch = state.repository(REPOSITORY).unwrap().dispatches.values().next().unwrap().clone();
        (dispatch.workflow_run, dispatch.found_by)
    });
    assert_eq!(found, (Some(WorkflowRunId(900)), Some(FoundBy::DispatchIdInTitle)));
    assert_eq!(world.github.sent().len(), 1, "it had happened and is not sent again");
}

#[tokio::test]
async fn a_lost_answer_of_what_never_happened_is_searched_for_and_sent_again_under_the_same_id() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.answer(lost());
    world.release(&["vpc"]).await;
    world.wait_until("sent again", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 1), (dispatch_of("vpc"), 2)]);
    let resent = world.events("dispatch_resending").await;
    let [stackwave_domain::Event::DispatchResending(resending)] = resent.as_slice() else {
        panic!("{resent:?}")
    };
    assert!(resending.evidence.listings >= 2, "{resending:?}");
    assert!(u128::from(resending.evidence.searched_ms) >= GRACE.as_millis(), "{resending:?}");
}

#[tokio::test]
async fn two_runs_that_nothing_tells_apart_are_held_and_never_doubled() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.answer(lost());
    for id in [900, 901] {
        world.github.runs.lock().unwrap().push(workflow_run(id, "plan", world.core.clock.now()));
    }
    world.release(&["vpc"]).await;
    world
        .wait_until("held", |state| {
            state.dispatches.values().any(|dispatch| matches!(dispatch.answer, Answer::Undecidable { .. }))
        })
        .await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn a_run_whose_title_lost_the_id_since_the_workflow_was_read_is_held_and_never_doubled() {
    let world = World::start(config(), true, &["vpc"]).await;
    *world.github.run_name.lock().unwrap() = Some("plan ${{ inputs.atmos_pro_run_id }}".to_owned());
    // What was read at the start is old.
    world.clock.put_forward(Duration::from_secs(61));
    world.github.answer(lost());
    world.github.runs.lock().unwrap().push(workflow_run(900, "plan", world.core.clock.now()));
    world.release(&["vpc"]).await;
    world
        .wait_until("held", |state| {
            state.dispatches.values().any(|dispatch| matches!(dispatch.answer, Answer::Undecidable { .. }))
        })
        .await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn githubs_dispatch_webhook_proves_that_it_happened() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.answer(lost());
    world.release(&["vpc"]).await;
    world
        .wait_until("unknown", |state| {
            state.dispatches.values().any(|dispatch| matches!(dispatch.answer, Answer::Unknown { .. }))
        })
        .await;
    let inputs = world.view.read(|state| {
        let repository = state.repository(REPOSITORY).unwrap();
        repository.dispatches.values().next().unwrap().claimed.inputs.clone()
    });
    let observed = WorkflowDispatchObserved {
        source: Source::Webhook { delivery: "d2".into() },
        workflow: "tf-plan.yaml".into(),
        git_ref: "main".into(),
        inputs,
        sender: Some("stackwave[bot]".to_owned()),
    };
    world.append(Subject::github(STREAM, REPOSITORY, "workflow_dispatch"), vec![observed.into()]).await;
    world.wait_until("accepted", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn a_limit_delays_and_never_drops() {
    let world = World::start(config(), true, &["vpc"]).await;
    let limited = DispatchError::NotSent {
        reason: "GitHub limits our calls".to_owned(),
        wait: Duration::from_millis(50),
    };
    world.github.answer(Err(limited));
    world.release(&["vpc"]).await;
    world.wait_until("accepted", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 1), (dispatch_of("vpc"), 1)]);
    assert_eq!(world.events("dispatch_delayed").await.len(), 1);
    assert!(
        world.events("dispatch_resending").await.is_empty(),
        "what was certainly not taken needs no search"
    );
}

#[tokio::test]
async fn a_delayed_dispatch_of_a_superseded_run_is_withdrawn() {
    let world = World::start(config(), true, &["vpc"]).await;
    let limited = DispatchError::NotSent {
        reason: "GitHub limits our calls".to_owned(),
        wait: Duration::from_millis(400),
    };
    world.github.answer(Err(limited));
    world.release(&["vpc"]).await;
    world
        .wait_until("delayed", |state| {
            state.dispatches.values().any(|dispatch| matches!(dispatch.answer, Answer::Delayed { .. }))
        })
        .await;
    let superseded = RunSuperseded { run: run_id(), by: Successor::Merge };
    world.append(Subject::ledger(STREAM, REPOSITORY), vec![superseded.into()]).await;
    world.wait_until("withdrawn", |state| state.dispatches.values().any(Dispatch::is_withdrawn)).await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn a_refusal_ends_the_claim() {
    let world = World::start(config(), true, &["vpc"]).await;
    world.github.answer(Err(DispatchError::Refused {
        status: 404,
        reason: RefusalReason::WorkflowNotFound,
        message: "Not Found".to_owned(),
    }));
    world.release(&["vpc"]).await;
    world
        .wait_until("refused", |state| {
            state
                .dispatches
                .values()
                .any(|dispatch| matches!(dispatch.answer, Answer::Refused { status: 404, .. }))
        })
        .await;
    world.nudge().await;
    world.wait_until("closed", |state| state.open_claims().count() == 0).await;
    assert_eq!(world.github.sent().len(), 1);
}

/// A claim of a process that died after it.
async fn dead_claim(world: &World) {
    let claimed = DispatchClaimed {
        dispatch: dispatch_of("vpc"),
        run: run_id(),
        key: StackKey::new("dev", "vpc"),
        attempt: 1,
        claimant: ProcessId::new("gone"),
        workflow: "tf-plan.yaml".into(),
        git_ref: "main".into(),
        inputs: [("component".to_owned(), "vpc".to_owned())].into(),
        title: None,
    };
    let released = stackwave_domain::event::StackReleased {
        run: run_id(),
        key: StackKey::new("dev", "vpc"),
        attempt: 1,
    };
    world.append(Subject::ledger(STREAM, REPOSITORY), vec![released.into(), claimed.into()]).await;
}

#[tokio::test]
async fn on_an_exclusive_log_a_dead_process_s_claim_is_taken_over_at_once_and_searched() {
    let world = World::start(config(), true, &["vpc"]).await;
    dead_claim(&world).await;
    world.wait_until("sent", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.events("dispatch_taken_over").await.len(), 1);
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 3)], "claimed 1, taken over 2, sent again 3");
}

#[tokio::test]
async fn on_a_shared_log_a_foreign_claim_is_left_alone_for_thirty_seconds() {
    let world = World::start(config(), false, &["vpc"]).await;
    dead_claim(&world).await;
    world.wait_until("claimed", |state| state.open_claims().count() == 1).await;
    world.clock.put_forward(Duration::from_secs(29));
    world.nudge().await;
    world.release(&[]).await;
    assert!(world.events("dispatch_taken_over").await.is_empty());
    world.clock.put_forward(Duration::from_secs(2));
    world.nudge().await;
    world
        .wait_until("taken over", |state| state.dispatches.values().any(|dispatch| dispatch.epoch.0 == 2))
        .await;
    assert!(world.github.sent().is_empty(), "it is searched for before anything is sent");
    world.clock.put_forward(Duration::from_secs(16));
    world.wait_until("sent", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn a_process_that_was_stopped_after_its_claim_takes_it_over_and_searches_before_it_sends() {
    let world = World::start(config(), false, &["vpc"]).await;
    world.stops.after_claim.store(true, Ordering::SeqCst);
    world.release(&["vpc"]).await;
    world.wait_until("sent", |state| state.dispatches.values().any(is_accepted)).await;
    assert_eq!(world.events("dispatch_taken_over").await.len(), 1);
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 3)], "claimed 1, taken over 2, sent again 3");
}

#[tokio::test]
async fn a_process_that_was_stopped_after_it_looked_at_the_ledger_looks_again_and_sends_nothing() {
    let world = World::start(config(), false, &["vpc"]).await;
    let wait = Duration::from_millis(50);
    world.github.answer(Err(DispatchError::NotSent { reason: "GitHub limits our calls".to_owned(), wait }));
    let taken =
        DispatchTakenOver { dispatch: dispatch_of("vpc"), epoch: 2, claimant: ProcessId::new("other") };
    let record =
        Record::new(RecordId::new("taken over"), world.core.clock.now(), "dispatcher", vec![taken.into()]);
    *world.stops.after_look.lock().unwrap() = Some(Append::any(Subject::ledger(STREAM, REPOSITORY), record));
    let mut looks = world.stops.looks.subscribe();
    world.release(&["vpc"]).await;
    let looked_again =
        tokio::time::timeout(Duration::from_secs(20), looks.wait_for(|looks| *looks >= 2)).await;
    assert!(
        looked_again.is_ok(),
        "what was known before it slept was taken for true: {:?}",
        world.github.sent()
    );
    world.core.shutdown.cancel();
    world.core.tasks.close();
    world.core.tasks.wait().await;
    assert_eq!(world.github.sent(), [(dispatch_of("vpc"), 1)], "the other process has it");
}

#[tokio::test]
async fn without_run_ids_and_telling_titles_sends_go_one_at_a_time() {
    let world = World::start(config(), true, &["a", "b"]).await;
    for _ in 0..2 {
        world.github.answer(Ok(DispatchAnswer { workflow_run: None, html_url: None }));
    }
    world.release(&["a", "b"]).await;
    world.wait_until("the first is accepted", |state| state.dispatches.values().any(is_accepted)).await;
    world.nudge().await;
    world.wait_until("claimed", |state| state.dispatches.len() == 1).await;
    assert_eq!(world.github.sent().len(), 1, "the second waits until the first one's run was seen");
    world.github.runs.lock().unwrap().push(workflow_run(900, "plan", world.core.clock.now()));
    world
        .wait_until("both are accepted", |state| {
            state.dispatches.values().filter(|d| is_accepted(d)).count() == 2
        })
        .await;
    world.github.runs.lock().unwrap().push(workflow_run(901, "plan", world.core.clock.now()));
    world
        .wait_until("both have their runs", |state| {
            state.dispatches.values().all(|d| d.workflow_run.is_some())
        })
        .await;
}
