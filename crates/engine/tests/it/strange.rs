//! Logs that our rules would never write: nothing panics, nothing is lost, and what is wrong is said.

use crate::world::{
    Delivery, REPOSITORY, World,
    github::{Reply, Titles},
    graph::{Graph, key},
};
use stackwave_domain::{
    Event, Position, RunId,
    event::{DispatchAccepted, RunEnded, RunOutcome, StackReleased, StackSkipped},
    plan::SkipReason,
};
use stackwave_engine::{check::Violation, due, state::Class};

fn planned() -> World {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app; bad").input("bad", "x", "{{ .vars.x }}"));
    world
}

fn release(world: &World, stack: &str, attempt: u32) -> Event {
    StackReleased { run: world.run("opened").id.clone(), key: key(stack), attempt }.into()
}

/// Folds events that somebody put on the ledger, and says how the last was taken.
fn ledger(world: &mut World, events: Vec<Event>) -> Class {
    world.allow_violations = true;
    let before = world.state.clone();
    world.append_ledger("somebody", events);
    let mut again = before;
    again.apply(world.log.last().unwrap()).pop().unwrap()
}

#[test]
fn an_event_of_a_newer_version_halts_its_repository_only() {
    let mut world = planned();
    ledger(&mut world, vec![Event::Unknown { name: "stack_paused".to_owned(), json: "{}".to_owned() }]);
    let position = world.log.len();
    assert_eq!(
        world.repository().halted,
        Some(format!(
            "the record at {position} holds the event `stack_paused`, which this version does not know"
        ))
    );
    world.finish("vpc");
    world.assert_dispatched("plan:vpc");
    assert_eq!(world.log.len(), position + 1, "nothing but the webhook was recorded");
    assert!(due::due_dispatches(world.repository(), 10).is_empty());
    // Another repository goes on.
    let mut entry = world.log[0].clone();
    entry.position = Position(entry.position.0 + 1_000);
    entry.subject = "sw.00.43.obs.github.pull_request".parse().unwrap();
    world.state.apply(&entry);
    let other = world.state.repositories().find(|repository| repository.id != REPOSITORY).unwrap();
    assert_eq!(other.halted, None);
}

#[test]
fn a_release_before_its_parents_stands_and_is_noted() {
    let mut world = planned();
    let early = release(&world, "app", 1);
    assert_eq!(ledger(&mut world, vec![early]), Class::Applied);
    world.settle();
    world.assert_dispatched("plan:vpc plan:app");
    let violations = world.repository().check().unwrap_err();
    assert!(
        matches!(&violations[..], [Violation::Logged { what, .. }] if what == "app/dev was released before its parents had succeeded"),
        "{violations:?}"
    );
}

#[test]
fn a_release_that_did_not_know_of_a_re_run_is_no_violation() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    world.start("vpc");
    let event = {
        // The decision is on its way while the parent is run again.
        let mut ahead = World::new();
        ahead.open_pull(7, "aaa");
        ahead.upload("aaa", &Graph::of("vpc > app"));
        ahead.finish("vpc");
        release(&ahead, "app", 1)
    };
    let known = world.log.len() as u64;
    world.claims_at_once = 0;
    world.fail("vpc");
    let mut entry = world.log.last().unwrap().clone();
    entry.position = entry.position.next();
    entry.subject = "sw.00.42.ledger".parse().unwrap();
    entry.record.events = vec![event];
    entry.record.cause = Some(Position(known));
    world.state.apply(&entry);
    assert_eq!(world.repository().check(), Ok(()));
}

#[test]
fn what_cannot_follow_is_impossible_and_changes_nothing() {
    let mut world = planned();
    let unknown_run = StackReleased { run: RunId::new("nowhere"), key: key("vpc"), attempt: 1 }.into();
    let unknown_stack = release(&world, "nothing", 1);
    let refused = release(&world, "bad", 1);
    let unknown_dispatch =
        DispatchAccepted { dispatch: "swd_x".into(), epoch: 1, workflow_run: None, html_url: None }.into();
    for event in [unknown_run, unknown_stack, refused, unknown_dispatch] {
        let before = world.repository().runs.clone();
        let class = ledger(&mut world, vec![event]);
        assert!(matches!(class, Class::Impossible(_)), "{class:?}");
        assert_eq!(world.repository().runs, before);
    }
}

#[test]
fn what_is_told_twice_is_known() {
    let mut world = planned();
    world.finish_all();
    let again: Vec<Event> = world.log.iter().flat_map(|entry| entry.record.events.clone()).collect();
    let before = world.outcome();
    for event in again {
        ledger(&mut world, vec![event]);
    }
    assert_eq!(world.outcome(), before);
}

#[test]
fn late_news_of_an_earlier_attempt_does_not_touch_the_newer_one() {
    let mut world = planned();
    world.fail("vpc");
    world.claims_at_once = 0;
    let retry = release(&world, "vpc", 2);
    ledger(&mut world, vec![retry]);
    let failed = world.log.iter().find(|entry| {
        entry
            .record
            .events
            .iter()
            .any(|event| matches!(event, Event::WorkflowRunObserved(run) if run.conclusion.is_some()))
    });
    let failed = failed.unwrap().record.events.clone();
    ledger(&mut world, failed);
    assert_eq!(world.status("opened", "vpc"), stackwave_engine::view::Status::Released);
    world.claims_at_once = 100;
    world.settle();
    world.assert_dispatched("plan:vpc plan:vpc");
    world.finish_all();
    world.assert_dispatched("plan:vpc plan:vpc plan:app");
}

#[test]
fn an_end_or_a_skip_that_comes_late_takes_nothing_back() {
    let mut world = planned();
    let run = world.run("opened").id.clone();
    let skip = StackSkipped { run: run.clone(), key: key("vpc"), reason: SkipReason::Disabled };
    assert_eq!(ledger(&mut world, vec![skip.into()]), Class::Known);
    let end = RunEnded { run, outcome: RunOutcome::Succeeded };
    assert_eq!(ledger(&mut world, vec![end.clone().into()]), Class::Applied);
    assert_eq!(ledger(&mut world, vec![end.into()]), Class::Known);
    world.finish("vpc");
    world.assert_dispatched("plan:vpc");
}

#[test]
fn a_run_of_another_app_is_not_taken_for_ours_once_ours_is_known() {
    let mut world = World::new();
    world.github.titles = Titles::Alike;
    world.declares = Some(std::collections::BTreeSet::new());
    world.github.replies.insert("app".to_owned(), [Reply::LoseRequest].into());
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    assert_eq!(world.repository().our_actor.as_deref(), Some("stackwave[bot]"));
    world.delivery = Delivery::Held;
    world.finish("vpc");
    world.delivery = Delivery::Now;
    world.deliver_webhooks();
    world.somebody_starts("renovate[bot]");
    world.settle();
    world.assert_dispatched("plan:vpc plan:app");
    world.finish_all();
    assert_eq!(world.runs(), "opened succeeded");
}
