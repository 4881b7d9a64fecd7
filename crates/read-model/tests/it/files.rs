//! The file: built anew, of another version, of another log, damaged, taken.

use crate::{history::STREAM, world::World};
use std::path::Path;

fn files(folder: &Path, start: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(start) && !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_built_anew_says_the_same_and_takes_over() {
    let world = World::new();
    let process = world.start(&world.path("model.db")).await;
    let last = world.append(300).await;
    let before = process.lists_at(last).await;
    assert!(process.model.rebuild().await.unwrap().building);
    // The old one answers meanwhile, and the live loop goes on with both.
    assert_eq!(process.lists().await, before);
    let last = world.append_all().await;
    let lists = process.lists_at(last).await;
    assert_eq!(lists, world.expected().await);
    process.stop().await;
    assert_eq!(files(world.folder.path(), "model.db"), ["model.db.g1", "model.db.lock"]);
    // The next process finds it.
    let again = world.start(&world.path("model.db")).await;
    assert!(!again.model.status().await.unwrap().building);
    assert_eq!(again.lists_at(last).await, lists);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_version_or_a_damaged_one_is_built_anew() {
    let world = World::new();
    let last = world.append_all().await;
    let expected = world.expected().await;
    let other = world.path("other.db");
    rusqlite::Connection::open(&other).unwrap().pragma_update(None, "user_version", 999).unwrap();
    std::fs::write(world.path("damaged.db"), "no database at all, but long enough to be looked at").unwrap();
    for name in ["other.db", "damaged.db"] {
        let process = world.start(&world.path(name)).await;
        assert_eq!(process.lists_at(last).await, expected, "{name}");
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_log_is_built_anew() {
    let one = World::new();
    let file = one.path("model.db");
    let process = one.start(&file).await;
    let last = one.append(100).await;
    process.lists_at(last).await;
    process.stop().await;

    let other = World::new();
    other.append(1).await;
    let skipped = other.append(0).await;
    assert!(skipped < last);
    let process = other.start(&file).await;
    let last = other.append_all().await;
    assert_eq!(process.lists_at(last).await, other.expected().await);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_takes_the_neighbour() {
    let world = World::new();
    let last = world.append_all().await;
    let file = world.path("model.db");
    let (one, other) = (world.start(&file).await, world.start(&file).await);
    assert_eq!(one.lists_at(last).await, other.lists_at(last).await);
    assert_eq!(files(world.folder.path(), "model.2.db"), ["model.2.db", "model.2.db.lock"]);
    one.stop().await;
    other.stop().await;
    assert_eq!(world.log.last_position(STREAM).await.unwrap(), last);
}
