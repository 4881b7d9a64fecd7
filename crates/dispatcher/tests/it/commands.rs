//! What the dispatcher does for commands: it cancels, looks, joins and sends again.

use crate::{
    config, dispatch_of, is_accepted, lost, workflow_run,
    world::{REPOSITORY, STREAM, World, run_id},
};
use stackwave_domain::{
    CommandId, Event, Record, RecordId, Subject, WorkflowRunId,
    event::{
        CancelAnswer, DispatchUndecidable, FoundBy, Resolution, RunCancelled, RunSuperseded, Successor,
        WorkflowRunObserved,
    },
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{
    command::{Ask, Outcome},
    state::{Answer, RepositoryState, Stage},
};
use stackwave_event_log::Append;
use stackwave_github::port::{CallError, CancelOutcome};
use std::time::Duration;

const CANCEL: &str = "cancel-1";

async fn command(world: &World, id: &str, ask: Ask) {
    let event = ask.event(CommandId::new(id), None);
    let record = Record::new(RecordId::new(id), world.core.clock.now(), "alice", vec![event]);
    let append = Append::any(Subject::command(STREAM, REPOSITORY), record);
    world.core.log.append(append).await.unwrap();
}

fn outcome(state: &RepositoryState, id: &str) -> Option<Outcome> {
    state.command(&CommandId::new(id)).map(|command| command.outcome.clone())
}

/// A released stack whose workflow run GitHub shows so.
async fn started(world: &World, status: RunStatus, conclusion: Option<Conclusion>) -> WorkflowRunObserved {
    world.release(&["vpc"]).await;
    world.wait_until("accepted", |state| state.dispatches.values().any(is_accepted)).await;
    let run = WorkflowRunObserved { status, conclusion, ..workflow_run(1, "plan", world.core.clock.now()) };
    *world.github.runs.lock().unwrap() = vec![run.clone()];
    observe(world, run.clone()).await;
    run
}

async fn observe(world: &World, run: WorkflowRunObserved) {
    world.append(Subject::github(STREAM, REPOSITORY, "workflow_run"), vec![run.into()]).await;
}

async fn cancel(world: &World, force: bool) {
    command(world, CANCEL, Ask::Cancel { run: run_id(), key: None, force }).await;
    let cancelled = RunCancelled { run: run_id(), command: CommandId::new(CANCEL), by: "alice".to_owned() };
    world.append(Subject::ledger(STREAM, REPOSITORY), vec![cancelled.into()]).await;
}

fn cancel_answer(state: &RepositoryState) -> Option<CancelAnswer> {
    let dispatch = state.dispatches.get(&dispatch_of("vpc"))?;
    dispatch.cancel.as_ref()?.answer.as_ref().map(|(answer, _)| answer.clone())
}

fn stage(state: &RepositoryState) -> &Stage {
    &state.runs[&run_id()].stacks[0].calls[0].stage
}

#[tokio::test]
async fn a_workflow_run_of_a_cancelled_run_is_cancelled_once_and_the_log_says_so() {
    let world = World::start(config(), true, &["vpc"]).await;
    started(&world, RunStatus::InProgress, None).await;
    cancel(&world, false).await;
    world.wait_until("answered", |state| cancel_answer(state) == Some(CancelAnswer::Accepted)).await;
    assert_eq!(*world.github.cancelled.borrow(), [WorkflowRunId(1)]);
    let (asked, answered) =
        (world.events("workflow_cancel_requested").await, world.events("workflow_cancel_answered").await);
    assert_eq!((asked.len(), answered.len()), (1, 1));
    world.nudge().await;
    world.wait_until("folded", |state| state.open_claims().count() == 0).await;
    assert_eq!(world.github.cancelled.borrow().len(), 1);
}

#[tokio::test]
async fn a_queued_plan_of_a_superseded_run_is_cancelled_and_a_running_one_is_not() {
    for (status, cancelled) in [(RunStatus::Queued, 1), (RunStatus::InProgress, 0)] {
        let world = World::start(config(), true, &["vpc"]).await;
        started(&world, status, None).await;
        let by = Successor::Push { head_sha: "aaaaaaa".into() };
        let superseded = RunSuperseded { run: run_id(), by };
        let position = world.append(Subject::ledger(STREAM, REPOSITORY), vec![superseded.into()]).await;
        world.view.wait_for(position).await;
        if cancelled > 0 {
            world.wait_until("answered", |state| cancel_answer(state).is_some()).await;
        }
        assert_eq!(world.github.cancelled.borrow().len(), cancelled);
    }
}

#[tokio::test]
async fn a_cancellation_that_github_did_not_hear_is_made_again() {
    let world = World::start(config(), true, &["vpc"]).await;
    started(&world, RunStatus::Queued, None).await;
    world.github.cancel_answers.lock().unwrap().extend([
        Err(CallError::Unavailable("reset".to_owned())),
        Err(CallError::RateLimited { wait: Duration::from_secs(60) }),
        Ok(CancelOutcome::TooLate),
    ]);
    cancel(&world, false).await;
    world.github.wait_for_cancels(1).await;
    for (wait, count) in [(6, 2), (61, 3)] {
        // The clock is put forward until the process has noted its wait, and is past it.
        let more = async {
            while world.github.cancelled.borrow().len() < count {
                world.clock.put_forward(Duration::from_secs(wait));
                world.nudge().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), more).await.unwrap();
    }
    world.wait_until("answered", |state| cancel_answer(state) == Some(CancelAnswer::TooLate)).await;
    assert_eq!(world.events("workflow_cancel_requested").await.len(), 1);
}

#[tokio::test]
async fn an_apply_that_has_started_unnoticed_is_seen_and_left_alone() {
    let world = World::start_for(config(), true, &["vpc"], "merged").await;
    let run = started(&world, RunStatus::Queued, None).await;
    let at = world.core.clock.now();
    let running = WorkflowRunObserved { status: RunStatus::InProgress, updated_at: at, ..run };
    *world.github.runs.lock().unwrap() = vec![running];
    cancel(&world, false).await;
    world.wait_until("seen", |state| *stage(state) == Stage::Running).await;
    world.nudge().await;
    assert!(world.github.cancelled.borrow().is_empty());
    assert!(world.events("workflow_cancel_requested").await.is_empty());
    command(&world, "cancel-2", Ask::Cancel { run: run_id(), key: None, force: true }).await;
    world.wait_until("answered", |state| cancel_answer(state) == Some(CancelAnswer::Accepted)).await;
}

#[tokio::test]
async fn switched_off_it_cancels_nothing() {
    let world = World::start(config(), true, &["vpc"]).await;
    started(&world, RunStatus::Queued, None).await;
    let world = world.restart(stackwave_dispatcher::Config { enabled: false, ..config() }).await;
    cancel(&world, false).await;
    world.wait_until("cancelled", |state| !state.runs[&run_id()].is_active()).await;
    world.nudge().await;
    assert!(world.github.cancelled.borrow().is_empty());
}

#[tokio::test]
async fn a_command_to_look_finds_a_rerun_of_a_failed_run_that_nobody_told_of() {
    let world = World::start(config(), true, &["vpc"]).await;
    let run = started(&world, RunStatus::Completed, Some(Conclusion::Failure)).await;
    world.wait_until("failed", |state| state.failed().count() == 1).await;
    *world.github.runs.lock().unwrap() =
        vec![WorkflowRunObserved { attempt: 2, status: RunStatus::InProgress, conclusion: None, ..run }];
    command(&world, "resync-1", Ask::Resync { run: Some(run_id()), pull_request: None }).await;
    // The pull request of the run is not at GitHub.
    world
        .wait_until("answered", |state| matches!(outcome(state, "resync-1"), Some(Outcome::Failed { .. })))
        .await;
    world.wait_until("seen", |state| *stage(state) == Stage::Running).await;
    world.github.pulls.lock().unwrap().push(crate::world::pull_request());
    command(&world, "resync-2", Ask::Resync { run: None, pull_request: None }).await;
    world.wait_until("done", |state| matches!(outcome(state, "resync-2"), Some(Outcome::Done { .. }))).await;
    let looked = world.events("resynced").await;
    assert!(matches!(looked.as_slice(), [Event::Resynced(it)] if it.workflow_runs == 1), "{looked:?}");
}

#[tokio::test]
async fn a_rerun_that_nobody_told_of_is_found_within_minutes() {
    let world = World::start(config(), true, &["vpc"]).await;
    let run = started(&world, RunStatus::Completed, Some(Conclusion::Failure)).await;
    world.wait_until("failed", |state| state.failed().count() == 1).await;
    let again = WorkflowRunObserved { attempt: 2, status: RunStatus::Queued, conclusion: None, ..run };
    *world.github.runs.lock().unwrap() = vec![again];
    world.clock.put_forward(Duration::from_secs(301));
    world.nudge().await;
    world.wait_until("seen", |state| *stage(state) == Stage::Queued).await;
}

#[tokio::test]
async fn what_happened_while_nobody_listened_is_asked_for_at_the_start() {
    let world = World::start(config(), true, &["vpc"]).await;
    let run = started(&world, RunStatus::Queued, None).await;
    world.wait_until("queued", |state| *stage(state) == Stage::Queued).await;
    let (status, conclusion) = (RunStatus::Completed, Some(Conclusion::Success));
    *world.github.runs.lock().unwrap() = vec![WorkflowRunObserved { status, conclusion, ..run }];
    let world = world.restart(config()).await;
    world.wait_until("seen", |state| matches!(stage(state), Stage::Concluded(_))).await;
}

/// A dispatch of which nobody can tell whether it happened.
async fn undecidable(world: &World) {
    world.github.answer(lost());
    world.release(&["vpc"]).await;
    world.wait_until("claimed", |state| state.open_claims().count() == 1).await;
    let undecidable = DispatchUndecidable {
        dispatch: dispatch_of("vpc"),
        epoch: 1,
        candidates: vec![WorkflowRunId(900), WorkflowRunId(901)],
        reason: "nothing tells them apart".to_owned(),
    };
    // Seen together: of one alone it would be the only candidate.
    let runs = [900, 901].map(|id| workflow_run(id, "plan", world.core.clock.now()).into()).into();
    world.append(Subject::github(STREAM, REPOSITORY, "workflow_run"), runs).await;
    world.append(Subject::dispatch(STREAM, REPOSITORY), vec![undecidable.into()]).await;
    world
        .wait_until("undecidable", |state| {
            state.dispatches.values().any(|it| matches!(it.answer, Answer::Undecidable { .. }))
        })
        .await;
}

fn resolve(outcome: Resolution) -> Ask {
    Ask::Resolve { dispatch: dispatch_of("vpc"), outcome }
}

#[tokio::test]
async fn a_dispatch_that_a_person_says_did_not_happen_is_sent_again_under_the_same_id() {
    let world = World::start(config(), true, &["vpc"]).await;
    undecidable(&world).await;
    command(&world, "resolve-1", resolve(Resolution::NotHappened)).await;
    world.wait_until("sent again", |state| state.dispatches.values().any(is_accepted)).await;
    let sent = world.github.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent.iter().all(|(dispatch, _)| *dispatch == dispatch_of("vpc")), "{sent:?}");
    assert_eq!(world.events("dispatch_resending").await.len(), 1);
    world.wait_until("done", |state| matches!(outcome(state, "resolve-1"), Some(Outcome::Done { .. }))).await;
}

