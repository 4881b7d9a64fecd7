//! Two processes that comment on one pull request.

use super::{
    github::{Call, FakeGitHub},
    process::{Process, TestLog, quick},
};
use crate::scenario::{PR, REPOSITORY, STREAM, graph, workspace};
use stackwave_commenter::Config;
use stackwave_domain::{ProcessId, Subject, event::CommentClaimed};
use std::time::Duration;

#[tokio::test]
async fn two_commenters_make_one_comment() {
    let (log, github) = (TestLog::shared(), FakeGitHub::gated());
    let (one, two) =
        (Process::start(&log, &github, quick()).await, Process::start(&log, &github, quick()).await);
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    let is_claimed = |state: &stackwave_engine::state::RepositoryState| {
        state.comments.values().any(|comment| comment.claimed.is_some())
    };
    one.until("the claim is folded here", is_claimed).await;
    two.until("the claim is folded there", is_claimed).await;
    github.until("the creation begins", |held| held.count(Call::Create(PR)) == 1).await;
    github.let_through();
    one.until_posted(&github, PR).await;
    two.until_posted(&github, PR).await;
    log.close_run(&run, "the pull request was closed").await;
    github.until("the last word", |held| held.of(PR).iter().all(|body| body.contains("closed"))).await;
    one.until_posted(&github, PR).await;
    two.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.count(Call::Create(PR))), 1);
    assert_eq!(github.read(|held| held.of(PR).len()), 1);
}

#[tokio::test]
async fn many_commenters_at_many_pull_requests_make_one_comment_each() {
    let (log, github) = (TestLog::shared(), FakeGitHub::new());
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(Process::start(&log, &github, quick()).await);
    }
    let numbers = (1..=20).map(stackwave_domain::PrNumber);
    for number in numbers.clone() {
        log.open_run(number, "abc1234", &graph(&["vpc@dev"])).await;
    }
    for process in &processes {
        for number in numbers.clone() {
            process.until_posted(&github, number).await;
        }
    }
    for number in numbers {
        assert_eq!(github.read(|held| held.of(number).len()), 1, "pull request {number}");
    }
}

#[tokio::test]
async fn the_claim_of_a_process_that_died_is_taken_over() {
    let (log, github) = (TestLog::shared(), FakeGitHub::new());
    let claimed = CommentClaimed { number: PR, claimant: ProcessId::new("killed") };
    log.append(Subject::comment(STREAM, REPOSITORY, &workspace(), PR), claimed.into()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    let patience = Config { take_over: Duration::from_millis(200), ..quick() };
    let process = Process::start(&log, &github, patience).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.of(PR).len()), 1);
}
