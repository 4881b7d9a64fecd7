//! Lists while the log grows, and over restarts.

use crate::{
    history::STREAM,
    world::{HISTORY, Process, World},
};
use stackwave_domain::RunId;
use stackwave_engine::{State, view::RunPhase};
use stackwave_event_log::MAX_BATCH;
use stackwave_read_model::{Page, PageRequest, Place, ReadError, ReadModel, RunsQuery, TokenError};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_what_the_log_tells() {
    let world = World::new();
    let process = world.start(&world.path("model.db")).await;
    let last = world.append_all().await;
    let lists = process.lists_at(last).await;
    assert_eq!(lists.runs.len() as u64, HISTORY.runs());
    let running = lists.runs.iter().filter(|run| run.status == RunPhase::Running).count();
    assert_eq!(running as u64, HISTORY.active);
    let life = HISTORY.life(17);
    let run = process.model.find_run(life.run.clone()).await.unwrap().unwrap();
    assert_eq!((run.id, run.head_sha), (life.run, life.head_sha));
    assert_eq!(process.model.find_run(RunId::new("no-such-run")).await.unwrap(), None);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_which_nothing_is_there_is_built_only_once_all_the_past_is_in_it() {
    let world = World::new();
    world.append_all().await;
    let expected = world.expected().await;
    for attempt in 0..5 {
        let process = world.start(&world.path(&format!("model-{attempt}.db"))).await;
        process.is_built().await;
        assert_eq!(process.lists().await, expected);
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_shift_nor_repeat_while_runs_are_added() {
    let world = World::new();
    let process = world.start(&world.path("model.db")).await;
    let first = world.append(200).await;
    process.lists_at(first).await;
    let ask = |token: String| process.model.runs(RunsQuery::default(), PageRequest { size: 5, token });
    let before: Vec<RunId> = process.lists().await.runs.into_iter().map(|run| run.id).collect();
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let Page { rows, next } = ask(token).await.unwrap();
        seen.extend(rows.into_iter().map(|run| run.id));
        let last = world.append(30).await;
        process.model.wait_for(STREAM, last).await;
        match next {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(seen, before);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_belongs_to_its_filters() {
    let world = World::new();
    let process = world.start(&world.path("model.db")).await;
    let last = world.append(200).await;
    process.lists_at(last).await;
    let page = |token: String| PageRequest { size: 5, token };
    let token = process.model.runs(RunsQuery::default(), page(String::new())).await.unwrap().next.unwrap();
    let other = RunsQuery { status: Some(RunPhase::Running), ..RunsQuery::default() };
    let refused = process.model.runs(other, page(token)).await;
    assert!(matches!(refused, Err(ReadError::Token(TokenError::OtherFilters))), "{refused:?}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_the_file_is() {
    let world = World::new();
    let file = world.path("model.db");
    for records in [0, 150, 1, 200, 400] {
        let process = world.start(&file).await;
        let last = world.append(records).await;
        process.lists_at(last).await;
        process.stop().await;
        // What comes while nobody looks.
        world.append(37).await;
    }
    let process = world.start(&file).await;
    let last = world.append_all().await;
    assert_eq!(process.lists_at(last).await, world.expected().await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_nothing() {
    let world = World::new();
    let file = world.path("model.db");
    let process = world.start(&file).await;
    for moment in 0..6 {
        let last = world.append(90).await;
        process.model.wait_for(STREAM, last).await;
        // What a kill leaves behind: the file and its write-ahead log as they are, while the writer goes on.
        world.append(20).await;
        for end in ["", "-wal"] {
            let name = format!("killed-{moment}.db{end}");
            std::fs::copy(world.path(&format!("model.db{end}")), world.path(&name)).unwrap();
        }
    }
    let last = world.append_all().await;
    let lists = process.lists_at(last).await;
    process.stop().await;
    for moment in 0..6 {
        let again = world.start(&world.path(&format!("killed-{moment}.db"))).await;
        assert_eq!(again.lists_at(last).await, lists, "killed at moment {moment}");
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_newer_than_the_file_hides_nothing() {
    let world = World::new();
    let file = world.path("model.db");
    let process = world.start(&file).await;
    let last = world.append(300).await;
    process.lists_at(last).await;
    process.stop().await;

    let last = world.append(200).await;
    let mut state = State::default();
    while state.position() < last {
        for entry in world.log.read(STREAM, state.position().next(), MAX_BATCH).await.unwrap() {
            state.apply(&entry);
        }
    }
    let core = crate::world::core(world.log.clone()).await;
    let model = ReadModel::open(&core, &Place::File(file)).await.unwrap();
    let mut observer = model.observer().unwrap();
    observer.started_from(STREAM, last, &state);
    observer.caught_up(STREAM, &state);
    let process = Process { core, model, partition: tokio::spawn(async {}) };
    assert_eq!(process.lists_at(last).await, world.expected().await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_off_says_so() {
    let world = World::new();
    let core = crate::world::core(world.log.clone()).await;
    let model = ReadModel::open(&core, &Place::Off).await.unwrap();
    assert!(model.observer().is_none());
    let page = PageRequest { size: 1, token: String::new() };
    assert!(matches!(model.runs(RunsQuery::default(), page).await, Err(ReadError::Off)));
}
