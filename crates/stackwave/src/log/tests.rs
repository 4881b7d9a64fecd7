pub(super) mod story;

use self::story::{ACME, OTHER, STREAM, Story, accepted, all, push};
use super::*;
use serde_json::Value;
use stackwave_domain::{Position, PrNumber, RunId, Subject};
use std::time::Duration;
use tokio::io::AsyncBufReadExt as _;

#[tokio::test]
async fn without_a_filter_every_event_is_printed_in_order_of_time() {
    let story = Story::told().await;
    let printed = story.show(all(), None).await.unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 21, "{printed}");
    assert!(lines.is_sorted_by_key(|line| line.split(' ').next()), "{printed}");
    assert!(lines[0].contains("SW_CONFIG:1"), "{printed}");
    assert!(lines[20].contains("acme/site"), "{printed}");
}

#[tokio::test]
async fn a_line_says_when_where_what_and_for_which_stack() {
    let story = Story::told().await;
    let printed = story.show(Filter { run: Some(RunId::new("seven")), ..all() }, None).await.unwrap();
    let line = printed.lines().find(|line| line.contains("dispatch_accepted")).unwrap();
    assert_eq!(
        line,
        "2027-01-15T08:00:12.000Z  SW_00:11    acme/infra  obs.dispatch  dispatch_accepted  \
         vpc/dev by plan.yaml in seven (swd_7): workflow run 107"
    );
    let observed = printed.lines().find(|line| line.contains("workflow_run_observed")).unwrap();
    assert!(
        observed.ends_with(
            "workflow run 107 completed with failure: vpc/dev by plan.yaml in seven (swd_7) (webhook d)"
        ),
        "{observed}"
    );
}

#[tokio::test]
async fn a_run_has_its_chunks_decisions_claims_results_and_workflow_runs() {
    let story = Story::told().await;
    let seven = story.events(Filter { run: Some(RunId::new("seven")), ..all() }).await;
    assert_eq!(
        seven,
        [
            "1 upload_received",
            "2 upload_received",
            "6 run_opened",
            "8 stack_released",
            "9 dispatch_claimed",
            "10 workflow_run_observed",
            "11 dispatch_accepted",
            "13 dispatch_claimed",
        ]
    );
    let eight = story.events(Filter { run: Some(RunId::new("eight")), ..all() }).await;
    assert_eq!(
        eight,
        [
            "3 upload_received",
            "7 run_opened",
            "8 stack_released",
            "9 dispatch_claimed",
            "11 dispatch_accepted",
            "12 workflow_run_observed",
            "14 run_ended",
        ]
    );
}

#[tokio::test]
async fn a_pull_request_has_what_its_runs_have_its_webhooks_and_its_comment() {
    let story = Story::told().await;
    let seven = story.events(Filter { pr: Some(PrNumber(7)), ..all() }).await;
    let of_run = story.events(Filter { run: Some(RunId::new("seven")), ..all() }).await;
    for event in of_run.iter().map(String::as_str).chain(["4 pull_request_observed", "15 comment_claimed"]) {
        assert!(seven.iter().any(|seen| seen == event), "{event}: {seven:?}");
    }
    assert_eq!(seven.len(), of_run.len() + 2);
}

#[tokio::test]
async fn a_stack_has_what_names_it_and_filters_hold_together() {
    let story = Story::told().await;
    let app = story.events(Filter { stack: Some("eks/app/dev".to_owned()), ..all() }).await;
    assert_eq!(app, ["2 upload_received", "6 run_opened", "13 dispatch_claimed"]);
    let vpc = Filter { stack: Some("vpc@dev".to_owned()), run: Some(RunId::new("eight")), ..all() };
    let vpc = story.events(vpc).await;
    assert_eq!(vpc.len(), 6, "{vpc:?}");
    let both = Filter { pr: Some(PrNumber(8)), run: Some(RunId::new("seven")), ..all() };
    assert!(story.events(both).await.is_empty());
}

#[tokio::test]
async fn a_repository_is_known_by_name_and_number_and_has_its_settings() {
    let story = Story::told().await;
    for name in ["acme/site", "ACME/Site", "43"] {
        let site = story.events(Filter { repository: Some(name.to_owned()), ..all() }).await;
        assert_eq!(site, ["2 repository_registered", "16 push_observed"], "{name}");
    }
    let error =
        story.show(Filter { repository: Some("acme/nothing".to_owned()), ..all() }, None).await.unwrap_err();
    assert!(error.to_string().contains("acme/infra, acme/site"), "{error}");
    let error = story.show(Filter { repository: Some("44".to_owned()), ..all() }, None).await.unwrap_err();
    assert!(error.to_string().contains("44"), "{error}");
}

#[tokio::test]
async fn a_limit_leaves_the_newest_or_the_first_from_a_position_on() {
    let story = Story::told().await;
    let newest = story.show(all(), Some(2)).await.unwrap();
    assert_eq!(newest.lines().count(), 2);
    assert!(newest.contains("comment_claimed") && newest.contains("push_observed"), "{newest}");
    let first = story.show(Filter { from: Some(Position(13)), ..all() }, Some(2)).await.unwrap();
    assert_eq!(first.lines().count(), 2);
    assert!(first.contains("SW_00:13") && first.contains("SW_00:14"), "{first}");
    // What came before is known all the same.
    assert!(first.contains("eks/app/dev by plan.yaml"), "{first}");
}

#[tokio::test]
async fn json_holds_everything_that_the_event_holds() {
    let story = Story::told().await;
    let filter = Filter { run: Some(RunId::new("eight")), json: true, ..all() };
    let printed = story.show(filter, None).await.unwrap();
    let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "run_ended");
    assert_eq!(last["data"], serde_json::json!({"run": "eight", "outcome": "succeeded"}));
    assert_eq!(last["subject"], "sw.00.42.ledger");
    assert_eq!(last["repository"], serde_json::json!({"id": 42, "name": "acme/infra"}));
    assert_eq!((&last["stream"], &last["position"]), (&"SW_00".into(), &14.into()));
}

#[tokio::test]
async fn nothing_in_a_line_moves_the_terminal() {
    let story = Story::told().await;
    let printed = story.show(all(), None).await.unwrap();
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
}

#[tokio::test]
async fn a_tail_begins_with_the_newest_and_goes_on_with_what_comes() {
    let story = Story::told().await;
    let (reader, writer) = std::io::pipe().unwrap();
    let options = TailOptions { filter: Filter { pr: Some(PrNumber(7)), ..all() }, limit: 1 };
    let log = story.reader();
    let tailing = tokio::spawn(async move { tail(&log, &options, writer).await });
    let reader = tokio::fs::File::from_std(std::fs::File::from(std::os::fd::OwnedFd::from(reader)));
    let mut lines = tokio::io::BufReader::new(reader).lines();
    let mut line = async || {
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        line.unwrap().unwrap().unwrap()
    };
    assert!(line().await.contains("comment_claimed"));
    // Somebody else's, then the result of a claim that the tail has read.
    story.add(Subject::github(STREAM, OTHER, "push"), vec![push().into()]).await;
    story.add(Subject::dispatch(STREAM, ACME), vec![accepted("swd_9", 109).into()]).await;
    let accepted = line().await;
    assert!(accepted.contains("eks/app/dev by plan.yaml in seven (swd_9): workflow run 109"), "{accepted}");
    tailing.abort();
}