#[tokio::test]
async fn a_run_that_a_person_names_is_looked_up_and_joined() {
    let world = World::start(config(), true, &["vpc"]).await;
    undecidable(&world).await;
    let named = |run| resolve(Resolution::Happened { workflow_run: WorkflowRunId(run) });
    command(&world, "resolve-1", named(902)).await;
    world
        .wait_until("failed", |state| matches!(outcome(state, "resolve-1"), Some(Outcome::Failed { .. })))
        .await;
    let foreign = WorkflowRunObserved {
        workflow: "other.yaml".into(),
        ..workflow_run(903, "other", world.core.clock.now())
    };
    let ours = workflow_run(904, "plan", world.core.clock.now());
    *world.github.runs.lock().unwrap() = vec![foreign, ours];
    command(&world, "resolve-2", named(903)).await;
    world
        .wait_until("failed", |state| matches!(outcome(state, "resolve-2"), Some(Outcome::Failed { .. })))
        .await;
    command(&world, "resolve-3", named(904)).await;
    world
        .wait_until("joined", |state| {
            let dispatch = &state.dispatches[&dispatch_of("vpc")];
            dispatch.workflow_run == Some(WorkflowRunId(904)) && dispatch.found_by == Some(FoundBy::Person)
        })
        .await;
    assert_eq!(world.github.sent().len(), 1);
}

#[tokio::test]
async fn an_undecidable_dispatch_of_a_cancelled_run_is_taken_back_when_it_did_not_happen() {
    let world = World::start(config(), true, &["vpc"]).await;
    undecidable(&world).await;
    cancel(&world, false).await;
    command(&world, "resolve-1", resolve(Resolution::NotHappened)).await;
    world.wait_until("taken back", |state| state.dispatches.values().all(|it| it.is_withdrawn())).await;
    assert_eq!(world.github.sent().len(), 1);
}
