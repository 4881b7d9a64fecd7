//! Webhooks as they arrive.

use std::time::Duration;

use stackwave_github_sim::{
    ContentType, DeliveryOrder, Fate, GitHub, Host, NewPullRequest, SimConfig, WebhookConfig, WebhookFaults,
    WebhookSelector, sign,
};

use crate::{DEADLINE, body, receiver::Receiver, start, with_receiver};

#[tokio::test]
async fn a_webhook_is_signed_and_names_itself() {
    let (github, repo, _, mut receiver) = with_receiver(SimConfig::default()).await;
    repo.open_pull_request(NewPullRequest::default()).unwrap();
    let webhook = receiver.wait_for(1).await.remove(0);
    assert_eq!(webhook.kind(), "pull_request.opened");
    assert_eq!(webhook.header("x-hub-signature-256"), sign("It's a Secret to Everybody", &webhook.body));
    assert_eq!(webhook.header("x-hub-signature-256"), github.sign(&webhook.body));
    assert_eq!(webhook.header("x-github-hook-installation-target-type"), "integration");
    assert_eq!(webhook.header("x-github-hook-installation-target-id"), "424242");
    assert!(webhook.header("user-agent").starts_with("GitHub-Hookshot/"));
    assert_eq!(webhook.header("content-type"), "application/json");
    assert_eq!(webhook.header("x-github-delivery"), github.webhooks()[0].guid);
    assert_eq!(webhook.json()["installation"]["id"], SimConfig::default().installation_id);
    github.wait_until_quiet(DEADLINE).await.unwrap();
    assert!(github.webhooks()[0].was_taken());
}

#[tokio::test]
async fn a_form_is_signed_as_a_form() {
    let webhooks = WebhookConfig { content_type: ContentType::Form, ..WebhookConfig::default() };
    let config = SimConfig { webhooks, host: Host::OldGhes, ..SimConfig::default() };
    let (github, _, _, mut receiver) = with_receiver(config).await;
    github.ping();
    let webhook = receiver.wait_for(1).await.remove(0);
    assert_eq!(webhook.header("content-type"), "application/x-www-form-urlencoded");
    assert!(webhook.body.starts_with(b"payload=%7B"));
    assert_eq!(webhook.header("x-hub-signature-256"), github.sign(&webhook.body));
    assert_eq!(webhook.header("x-github-enterprise-version"), "3.19.2");
}

#[tokio::test]
async fn a_merge_is_told_and_then_pushed() {
    let (_, repo, _, mut receiver) = with_receiver(SimConfig::default()).await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let head = repo.push(number).unwrap();
    let merged = repo.merge_pull_request(number).unwrap();
    let arrived = receiver.wait_for(5).await;
    let expected = ["pull_request.opened", "push", "pull_request.synchronize", "pull_request.closed", "push"];
    assert_eq!(receiver.kinds(), expected);
    let pull = &arrived[3].json()["pull_request"];
    assert_eq!(
        (pull["merged"].as_bool(), pull["merge_commit_sha"].as_str()),
        (Some(true), Some(merged.as_str()))
    );
    assert_eq!(pull["head"]["sha"], head.as_str());
    assert!(pull["merged_at"].is_string());
    assert_eq!(arrived[4].json()["after"], merged.as_str());
    assert_eq!(repo.resolve("main"), Some(merged));
}

#[tokio::test]
async fn a_webhook_can_be_lost_repeated_late_or_overtaken() {
    let (github, repo, _, mut receiver) = with_receiver(SimConfig::default()).await;
    github.lose_next("pull_request.opened");
    github.repeat_next("pull_request.converted_to_draft");
    github.next_webhook(
        WebhookSelector::kind("pull_request.ready_for_review").about("pull/1"),
        Fate::Overtaken,
    );
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    repo.set_draft(number, true).unwrap();
    repo.set_draft(number, false).unwrap();
    repo.close_pull_request(number).unwrap();
    let arrived = receiver.wait_for(4).await;
    let twice = "pull_request.converted_to_draft";
    assert_eq!(receiver.kinds(), [twice, twice, "pull_request.closed", "pull_request.ready_for_review"]);
    assert_eq!(arrived[0].header("x-github-delivery"), arrived[1].header("x-github-delivery"));

    github.delay_next("pull_request.reopened", Duration::from_millis(1));
    repo.reopen_pull_request(number).unwrap();
    receiver.wait_for(5).await;
    github.wait_until_quiet(DEADLINE).await.unwrap();
    let lost = github.webhooks().remove(0);
    assert_eq!((lost.fate, lost.answer.is_none()), (Fate::Lost, true));
    github.redeliver(&lost.guid).unwrap();
    assert_eq!(receiver.wait_for(6).await[5].header("x-github-delivery"), lost.guid);
}

