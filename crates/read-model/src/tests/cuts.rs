//! Stands in for the engine's own: a scenario's log is projected, and after every record the lists say what the state
//! says. However the log is cut into batches and restarts, they come to say the same.

use crate::{
    project::Projector,
    tests::{
        compare::{Lists, compare},
        model::{Model, STREAM},
    },
    world::World,
};
use stackwave_engine::State;

pub(crate) fn cut_at_every_record(scenario: fn(&mut World)) {
    let mut world = World::new();
    scenario(&mut world);
    let log = &world.log;

    let mut each = Model::new();
    let mut state = State::default();
    let mut projector = Projector::new(STREAM, &state);
    for entry in log {
        state.apply(entry);
        let changes = projector.project(&state, std::iter::once(entry));
        each.write(&changes);
        compare(&each, &state);
    }
    let lists = Lists::of(&each);
    for (batch, restarts) in [(log.len().max(1), false), (3, false), (5, true), (1, true)] {
        let mut model = Model::new();
        model.project(log, batch, restarts);
        assert_eq!(Lists::of(&model), lists, "in batches of {batch}");
    }
    live_and_catch_up_may_come_in_any_order(&world, &lists);
}

/// The live loop began in the middle, and what came before is projected afterwards.
fn live_and_catch_up_may_come_in_any_order(world: &World, lists: &Lists) {
    let (before, after) = world.log.split_at(world.log.len() / 2);
    let mut model = Model::new();
    let mut state = State::default();
    let mut early = Vec::new();
    let mut projector = Projector::new(STREAM, &state);
    for batch in before.chunks(4) {
        batch.iter().for_each(|entry| drop(state.apply(entry)));
        early.push(projector.project(&state, batch.iter()));
    }
    let mut live = Projector::new(STREAM, &state);
    for batch in after.chunks(4) {
        batch.iter().for_each(|entry| drop(state.apply(entry)));
        model.write(&live.project(&state, batch.iter()));
    }
    early.iter().for_each(|changes| model.write(changes));
    assert_eq!(Lists::of(&model), *lists, "the catch-up came last");
}
