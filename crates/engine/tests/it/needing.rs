//! For what records are still needed.

use crate::world::{World, fold, graph::Graph};
use stackwave_domain::{Entry, Position};

const DAY: i64 = 24 * 3600;

/// What the records up to a position are needed for, now.
fn needs(world: &World, through: u64) -> Vec<String> {
    world.state.needs(Position(through), world.now).into_iter().map(|need| need.what).collect()
}

fn end(world: &World) -> u64 {
    world.state.position().0
}

#[test]
fn a_run_needs_its_records_until_35_days_after_it_ended() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    world.start("vpc");
    let (run, upload) = {
        let run = world.repository().runs.values().next().unwrap();
        (run.id.clone(), world.repository().uploads[&run.upload].first.position)
    };
    assert_eq!(needs(&world, end(&world)), [format!("the run {run} is not done")]);
    assert_eq!(needs(&world, upload.0 - 1), [""; 0], "what lies before its upload is not needed");
    world.finish_all();
    world.close(7);
    assert_eq!(needs(&world, end(&world)), [format!("the run {run} is kept for re-runs until 2026-12-29")]);
    world.pass(36 * DAY);
    assert_eq!(world.repository().runs.len(), 1, "no sweep came");
    assert_eq!(needs(&world, end(&world)), [""; 0]);
}

#[test]
fn an_upload_without_its_trigger_needs_its_record() {
    let mut world = World::new();
    world.upload("aaaaaaaaaa", &Graph::of("vpc"));
    assert_eq!(needs(&world, end(&world)), ["the upload of aaaaaaa waits for its trigger"]);
}

#[test]
fn an_open_claim_needs_its_record() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc"));
    world.settle();
    let is_claim = |entry: &Entry| entry.record.events.iter().any(|it| it.name() == "dispatch_claimed");
    let claim = world.log.iter().position(is_claim).unwrap();
    let state = fold(&world.log[..=claim]);
    let claims = |through: Position| {
        let needs = state.needs(through, world.now).into_iter();
        needs.filter(|need| need.what.starts_with("the claim of")).map(|need| need.from).collect::<Vec<_>>()
    };
    assert_eq!(claims(state.position()), [state.position()]);
    assert_eq!(claims(Position(state.position().0 - 1)), []);
}
