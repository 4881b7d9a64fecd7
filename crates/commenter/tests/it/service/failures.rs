//! GitHub says no, not yet, or nothing at all.

use super::{
    github::{Call, FakeGitHub, Fault},
    process::{Process, TestLog, quick},
};
use crate::scenario::{PR, graph};
use stackwave_domain::Event;
use stackwave_github::port::CallError;
use std::time::Duration;

fn unavailable() -> CallError {
    CallError::Unavailable("502 Bad Gateway".to_owned())
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_looked_for_and_not_repeated() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    github.fail(Fault::After(unavailable()));
    let process = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.count(Call::Create(PR))), 1);
    assert_eq!(github.read(|held| held.of(PR).len()), 1);
}

#[tokio::test]
async fn while_github_is_out_of_reach_it_is_asked_again_without_filling_the_log() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    github.be_out_of_reach(6);
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    github.until("it is asked", |held| held.calls.len() > 1).await;
    process.until_posted(&github, PR).await;
    let events = log.comment_events().await;
    let claims = events.iter().filter(|event| matches!(event, Event::CommentClaimed(_))).count();
    assert_eq!(claims, 2, "the first, and the one that led to a comment");
    assert_eq!(github.read(|held| held.count(Call::Find(PR))), 8);
    assert_eq!(github.read(|held| held.paid), 2, "what fails before it writes is not paid for");
    assert_eq!(process.core.health.report()["details"]["github"], "reachable");
    assert!(process.core.health.is_ready());
}

#[tokio::test]
async fn an_edit_that_failed_is_made_again() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    github.fail(Fault::Before(unavailable()));
    github.fail(Fault::Before(CallError::Unauthorized("bad key".to_owned())));
    log.close_run(&run, "the pull request was closed").await;
    github.until("the last word", |held| held.of(PR).iter().any(|body| body.contains("closed"))).await;
    process.until_posted(&github, PR).await;
}

#[tokio::test]
async fn a_limit_delays_and_drops_nothing() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    github.fail(Fault::Before(CallError::RateLimited { wait: Duration::from_millis(5) }));
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    github.fail(Fault::Before(CallError::RateLimited { wait: Duration::from_millis(5) }));
    log.close_run(&run, "the pull request was closed").await;
    github.until("the last word", |held| held.of(PR).iter().any(|body| body.contains("closed"))).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.of(PR).len()), 1);
}

#[tokio::test]
async fn a_locked_conversation_is_tried_again_only_with_a_new_text() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    github.fail(Fault::Before(CallError::Refused { status: 403, message: "locked".to_owned() }));
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process
        .until("the refusal is recorded", |state| {
            state.comments.values().any(|comment| comment.refused.is_some())
        })
        .await;
    log.close_run(&run, "the pull request was closed").await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.count(Call::Create(PR))), 2);
}

#[tokio::test]
async fn lost_access_is_recorded_once_and_mends_itself() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    for _ in 0..4 {
        github.fail(Fault::Before(CallError::NotFound("Not Found".to_owned())));
    }
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    let events = log.comment_events().await;
    let refusals = events.iter().filter(|event| matches!(event, Event::CommentRefused(_))).count();
    assert_eq!(refusals, 1);
}
