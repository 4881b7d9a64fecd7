//! Several processes over one log: who acts, and that nothing is decided twice.

use crate::{
    growth,
    nats::{Killable, Nats},
    world::{How, Process, Sqlite, is_released, plan, register, until},
};
use stackwave_domain::{Digest, Event, Position, ProcessId, RepositoryId, StreamId};
use stackwave_event_log::EventLog;
use std::{collections::BTreeMap, time::Duration};

const ROLE: &str = "orchestrator";

/// The partitions for which a process acts.
fn acts(process: &Process) -> Vec<u16> {
    let partitions = 0..process.core.log.partitions();
    partitions.filter(|partition| process.acting.acts(ROLE, StreamId::Partition(*partition))).collect()
}

/// A repository of each partition.
fn repositories(partitions: u16) -> Vec<RepositoryId> {
    let of = |partition| {
        let mut ids = (1..).map(RepositoryId);
        ids.find(|id| StreamId::of_repository(*id, partitions) == StreamId::Partition(partition)).unwrap()
    };
    (0..partitions).map(of).collect()
}

/// The process that shall act for a partition: the one with the greatest weight (`leases::rendezvous`).
fn choice(partition: u16, processes: &[&Killable]) -> ProcessId {
    let ids = processes.iter().map(|process| process.core.ids.process().clone());
    ids.max_by_key(|id| Digest::of_parts(&[id.as_str(), &partition.to_string()])).unwrap()
}

/// Waits until each partition is acted for by the process that shall, by no other, and everybody knows it.
async fn settled(processes: &[&Killable], partitions: u16) {
    let shares = |of: &ProcessId| -> Vec<u16> {
        (0..partitions).filter(|partition| choice(*partition, processes) == *of).collect()
    };
    until("the partitions are spread", || async {
        processes.iter().all(|process| {
            let leases = process.acting.leases();
            acts(process) == shares(process.core.ids.process())
                && process.acting.members().len() == processes.len()
                && leases.len() == usize::from(partitions)
                && leases.iter().all(|lease| lease.holder == choice(lease.partition, processes))
        })
    })
    .await;
}

/// Plans a pull request in every partition, and waits until each is decided.
async fn work(processes: &[&Killable], log: &dyn EventLog, number: u64) {
    for repository in repositories(log.partitions()) {
        plan(log, repository, number).await;
    }
    for (partition, repository) in repositories(log.partitions()).into_iter().enumerate() {
        for process in processes {
            until("it is decided", || async {
                process.views[partition].read(|state| is_released(state, repository, number))
            })
            .await;
        }
    }
}

/// How often each thing was decided.
async fn decided(log: &dyn EventLog) -> BTreeMap<String, usize> {
    let mut decided = BTreeMap::new();
    for partition in 0..log.partitions() {
        let mut from = Position(1);
        loop {
            let page = log.read(StreamId::Partition(partition), from, 1000).await.unwrap();
            let Some(last) = page.last() else { break };
            from = last.position.next();
            for event in page.into_iter().flat_map(|entry| entry.record.events) {
                let what = match event {
                    Event::RunOpened(opened) => format!("{} was opened", opened.run),
                    Event::StackReleased(it) => format!("{} of {}, attempt {}", it.key, it.run, it.attempt),
                    _ => continue,
                };
                *decided.entry(what).or_default() += 1;
            }
        }
    }
    decided
}

async fn assert_decided_once(log: &dyn EventLog, pulls: u64) {
    let decided = decided(log).await;
    assert_eq!(decided.len() as u64, u64::from(log.partitions()) * pulls * 2, "{decided:#?}");
    assert!(decided.values().all(|times| *times == 1), "{decided:#?}");
}

async fn prepare(nats: &Nats) -> std::sync::Arc<dyn EventLog> {
    let log = nats.log().await;
    for repository in repositories(log.partitions()) {
        register(log.as_ref(), repository).await;
    }
    log
}

#[tokio::test]
async fn sixteen_partitions_are_spread_over_three_processes_and_a_killed_one_is_replaced() {
    const PARTITIONS: u16 = 16;
    let Some(nats) = Nats::start(PARTITIONS).await else { return };
    let log = prepare(&nats).await;
    let one = nats.process().await;
    settled(&[&one], PARTITIONS).await;
    work(&[&one], log.as_ref(), 1).await;

    let two = nats.process().await;
    let three = nats.process().await;
    settled(&[&one, &two, &three], PARTITIONS).await;
    work(&[&one, &two, &three], log.as_ref(), 2).await;

    two.kill();
    // What it held is decided by the others, before and after they notice.
    work(&[&one, &three], log.as_ref(), 3).await;
    settled(&[&one, &three], PARTITIONS).await;
    work(&[&one, &three], log.as_ref(), 4).await;
    assert_decided_once(log.as_ref(), 4).await;
}

