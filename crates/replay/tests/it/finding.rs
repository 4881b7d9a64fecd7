//! A run is found whichever repository it is in, and a long past becomes a state.

use crate::{
    incident::incident,
    world::{ACME, OTHER, STREAM, World, graph},
};
use futures::future::join_all;
use stackwave_domain::{
    Event, PrNumber, RunId, Subject, event::PushObserved, event::Source, workflow::Conclusion,
};
use stackwave_event_log::Append;
use stackwave_replay::{CollectError, Depth, Moment, Player, Wanted, find_run, runs_that_begin_with, verify};

/// Many records of no importance.
async fn noise(world: &mut World, count: u64) {
    let push = PushObserved {
        source: Source::Webhook { delivery: "noise".into() },
        git_ref: "main".into(),
        before: "a".into(),
        after: "b".into(),
    };
    let now = world.now;
    let appends = (0..count).map(|number| {
        let id = stackwave_domain::RecordId::new(format!("noise-{number}"));
        let record = stackwave_domain::Record::new(id, now, "test", vec![Event::from(push.clone())]);
        world.log.append(Append::any(Subject::github(STREAM, ACME, "push"), record))
    });
    for appended in join_all(appends).await {
        appended.unwrap();
    }
    // The world's own state goes on where the log does.
    world.refold().await;
}

