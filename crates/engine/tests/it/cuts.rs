//! A scenario with the process killed at every record: it starts again, folds, goes on, and comes to the same end with
//! the same dispatches.

use crate::{
    snapshots,
    world::{Cut, World},
};

pub(crate) fn cut_at_every_record(scenario: fn(&mut World)) {
    let mut whole = World::new();
    scenario(&mut whole);
    let outcome = whole.outcome();
    snapshots::taken_at_every_record(&whole.log);
    for number in whole.cut_from + 1..=whole.log.len() {
        for cut in [Cut::After(number), Cut::Before(number)] {
            eprintln!("{cut:?}: {}", events(&whole, number));
            let mut world = World::new();
            world.cut = Some(cut);
            scenario(&mut world);
            world.end();
            assert_eq!(world.outcome(), outcome);
        }
    }
}

fn events(world: &World, number: usize) -> String {
    let names: Vec<&str> = world.log[number - 1].record.events.iter().map(|event| event.name()).collect();
    names.join(", ")
}
