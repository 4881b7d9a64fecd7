//! A state written to bytes and read back is the same state, and goes on in the same way.

use crate::world::{World, fold, graph::Graph, restored};
use stackwave_domain::Entry;
use stackwave_engine::{Config, SNAPSHOT_VERSION, State, state::SnapshotError};

/// Takes a snapshot after every record of a log and reads it back; then folds the rest: the same bytes at the end. In a
/// long log the rest is folded after some of them only.
pub(crate) fn taken_at_every_record(log: &[Entry]) {
    const FOLDED_ON: usize = 40;
    let end = fold(log).to_snapshot().unwrap();
    let mut state = State::default();
    for (number, entry) in log.iter().enumerate() {
        let mut copy = restored(&state);
        if number.is_multiple_of(log.len().div_ceil(FOLDED_ON)) {
            for entry in &log[number..] {
                copy.apply(entry);
            }
            assert!(copy.to_snapshot().unwrap() == end, "a snapshot before record {} differs", number + 1);
        }
        state.apply(entry);
    }
}

fn some_state() -> State {
    let mut world = World::new();
    world.open_pull(7, "aaaa");
    world.upload("aaaa", &Graph::of("vpc/dev > eks/dev"));
    world.settle();
    world.state
}

#[test]
fn an_empty_state_reads_back() {
    assert_eq!(restored(&State::default()), State::default());
    let config = Config::default();
    assert_eq!(Config::from_snapshot(&config.to_snapshot().unwrap()), Ok(config));
}

#[test]
fn the_configuration_reads_back() {
    let config = World::new().config;
    assert_eq!(Config::from_snapshot(&config.to_snapshot().unwrap()), Ok(config));
}

#[test]
fn a_snapshot_of_another_version_is_folded_anew_and_a_checkpoint_of_it_is_read() {
    let state = some_state();
    let mut bytes = state.to_snapshot().unwrap();
    bytes[4..8].copy_from_slice(&1u32.to_be_bytes());
    bytes[8..12].copy_from_slice(&(SNAPSHOT_VERSION + 1).to_be_bytes());
    assert_eq!(State::from_snapshot(&bytes), Err(SnapshotError::Version(SNAPSHOT_VERSION + 1)));
    assert_eq!(State::from_checkpoint(&bytes), Ok(state));
}

#[test]
fn a_later_format_foreign_bytes_and_damage_are_told_apart() {
    let bytes = some_state().to_snapshot().unwrap();
    let mut later = bytes.clone();
    later[4..8].copy_from_slice(&9u32.to_be_bytes());
    assert_eq!(State::from_snapshot(&later), Err(SnapshotError::Format(9)));
    assert_eq!(State::from_snapshot(b"something else"), Err(SnapshotError::Foreign));
    assert_eq!(Config::from_snapshot(&bytes), Err(SnapshotError::Foreign));
    for cut in [5, 20, bytes.len() / 2, bytes.len() - 1] {
        assert!(State::from_snapshot(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    assert!(matches!(State::from_snapshot(&flipped), Err(SnapshotError::Damaged(_))));
    let longer = [bytes.as_slice(), b"more"].concat();
    assert!(matches!(State::from_snapshot(&longer), Err(SnapshotError::Damaged(_))));
}