#[tokio::test]
async fn one_partition_has_one_process_and_the_next_takes_over_when_it_is_killed() {
    let Some(nats) = Nats::start(1).await else { return };
    let log = prepare(&nats).await;
    let mut processes = vec![nats.process().await, nats.process().await, nats.process().await];
    let mut pulls = 0;
    while !processes.is_empty() {
        let all: Vec<&Killable> = processes.iter().collect();
        settled(&all, 1).await;
        pulls += 1;
        work(&all, log.as_ref(), pulls).await;
        let holder = processes.iter().position(|process| acts(process) == [0]).unwrap();
        let leases = processes[0].acting.leases();
        assert_eq!(leases.len(), 1);
        assert_eq!((leases[0].role.as_str(), leases[0].partition), (ROLE, 0));
        assert_eq!(leases[0].holder, *processes[holder].core.ids.process());
        assert_eq!(leases[0].ours, holder == 0);
        processes.swap_remove(holder).kill();
    }
    assert_decided_once(log.as_ref(), pulls).await;
}

#[tokio::test]
async fn a_partition_changes_hands_without_a_moment_in_which_nobody_acts() {
    const PARTITIONS: u16 = 16;
    let Some(nats) = Nats::start(PARTITIONS).await else { return };
    let _log = prepare(&nats).await;
    let one = nats.process().await;
    settled(&[&one], PARTITIONS).await;
    let two = nats.process().await;
    let both = [&one, &two];
    let settled = settled(&both, PARTITIONS);
    let watched = async {
        loop {
            let (first, second) = (acts(&one), acts(&two));
            let nobody = (0..PARTITIONS).find(|it| !first.contains(it) && !second.contains(it));
            assert_eq!(nobody, None, "nobody acts for it");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = settled => {},
        () = watched => {},
    }
}

#[tokio::test]
async fn a_process_that_drains_gives_back_what_it_held() {
    let Some(nats) = Nats::start(1).await else { return };
    let log = prepare(&nats).await;
    let (one, two) = (nats.process().await, nats.process().await);
    settled(&[&one, &two], 1).await;
    let (holder, other) = if acts(&one) == [0] { (one, two) } else { (two, one) };
    holder.stop().await;
    let leases = log.leases();
    assert_eq!(leases.members(Some(ROLE)).await.unwrap().len(), 1, "it said that it goes");
    settled(&[&other], 1).await;
    work(&[&other], log.as_ref(), 1).await;
}

#[tokio::test]
async fn a_process_that_cannot_reach_the_leases_ends_to_act_and_begins_again() {
    let Some(nats) = Nats::start(1).await else { return };
    let log = prepare(&nats).await;
    let one = nats.process().await;
    settled(&[&one], 1).await;
    nats.cut();
    until("it acts no more", || async { acts(&one).is_empty() }).await;
    let told =
        |process: &Killable| process.core.health.parts().into_iter().find(|(part, _)| part == "leases");
    until("it is not ready", || async { told(&one).is_some_and(|(_, why)| why.is_some()) }).await;
    nats.mend().await;
    settled(&[&one], 1).await;
    until("it is ready again", || async { told(&one).is_some_and(|(_, why)| why.is_none()) }).await;
    until("the test is connected too", || async { log.last_position(StreamId::Config).await.is_ok() }).await;
    work(&[&one], log.as_ref(), 1).await;
    assert_decided_once(log.as_ref(), 1).await;
}

#[tokio::test]
async fn a_log_of_one_process_has_no_leases() {
    let sqlite = Sqlite::new();
    let process = Process::start(sqlite.open(), How::default()).await;
    assert_eq!(acts(&process), [0]);
    process.catch_up().await;
    assert_eq!(process.acting.leases(), []);
    assert!((process.acting.share(&[ROLE]) - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_purge_changes_nothing_but_the_size_of_a_jetstream_log() {
    let Some(nats) = Nats::start(1).await else { return };
    growth::a_purge_changes_nothing_but_the_size(nats.log().await).await;
}
