//! How long it still takes, and along which path.

use crate::world::{
    World,
    github::later,
    graph::{Graph, key},
};
use stackwave_engine::{
    forecast::{Forecast, RestsOn, forecast, of_plan, sentence},
    state::Run,
};

/// A stack runs for so long and succeeds.
fn run_for(world: &mut World, stack: &str, seconds: i64) {
    world.start(stack);
    world.now = later(world.now, seconds);
    world.finish(stack);
}

fn expected(world: &World, activity: &str) -> Forecast {
    forecast(world.repository(), world.run(activity), world.now).unwrap()
}

fn path(run: &Run, forecast: &Forecast) -> Vec<String> {
    forecast.critical_path.iter().map(|index| run.key(*index).component.to_string()).collect()
}

fn of(graph: &str) -> World {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of(graph));
    world
}

/// One run of `dns` (1 min), `vpc` (1 min queued and 9 min long) and `eks` (20 min), and a second one that has begun.
fn second() -> World {
    let mut world = of("vpc > eks; dns > eks");
    run_for(&mut world, "dns", 60);
    run_for(&mut world, "vpc", 540);
    run_for(&mut world, "eks", 1_200);
    world.push(7, "bbb");
    world.upload("bbb", &Graph::of("vpc > eks; dns > eks"));
    world
}

#[test]
fn a_first_run_tells_its_critical_path_and_no_time() {
    let world = of("vpc > eks > app; dns > app");
    let run = world.run("opened");
    let forecast = expected(&world, "opened");
    assert_eq!(path(run, &forecast), ["vpc", "eks", "app"]);
    assert_eq!((forecast.finish, forecast.open), (None, 4));
    assert_eq!(forecast.rests_on, RestsOn { stack: 0, others: 0, nothing: 4 });
    assert_eq!(sentence(run, &forecast), "4 stacks left, critical path vpc/dev → eks/dev → app/dev");
}

#[test]
fn a_first_run_learns_from_the_stacks_that_have_ended_in_it() {
    let mut world = of("vpc > eks > app");
    run_for(&mut world, "vpc", 300);
    let forecast = expected(&world, "opened");
    // Both that are left are taken for stacks like vpc.
    let left = forecast.left(world.now).unwrap().as_secs();
    assert!((600..=610).contains(&left), "{left}");
    assert_eq!(forecast.rests_on.others, 2);
}

#[test]
fn a_second_run_expects_what_the_first_took_along_its_longest_path() {
    let world = second();
    let run = world.run("synchronize");
    let forecast = expected(&world, "synchronize");
    assert_eq!(path(run, &forecast), ["vpc", "eks"]);
    let left = forecast.left(world.now).unwrap().as_secs();
    assert!((1_795..=1_810).contains(&left), "{left}");
    assert_eq!(forecast.rests_on, RestsOn { stack: 3, others: 0, nothing: 0 });
    assert_eq!(sentence(run, &forecast), "≈ 30 min left, critical path vpc/dev → eks/dev");
}

#[test]
fn what_has_run_already_is_taken_off_and_a_stack_beyond_its_usual_time_is_late() {
    let mut world = second();
    world.start("vpc");
    world.now = later(world.now, 240);
    let halfway = expected(&world, "synchronize");
    let left = halfway.left(world.now).unwrap().as_secs();
    assert!((1_495..=1_505).contains(&left), "{left}");
    assert!(!halfway.late);
    world.now = later(world.now, 1_200);
    let forecast = expected(&world, "synchronize");
    assert!(forecast.late);
    let run = world.run("synchronize");
    assert!(sentence(run, &forecast).contains("(a stack takes longer than usual)"));
}

#[test]
fn below_a_failure_nothing_is_expected() {
    let mut world = second();
    world.fail("vpc");
    let run = world.run("synchronize");
    assert_eq!(path(run, &expected(&world, "synchronize")), ["dns"]);
    world.finish("dns");
    assert_eq!(forecast(world.repository(), world.run("synchronize"), world.now), None);
}

#[test]
fn what_is_said_of_a_run_does_not_change_because_another_one_ended_or_time_passed() {
    let mut world = second();
    let view = |world: &World| {
        let repository = world.repository();
        stackwave_engine::view::run_view(repository, world.run("synchronize")).forecast
    };
    let before = view(&world);
    assert!(before.is_some());
    world.open_pull(8, "ccc");
    world.upload("ccc", &Graph::of("vpc"));
    run_for(&mut world, "vpc", 5_000);
    assert_eq!(view(&world), before);
}

#[test]
fn plans_and_changes_have_a_past_of_their_own() {
    let world = second();
    let plan = &world.run("synchronize").plan;
    let past = &world.repository().past;
    let planned = of_plan(plan, false, Some(past)).unwrap();
    assert_eq!(planned.critical_path, [plan_index(plan, "vpc"), plan_index(plan, "eks")]);
    assert!(planned.takes.is_some());
    let changed = of_plan(plan, true, Some(past)).unwrap();
    assert_eq!((changed.takes, changed.rests_on.nothing), (None, 3));
    assert_eq!(of_plan(plan, true, None), Some(changed));
}

fn plan_index(plan: &stackwave_domain::RunPlan, stack: &str) -> usize {
    plan.stacks.iter().position(|planned| planned.key == key(stack)).unwrap()
}
