//! One comment a pull request, edited in place.

use super::{
    github::{Call, FakeGitHub},
    process::{Process, TestLog, quick},
};
use crate::scenario::{PR, REPOSITORY, STREAM, chunk, graph, opened, pull, webhook, workspace};
use stackwave_domain::{
    CommentId, Event, PrNumber, ProcessId, Subject,
    event::{CommentClaimed, IssueCommentObserved, Trigger},
};

#[tokio::test]
async fn a_comment_is_created_once_and_then_edited_in_place() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    log.close_run(&run, "the pull request was closed").await;
    github.until("the edit", |held| held.of(PR).iter().any(|body| body.contains("closed"))).await;
    process.until_posted(&github, PR).await;

    assert_eq!(github.read(|held| held.of(PR).len()), 1);
    let calls = github.read(|held| held.calls.clone());
    assert_eq!(calls, [Call::Find(PR), Call::Create(PR), Call::Update(CommentId(1))]);
    let events: Vec<_> = log.comment_events().await.iter().map(|event| event.name().to_owned()).collect();
    assert_eq!(events, ["comment_claimed", "comment_posted", "comment_posted"]);
}

#[tokio::test]
async fn what_happens_while_a_post_is_under_way_goes_out_as_one_edit() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::gated());
    let process = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "aaa1111", &graph(&["vpc@dev"])).await;
    github.until("the creation begins", |held| held.writes() == 1).await;
    for head in ["bbb2222", "ccc3333", "ddd4444"] {
        log.open_run(PR, head, &graph(&["vpc@dev"])).await;
    }
    let last = log.open_run(PR, "eee5555", &graph(&["vpc@dev"])).await;
    process.until("all is folded", |state| state.runs.contains_key(&last)).await;
    github.let_through();
    github.until("the last word", |held| held.of(PR).iter().any(|body| body.contains("eee5555"))).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.writes()), 2, "a creation and one edit");
}

#[tokio::test]
async fn a_comment_whose_record_was_lost_in_a_crash_is_found_and_taken() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let claimed = CommentClaimed { number: PR, claimant: ProcessId::new("killed") };
    let subject = Subject::comment(STREAM, REPOSITORY, &workspace(), PR);
    log.append(subject, claimed.into()).await;
    let marker = stackwave_commenter::marker::marker(&workspace(), PR);
    let stranger = github.put(PR, "somebody's remark");
    let ours = github.put(PR, &format!("{marker}\nan older text"));
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;

    let process = Process::start(&log, &github, quick()).await;
    process
        .until("it is recorded", |state| {
            state.comments.values().any(|comment| comment.id == Some(ours) && comment.says.is_some())
        })
        .await;
    assert_eq!(github.read(|held| held.count(Call::Create(PR))), 0);
    assert_eq!(github.read(|held| held.comments[&stranger].1.clone()), "somebody's remark");
    assert!(github.read(|held| held.comments[&ours].1.contains("abc1234")));
    assert!(matches!(log.comment_events().await.last(), Some(Event::CommentPosted(posted)) if posted.found));
}

#[tokio::test]
async fn after_a_restart_a_comment_that_says_what_it_should_is_left_alone() {
    const NEXT: PrNumber = PrNumber(13);
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let first = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    first.until_posted(&github, PR).await;
    drop(first);
    let before = github.read(|held| held.calls.len());

    let second = Process::start(&log, &github, quick()).await;
    log.open_run(NEXT, "bbb2222", &graph(&["vpc@dev"])).await;
    second.until_posted(&github, NEXT).await;
    let calls = github.read(|held| held.calls[before..].to_vec());
    assert_eq!(calls, [Call::Find(NEXT), Call::Create(NEXT)]);
}

#[tokio::test]
async fn a_comment_that_github_says_was_deleted_is_written_anew() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    github.delete_all();
    let deleted = IssueCommentObserved {
        source: webhook(),
        action: "deleted".to_owned(),
        number: PR,
        comment: CommentId(1),
        author: "stackwave[bot]".to_owned(),
        app: None,
        sender: None,
        body: String::new(),
    };
    log.append(Subject::github(STREAM, REPOSITORY, "issue_comment"), deleted.into()).await;
    github.until("a new comment", |held| held.comments.contains_key(&CommentId(2))).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.of(PR).len()), 1);
}

#[tokio::test]
async fn a_comment_that_is_gone_when_it_is_edited_is_written_anew() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    github.delete_all();
    log.close_run(&run, "the pull request was closed").await;
    github.until("a new comment", |held| held.comments.contains_key(&CommentId(2))).await;
    process.until_posted(&github, PR).await;
    assert!(github.read(|held| held.of(PR).iter().all(|body| body.contains("closed"))));
    assert_eq!(github.read(|held| held.count(Call::Create(PR))), 2);
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_yet_is_commented_on_once_it_can() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start_unregistered(&log, &github, quick()).await;
    let run = log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until("the run is folded", |state| state.runs.contains_key(&run)).await;
    assert!(github.read(|held| held.calls.is_empty()));
    process.register().await;
    process.until_posted(&github, PR).await;
}

#[tokio::test]
async fn a_run_without_a_pull_request_has_no_comment() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    let mut release = opened("opened", "fff6666", &graph(&["vpc@dev"]));
    release.pull_request = None;
    release.trigger = Trigger::new("release", "published");
    log.append(Subject::ledger(STREAM, REPOSITORY), release.into()).await;
    log.open_run(PR, "abc1234", &graph(&["vpc@dev"])).await;
    process.until_posted(&github, PR).await;
    assert_eq!(github.read(|held| held.comments.len()), 1);
}

#[tokio::test]
async fn an_upload_that_stays_incomplete_is_told_although_no_run_was_opened() {
    let (log, github) = (TestLog::exclusive(), FakeGitHub::new());
    let process = Process::start(&log, &github, quick()).await;
    let long_ago = "2026-01-01T00:00:00Z".parse().unwrap();
    let event = pull("abc1234", long_ago).into();
    log.append(Subject::github(STREAM, REPOSITORY, "pull_request"), event).await;
    log.append(Subject::upload(STREAM, REPOSITORY), chunk("abc1234", 1, 3, long_ago).into()).await;
    process.until_posted(&github, PR).await;
    assert!(github.read(|held| held.of(PR)[0].contains("1 of 3 chunks")));
}
