//! GitHub allows few comments an hour, so most of many wait.

use super::{
    github::{Call, FakeGitHub},
    process::{Process, TestLog, quick},
};
use crate::scenario::{PR, graph};
use stackwave_domain::PrNumber;
use std::time::Duration;

/// Only a test that fails waits this long.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn while_the_budget_is_waited_for_nothing_is_claimed_and_nothing_is_asked() {
    const MANY: usize = 50;
    let (log, github) = (TestLog::shared(), FakeGitHub::with_budget(0));
    let process = Process::start(&log, &github, quick()).await;
    let numbers: Vec<PrNumber> = (1_u64..).take(MANY).map(PrNumber).collect();
    for number in &numbers {
        log.open_run(*number, "abc1234", &graph(&["vpc@dev"])).await;
    }
    github.until("all wait", |held| held.waiting_to_pay == MANY).await;
    assert_eq!(github.read(|held| held.calls.clone()), []);
    assert_eq!(log.comment_events().await, []);

    github.allow(MANY);
    for number in &numbers {
        process.until_posted(&github, *number).await;
        let count = |call| github.read(|held| held.count(call));
        assert_eq!((count(Call::Find(*number)), count(Call::Create(*number))), (1, 1), "{number}");
    }
    assert_eq!(github.read(|held| (held.paid, held.writes())), (MANY, MANY));
}

#[tokio::test]
async fn what_is_posted_is_what_is_true_once_it_is_paid_for() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::with_budget(0));
    let process = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "aaa1111", &graph(&["vpc@dev"])).await;
    github.until("the budget is waited for", |held| held.waiting_to_pay == 1).await;
    let last = log.open_run(PR, "bbb2222", &graph(&["vpc@dev"])).await;
    process.until("both are folded", |state| state.runs.contains_key(&last)).await;
    github.allow(1);
    process.until_posted(&github, PR).await;
    assert!(github.read(|held| held.of(PR)[0].contains("bbb2222")));
    assert_eq!(github.read(|held| held.writes()), 1);

    log.close_run(&last, "the pull request was closed").await;
    github.until("an edit waits for the budget too", |held| held.waiting_to_pay == 1).await;
    assert_eq!(github.read(|held| held.writes()), 1);
    github.allow(1);
    github.until("the edit", |held| held.of(PR)[0].contains("closed")).await;
    process.until_posted(&github, PR).await;
}

#[tokio::test]
async fn a_process_that_drains_waits_for_no_budget() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::with_budget(0));
    let process = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    github.until("the budget is waited for", |held| held.waiting_to_pay == 1).await;
    process.core.shutdown.cancel();
    process.core.tasks.close();
    let ended = tokio::time::timeout(PATIENCE, process.core.tasks.wait()).await;
    assert!(ended.is_ok(), "a task still waits");
    assert_eq!(log.comment_events().await, []);
}
