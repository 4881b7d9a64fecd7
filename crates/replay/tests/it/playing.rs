//! Forward, back, and to any moment.

use crate::{incident::incident, world::ACME};
use stackwave_domain::Position;
use stackwave_engine::{
    State,
    explain::{explain, explain_dispatch},
    view::run_view,
};
use stackwave_replay::{Depth, Moment, Player, Recording, Wanted, due_actions, read, write};

/// Everything that can be seen at every record.
fn seen(recording: &Recording) -> Vec<String> {
    let mut player = Player::new(recording).unwrap();
    (0..=player.entries().len())
        .map(|step| {
            player.seek(Moment::Step(step));
            let Some((state, run)) = player.repository().zip(player.run()) else { return String::new() };
            let causes: Vec<_> =
                (0..run.stacks.len()).map(|index| explain(state, run, index, player.now())).collect();
            let of_run = state.dispatches.values().filter(|it| it.run() == &run.id);
            let evidence: Vec<_> = of_run.map(|it| explain_dispatch(state, it)).collect();
            let due = due_actions(&player, Some("text"));
            format!("{:?}\n{causes:?}\n{evidence:?}\n{due:?}", run_view(state, run))
        })
        .collect()
}

#[tokio::test]
async fn an_exported_run_is_seen_on_another_machine_as_in_the_log_at_every_record() {
    let recording = incident().await.recording().await;
    for compressed in [false, true] {
        let mut file = Vec::new();
        write(&recording, &mut file, compressed).unwrap();
        let elsewhere = read(file.as_slice()).unwrap();
        assert_eq!(elsewhere, recording);
        assert!(seen(&elsewhere) == seen(&recording));
        let mut again = Vec::new();
        write(&elsewhere, &mut again, compressed).unwrap();
        assert!(again == file, "what was read is written byte for byte");
    }
}

#[tokio::test]
async fn a_moment_between_two_records_is_now_there() {
    let recording = incident().await.recording().await;
    let mut player = Player::new(&recording).unwrap();
    player.seek(Moment::Step(1));
    let first = player.now();
    assert_eq!(first, player.written());
    let later = player.entries().iter().map(|entry| entry.record.at).find(|at| *at > first).unwrap();
    let between = later - jiff::SignedDuration::from_millis(1);
    player.seek(Moment::Time(between));
    assert_eq!(player.now(), between);
    assert!(player.written() < later);
    // Nothing tells how long the last record stands.
    player.seek(Moment::Time("2999-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(player.now(), player.written());
    player.seek(Moment::Step(1));
    assert_eq!(player.now(), first);
}

#[tokio::test]
async fn a_step_back_gives_the_state_that_was_there_before() {
    let recording = incident().await.recording().await;
    let entries = recording.hydrated().unwrap();
    let mut states = vec![State::default()];
    for entry in &entries {
        let mut state = states.last().unwrap().clone();
        state.apply(entry);
        states.push(state);
    }
    let mut player = Player::new(&recording).unwrap();
    for step in (0..states.len()).rev() {
        player.seek(Moment::Step(step));
        assert!(player.repository() == states[step].repository(ACME), "step {step}");
    }
}

#[tokio::test]
async fn a_moment_is_found_by_position_and_by_time() {
    let recording = incident().await.recording().await;
    let mut player = Player::new(&recording).unwrap();
    let third = player.entries()[2].clone();
    player.seek(Moment::Position(third.position));
    assert_eq!(player.step(), 3);
    player.seek(Moment::Time(third.record.at));
    assert_eq!((player.step(), player.now()), (3, third.record.at));
    player.seek(Moment::Position(Position(0)));
    assert_eq!((player.step(), player.run().is_none()), (0, true));
    player.seek(Moment::End);
    assert_eq!(player.step(), player.entries().len());
}

#[tokio::test]
async fn near_a_run_shows_it_as_the_whole_log_does() {
    let world = incident().await;
    let run = Wanted::Run(world.run().id.clone());
    let near = world.collect(run.clone(), Depth::Near).await.unwrap();
    let whole = world.collect(run, Depth::Whole).await.unwrap();
    assert!(!near.about.cut, "all of a short log is near");
    let last = |recording: &Recording| seen(recording).pop().unwrap();
    assert_eq!(last(&near), last(&whole));
}
