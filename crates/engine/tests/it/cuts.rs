//! Every scenario, with the process killed at every record: it starts again, folds, goes on, and comes to the same end
//! with the same dispatches.

use crate::{
    scenarios,
    world::{Cut, World},
};

#[test]
fn a_process_that_dies_at_any_record_comes_to_the_same_end() {
    for (name, scenario) in scenarios::all() {
        let mut whole = World::new();
        scenario(&mut whole);
        let outcome = whole.outcome();
        for number in 1..=whole.log.len() {
            for cut in [Cut::After(number), Cut::Before(number)] {
                let mut world = World::new();
                world.cut = Some(cut);
                let told = format!("{name}, cut {cut:?} ({})", events(&whole, number));
                eprintln!("{told}");
                scenario(&mut world);
                world.end();
                assert_eq!(world.outcome(), outcome, "{told}");
            }
        }
    }
}

fn events(world: &World, number: usize) -> String {
    let names: Vec<&str> = world.log[number - 1].record.events.iter().map(|event| event.name()).collect();
    names.join(", ")
}