#[tokio::test]
async fn a_run_is_found_by_its_comment_and_without_one() {
    let mut world = incident().await;
    for _ in 0..2 {
        let run = world.run().id.clone();
        let found = find_run(&world.log, &world.config, None, &run).await.unwrap().unwrap();
        assert_eq!((found.repository, found.position), (ACME, world.run().opened.1));
        assert_eq!(find_run(&world.log, &world.config, Some(OTHER), &run).await.unwrap(), None);
        // Nobody commented on this one.
        world.pull(ACME, 8, "opened", "ddddddd").await;
        world.upload(ACME, "ddddddd", graph("vpc")).await;
    }
    let nothing = find_run(&world.log, &world.config, None, &RunId::new("pr7-opened-x-y")).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn runs_are_found_by_how_their_ids_begin() {
    let world = incident().await;
    let run = world.run().id.clone();
    let find = async |text: &str| runs_that_begin_with(&world.log, &world.config, None, text).await.unwrap();
    assert!(find("pr7-").await.contains(&run));
    assert_eq!(find(run.as_str()).await, std::slice::from_ref(&run));
    assert!(find("pr70").await.is_empty());
    assert!(runs_that_begin_with(&world.log, &world.config, Some(OTHER), "pr7").await.unwrap().is_empty());
}

#[tokio::test]
async fn of_a_short_log_the_same_is_shown_as_of_its_file() {
    let world = incident().await;
    let run = world.run().id.clone();
    let shown = world.collect(Wanted::Run(run.clone()), Depth::Near).await.unwrap();
    assert_eq!(shown, world.collect(Wanted::Run(run), Depth::Whole).await.unwrap());
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let world = incident().await;
    let error = world.collect(Wanted::Run(RunId::new("none")), Depth::Near).await.unwrap_err();
    assert_eq!(error.to_string(), "the event log has no run `none`");
    let error = world.collect(Wanted::Pull(PrNumber(99)), Depth::Whole).await.unwrap_err();
    assert!(matches!(error, CollectError::NoPull { .. }), "{error}");
}

#[tokio::test]
async fn a_pull_request_and_a_repository_can_be_collected() {
    let world = incident().await;
    let pull = world.collect(Wanted::Pull(PrNumber(7)), Depth::Whole).await.unwrap();
    let all = world.collect(Wanted::Repository, Depth::Whole).await.unwrap();
    assert_eq!(pull.about.pull_request, Some(PrNumber(7)));
    for recording in [pull, all] {
        assert_eq!(Player::new(&recording).unwrap().run().unwrap().id, world.run().id);
        assert_eq!(verify(&recording).unwrap().difference, None);
    }
}

#[tokio::test]
async fn a_long_past_stands_in_a_recording_as_a_state() {
    let mut world = World::new().await;
    world.pull(ACME, 1, "opened", "1111111").await;
    world.upload(ACME, "1111111", graph("vpc")).await;
    world.dispatch().await;
    world.run_for("vpc", 120, Conclusion::Success).await;
    noise(&mut world, 5_200).await;
    world.pull(ACME, 2, "opened", "2222222").await;
    world.upload(ACME, "2222222", graph("vpc > eks")).await;
    world.dispatch().await;
    world.run_for("vpc", 130, Conclusion::Success).await;
    let run = world.run().id.clone();
    let whole = world.recording().await;
    assert!(whole.base.is_some() && whole.entries.len() < 50 && !whole.about.cut);
    let report = verify(&whole).unwrap();
    assert_eq!((report.difference, report.out_of_reach), (None, 0));
    // The past is known: the first run's duration is.
    let mut player = Player::new(&whole).unwrap();
    let run_there = player.run().unwrap();
    assert!(run_there.estimates.iter().all(Option::is_some));
    player.seek(Moment::Step(0));
    assert_eq!(player.repository().unwrap().runs.len(), 1);
    let mut file = Vec::new();
    stackwave_replay::write(&whole, &mut file, false).unwrap();
    assert_eq!(stackwave_replay::read(file.as_slice()).unwrap(), whole);
    // Near the run there is no past, and that is said.
    let near = world.collect(Wanted::Run(run), Depth::Near).await.unwrap();
    assert!(near.base.is_none() && near.about.cut && near.entries.len() < 2_500);
}

#[tokio::test]
async fn a_run_before_the_checkpoint_whose_records_were_not_purged_is_collected_with_them() {
    let mut world = incident().await;
    let run = world.run().id.clone();
    let before = world.collect(Wanted::Run(run.clone()), Depth::Whole).await.unwrap();
    // What is gone lies before everything that tells of the run.
    let first = world.run().opened.1;
    world.checkpoint_and_purge_through(stackwave_domain::Position(first.0 - 3)).await;
    let after = world.recording().await;
    assert!(after.about.cut && after.base.is_none() && after.about.from.0 == first.0 - 2);
    assert_eq!(after.about.to, before.about.to);
    assert_eq!(Player::new(&after).unwrap().run().unwrap().id, run);
    let report = verify(&after).unwrap();
    assert_eq!(report.difference, None);
    for wanted in [Wanted::Pull(PrNumber(7)), Wanted::Repository] {
        let recording = world.collect(wanted, Depth::Whole).await.unwrap();
        assert_eq!(Player::new(&recording).unwrap().run().unwrap().id, run);
    }
}

#[tokio::test]
async fn a_run_of_which_only_a_checkpoint_knows_is_collected_as_its_state() {
    let mut world = incident().await;
    let run = world.run().id.clone();
    // The opening of the newest run may be the last of its subject, and stay; that of the first one is gone.
    let first = world.repository().runs.values().min_by_key(|run| run.opened.1).unwrap().id.clone();
    let checkpoint = world.checkpoint_and_purge().await;
    for (run, depth) in [(&run, Depth::Whole), (&first, Depth::Whole), (&first, Depth::Near)] {
        let recording = world.collect(Wanted::Run(run.clone()), depth).await.unwrap();
        assert!(recording.base.is_some() && !recording.about.cut, "{:?}", recording.about);
        assert_eq!((recording.about.run.as_ref(), recording.about.from), (Some(run), checkpoint));
        assert_eq!(recording.about.pull_request, Some(PrNumber(7)));
        assert_eq!(Player::new(&recording).unwrap().run().unwrap().id, *run);
        assert_eq!(verify(&recording).unwrap().difference, None);
        let mut file = Vec::new();
        stackwave_replay::write(&recording, &mut file, false).unwrap();
        assert_eq!(stackwave_replay::read(file.as_slice()).unwrap(), recording);
    }
    let error = world.collect(Wanted::Run(RunId::new("none")), Depth::Whole).await.unwrap_err();
    assert_eq!(error.to_string(), "the event log has no run `none`");
}
