//! What was decided is decided again.

use crate::{
    incident::incident,
    world::{ACME, World, graph},
};
use stackwave_domain::{Event, Position};
use stackwave_engine::ENGINE_VERSION;
use stackwave_replay::{Depth, Recording, Report, Wanted, read, verify, write};

/// Changes the first event that a closure takes.
fn change(recording: &mut Recording, change: impl Fn(&mut Event) -> bool) -> Position {
    for entry in &mut recording.entries {
        for event in &mut entry.record.events {
            if change(event) {
                return entry.position;
            }
        }
    }
    panic!("nothing to change");
}

fn difference(recording: &Recording) -> (Position, String) {
    let difference = verify(recording).unwrap().difference.expect("a difference");
    (difference.position, difference.what)
}

#[tokio::test]
async fn a_run_under_faults_is_decided_again_the_same_also_from_its_file() {
    let recording = incident().await.recording().await;
    let report = verify(&recording).unwrap();
    assert_eq!(report.difference, None);
    assert_eq!((report.other_versions, report.out_of_reach), (0, 0));
    assert!(report.decisions >= 10 && report.claims >= 10, "{report:?}");
    let mut file = Vec::new();
    write(&recording, &mut file, true).unwrap();
    assert_eq!(verify(&read(file.as_slice()).unwrap()).unwrap(), report);
}

#[tokio::test]
async fn another_decision_is_told_with_both() {
    let mut recording = incident().await.recording().await;
    let position = change(&mut recording, |event| match event {
        Event::StackReleased(released) if released.key.component.as_str() == "eks" => {
            released.key = crate::world::key("app");
            true
        }
        _ => false,
    });
    let difference = verify(&recording).unwrap().difference.unwrap();
    assert_eq!((difference.position, difference.what.as_str()), (position, "decision 1 is another one"));
    assert!(difference.recorded[0].contains("app") && difference.recomputed[0].contains("eks"));
}

#[tokio::test]
async fn a_decision_that_is_missing_or_was_not_due_is_told() {
    let mut recording = incident().await.recording().await;
    let ledger = |recording: &Recording| {
        recording
            .entries
            .iter()
            .position(|entry| entry.record.events.len() > 2 && entry.record.basis.is_some())
    };
    let index = ledger(&recording).unwrap();
    let position = recording.entries[index].position;
    let last = recording.entries[index].record.events.pop().unwrap();
    assert_eq!(difference(&recording), (position, "decision 3 was due and is missing".to_owned()));
    recording.entries[index].record.events.extend([last.clone(), last]);
    assert_eq!(difference(&recording), (position, "decision 4 was not due".to_owned()));
}

#[tokio::test]
async fn a_claim_that_was_not_due_is_told() {
    let mut recording = incident().await.recording().await;
    let position = change(&mut recording, |event| match event {
        Event::DispatchClaimed(claimed) => {
            claimed.workflow = "apply.yaml".into();
            true
        }
        _ => false,
    });
    assert_eq!(difference(&recording).0, position);
}

#[tokio::test]
async fn a_claim_for_another_commit_or_id_or_with_more_inputs_than_planned_is_told() {
    for (name, value) in [("sha", "fffffff"), ("atmos_pro_run_id", "swd_0"), ("target", "everything")] {
        let mut recording = incident().await.recording().await;
        let position = change(&mut recording, |event| match event {
            Event::DispatchClaimed(claimed) => {
                claimed.inputs.insert(name, value);
                true
            }
            _ => false,
        });
        let (told, what) = difference(&recording);
        assert_eq!(told, position, "{name}");
        assert!(what.ends_with("inputs than planned"), "{what}");
    }
}

#[tokio::test]
async fn decisions_of_another_version_are_left_alone() {
    let mut world = World::new().await;
    world.engine = ENGINE_VERSION + 1;
    world.pull(ACME, 7, "opened", "aaaaaaa").await;
    world.upload(ACME, "aaaaaaa", graph("vpc > eks")).await;
    let report = verify(&world.recording().await).unwrap();
    assert_eq!(report, Report { records: 4, other_versions: 2, ..Report::default() });
}

#[tokio::test]
async fn a_recording_that_was_cut_says_what_is_out_of_reach() {
    let world = incident().await;
    let mut recording = world.collect(Wanted::Run(world.run().id.clone()), Depth::Whole).await.unwrap();
    let opened = recording.entries.iter().rposition(|entry| entry.record.events[0].name() == "run_opened");
    recording.entries.drain(..opened.unwrap());
    assert!(verify(&recording).unwrap().out_of_reach > 0);
}