#[tokio::test]
async fn an_overtaken_webhook_that_nothing_overtakes_comes_all_the_same() {
    let (github, repo, _, mut receiver) = with_receiver(SimConfig::default()).await;
    github.next_webhook(WebhookSelector::kind("pull_request"), Fate::Overtaken);
    repo.open_pull_request(NewPullRequest::default()).unwrap();
    assert_eq!(receiver.wait_for(1).await[0].kind(), "pull_request.opened");
}

#[tokio::test]
async fn nothing_is_tried_again() {
    let (github, repo, _) = start(SimConfig::default()).await;
    github.set_webhook_url(Some("http://127.0.0.1:1/nobody-listens"));
    repo.open_pull_request(NewPullRequest::default()).unwrap();
    github.wait_until_quiet(DEADLINE).await.unwrap();
    let webhook = github.webhooks().remove(0);
    assert!(webhook.answer.unwrap().is_err());
    let receiver = Receiver::start().await;
    github.set_webhook_url(Some(&receiver.url));
    github.ping();
    github.wait_until_quiet(DEADLINE).await.unwrap();
    assert_eq!(receiver.kinds(), ["ping"]);
}

#[tokio::test]
async fn what_the_app_has_not_subscribed_to_does_not_come() {
    let webhooks = WebhookConfig { events: vec!["pull_request".into()], ..WebhookConfig::default() };
    let (github, repo, _) = start(SimConfig { webhooks, ..SimConfig::default() }).await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    repo.push(number).unwrap();
    let kinds: Vec<_> = github.webhooks().iter().map(|webhook| webhook.kind()).collect();
    assert_eq!(kinds, ["pull_request.opened", "pull_request.synchronize"]);
}

#[tokio::test]
async fn chances_hit_the_same_webhooks_in_any_order() {
    async fn fates(stacks: &[u32]) -> Vec<(String, Fate)> {
        let (github, _, client, _receiver) =
            with_receiver(SimConfig { seed: 11, ..SimConfig::default() }).await;
        let late_by = Duration::from_millis(1);
        github.disturb_webhooks(WebhookFaults {
            lost: 0.2,
            late: 0.2,
            late_by,
            repeated: 0.2,
            overtaken: 0.1,
        });
        for stack in stacks {
            client.dispatch(&body("vpc", &format!("s{stack}"))).send().await.unwrap();
        }
        finished(&github, stacks.len()).await;
        let mut fates: Vec<_> = github
            .webhooks()
            .iter()
            .filter(|one| !one.redelivery)
            .map(|one| (format!("{} {}", one.kind(), one.subject), one.fate))
            .collect();
        fates.sort_by(|one, other| one.0.cmp(&other.0));
        fates
    }
    let forwards = fates(&[1, 2, 3, 4]).await;
    assert_eq!(forwards, fates(&[3, 4, 2, 1]).await);
    for fate in [Fate::Sent, Fate::Lost, Fate::Repeated(1)] {
        assert!(forwards.iter().any(|(_, found)| *found == fate), "no {fate:?}");
    }
}

#[tokio::test]
async fn a_burst_keeps_the_order_within_each_run() {
    let webhooks = WebhookConfig { order: DeliveryOrder::Subject, ..WebhookConfig::default() };
    let (github, _, client, mut receiver) =
        with_receiver(SimConfig { webhooks, ..SimConfig::default() }).await;
    let sends = (0..50).map(|stack| tokio::spawn(client.dispatch(&body("vpc", &format!("s{stack}"))).send()));
    for send in sends.collect::<Vec<_>>() {
        assert_eq!(send.await.unwrap().unwrap().status(), 200);
    }
    finished(&github, 50).await;
    let arrived = receiver.wait_for(50 * 7).await;
    for run in github.read(|state| state.runs().map(|run| run.id).collect::<Vec<_>>()) {
        let of_run = arrived.iter().filter(|one| one.json()["workflow_run"]["id"] == run);
        let kinds: Vec<_> = of_run.map(|one| one.kind()).collect();
        assert_eq!(kinds, ["workflow_run.requested", "workflow_run.in_progress", "workflow_run.completed"]);
    }
    assert!(github.webhooks().iter().all(|one| one.was_taken() && one.sent <= one.answered));
}

async fn finished(github: &GitHub, runs: usize) {
    let done =
        |state: &stackwave_github_sim::State| state.runs().filter(|run| run.is_completed()).count() == runs;
    github.wait_until("all runs to end", DEADLINE, done).await.unwrap();
    github.wait_until_quiet(DEADLINE).await.unwrap();
}
