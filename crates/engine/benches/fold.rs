//! How fast a log is folded: `cargo bench -p stackwave-engine`.
//!
//! The log is that of ten repositories, whose pull requests are each planned, merged and applied with sixty stacks in
//! several waves, with every webhook that GitHub sends for them.

#![expect(clippy::print_stdout, reason = "a benchmark tells its numbers")]
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/it/world/mod.rs"]
mod world;

use stackwave_domain::{Entry, Position, codec};
use stackwave_engine::State;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use world::{World, graph::Graph};

const REPOSITORIES: u64 = 10;
const PULL_REQUESTS: u64 = 25;
const ROUNDS: usize = 5;

fn main() {
    let log = log();
    let encoded: Vec<Vec<u8>> = log.iter().map(|entry| codec::encode(&entry.record).unwrap()).collect();
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    let events: usize = log.iter().map(|entry| entry.record.events.len()).sum();
    println!("{} records, {events} events, {} bytes a record", log.len(), bytes / log.len());

    let apply = best(|| {
        let mut state = State::default();
        for entry in &log {
            state.apply(entry);
        }
        state
    });
    tell("apply", log.len(), apply);
    let both = best(|| {
        let mut state = State::default();
        for (entry, bytes) in log.iter().zip(&encoded) {
            let record = codec::decode(bytes).unwrap();
            state.apply(&Entry { position: entry.position, subject: entry.subject.clone(), record });
        }
        state
    });
    tell("decode and apply", log.len(), both);
    snapshots(&log);
}

/// How long a state takes to be copied, written and read, and how large it is.
fn snapshots(log: &[Entry]) {
    let mut state = State::default();
    for entry in log {
        state.apply(entry);
    }
    let stacks: usize =
        state.repositories().flat_map(|it| it.runs.values()).map(|run| run.stacks.len()).sum();
    let bytes = state.to_snapshot().unwrap();
    println!(
        "{stacks} stacks in a state of {} KiB, {} bytes a stack",
        bytes.len() / 1024,
        bytes.len() / stacks
    );
    println!("copy: {:?}", best(|| state.clone()));
    println!(
        "write: {:?}",
        best(|| {
            black_box(state.to_snapshot().unwrap());
            State::default()
        })
    );
    println!("read: {:?}", best(|| State::from_snapshot(&bytes).unwrap()));
    let before = resident();
    let read = State::from_snapshot(&bytes).unwrap();
    let whole = resident();
    let copy = read.clone();
    println!(
        "in memory: {} bytes a stack, {} more for a copy",
        whole.saturating_sub(before) / stacks,
        resident().saturating_sub(whole) / stacks
    );
    drop((read, copy));
}

/// The memory that the process has, in bytes; 0 where that is not told.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()));
    pages.unwrap_or(0) * 4096
}

fn best(fold: impl Fn() -> State) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let state = black_box(fold());
        let took = start.elapsed();
        drop(state);
        took
    });
    rounds.min().unwrap()
}

fn tell(what: &str, records: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
    let rate = records as f64 / took.as_secs_f64();
    println!("{what}: {rate:.0} records/s");
}

/// One repository's log, for each of the repositories, interleaved.
fn log() -> Vec<Entry> {
    let one = life();
    let mut log = Vec::new();
    for entry in one {
        for repository in 0..REPOSITORIES {
            let mut entry = entry.clone();
            entry.position = Position(log.len() as u64 + 1);
            // Causes lie in a log of one repository; nothing but a violation reads them.
            entry.record.cause = None;
            let subject = format!("sw.00.{}.{}", 1000 + repository, entry.subject.kind());
            entry.subject = subject.parse().unwrap();
            log.push(entry);
        }
    }
    log
}

fn life() -> Vec<Entry> {
    let mut world = World::new();
    world.checked = false;
    let names = |prefix: &str, many: usize| {
        let names: Vec<String> = (0..many).map(|number| format!("{prefix}{number}/prod-{number}")).collect();
        names.join(", ")
    };
    let graph = Graph::of(&format!(
        "vpc > {} > {} > {}",
        names("cluster", 5),
        names("service", 24),
        names("monitor", 30)
    ));
    for number in 1..=PULL_REQUESTS {
        let head = format!("{number:040x}");
        world.open_pull(number, &head);
        world.upload(&head, &graph);
        run_all(&mut world);
        world.pass(60);
        world.merge(number);
        world.upload(&head, &graph);
        run_all(&mut world);
        world.pass(600);
    }
    world.log
}

/// Every workflow run is started, then ended.
fn run_all(world: &mut World) {
    use stackwave_domain::workflow::{Conclusion, RunStatus};
    loop {
        let open: Vec<_> = world
            .github
            .runs
            .iter()
            .filter(|(_, run)| run.status != RunStatus::Completed)
            .map(|(id, _)| *id)
            .collect();
        if open.is_empty() {
            return;
        }
        for (status, conclusion) in
            [(RunStatus::InProgress, None), (RunStatus::Completed, Some(Conclusion::Success))]
        {
            for id in &open {
                world.now = world::github::later(world.now, 1);
                let now = world.now;
                world.github.change(*id, status.clone(), conclusion.clone(), now);
                world.settle();
            }
        }
    }
}
