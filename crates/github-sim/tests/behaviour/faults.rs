//! What goes wrong, on purpose.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use stackwave_github_sim::{Endpoint, Failure, HttpFault, Moment, NewPullRequest, Reply, SimConfig, Then};

use crate::{DEADLINE, automatic, body, manual};

#[tokio::test]
async fn a_failure_before_the_acceptance_makes_no_run() {
    let (github, _, client) = manual().await;
    github.fail(HttpFault::at(Endpoint::Dispatch, Failure::status(502)).times(2));
    for _ in 0..2 {
        assert_eq!(client.dispatch(&body("vpc", "prod")).send().await.unwrap().status(), 502);
    }
    assert!(github.dispatches().is_empty());
    assert_eq!(client.dispatch(&body("vpc", "prod")).send().await.unwrap().status(), 200);
    assert_eq!(github.read(|state| state.dispatches().len()), 3);
}

#[tokio::test]
async fn a_failure_after_the_acceptance_hides_a_run() {
    let (github, _, client) = manual().await;
    for failure in [Failure::status(504), Failure::Reset] {
        github.fail(HttpFault::at(Endpoint::Dispatch, failure).after_accept());
    }
    assert_eq!(client.dispatch(&body("vpc", "prod")).send().await.unwrap().status(), 504);
    assert!(client.dispatch(&body("vpc", "dev")).send().await.is_err());
    let replies: Vec<_> = github.dispatches().iter().map(|dispatch| dispatch.reply).collect();
    assert_eq!(replies, [Reply::Status(504), Reply::Reset]);
    let kinds = |github: &stackwave_github_sim::GitHub| {
        github.webhooks().iter().filter(|one| one.event == "workflow_dispatch").count()
    };
    assert_eq!(kinds(&github), 2, "GitHub tells of both");
}

#[tokio::test]
async fn a_hanging_answer_never_comes() {
    let (github, _, client) = manual().await;
    github.fail(HttpFault::at(Endpoint::Dispatch, Failure::Hang).after_accept());
    let sender = tokio::spawn(client.dispatch(&body("vpc", "prod")).send());
    let hung =
        |state: &stackwave_github_sim::State| state.dispatches().iter().any(|one| one.reply == Reply::Hung);
    github.wait_until("the answer to hang", DEADLINE, hung).await.unwrap();
    assert!(!sender.is_finished());
    github.shutdown().await;
    assert!(sender.await.unwrap().is_err());
}

#[tokio::test]
async fn rate_limits_are_told_in_every_way_that_github_has() {
    let (github, _, client) = automatic().await;
    let path = "/repos/acme/infra";
    let headers = ["retry-after", "x-ratelimit-remaining"];
    for (failure, status, expected) in [
        (Failure::secondary_limit(7), 403, [Some("7"), None]),
        (Failure::too_many_requests(3), 429, [Some("3"), None]),
        (Failure::primary_limit(4_000_000_000), 403, [None, Some("0")]),
        (Failure::limit_without_headers(), 403, [None, None]),
    ] {
        let bare = failure == Failure::limit_without_headers();
        github.fail(HttpFault::at(Endpoint::Repository, failure));
        let answer = client.get(path).await;
        assert_eq!(answer.status(), status);
        for (name, value) in headers.iter().zip(expected) {
            let found = answer.headers().get(*name).map(|value| value.to_str().unwrap());
            assert!(value.is_none() || found == value, "{name} is {found:?}");
            assert!(!bare || found.is_none(), "{name} is {found:?}");
        }
        assert!(answer.json::<Value>().await.unwrap()["message"].as_str().unwrap().contains("rate limit"));
    }
    assert_eq!(client.get(path).await.status(), 200);
}

#[tokio::test]
async fn the_primary_limit_is_counted_and_enforced() {
    let (github, _, client) = automatic().await;
    github.set_rate_limit(SimConfig::default().installation_id, 100, 98).unwrap();
    let answer = client.get("/repos/acme/infra").await;
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "1");
    assert_eq!(client.get("/repos/acme/infra").await.headers()["x-ratelimit-remaining"], "0");
    let refused = client.get("/repos/acme/infra").await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    let limits = client.json("/rate_limit").await;
    assert_eq!(
        (&limits["resources"]["core"]["remaining"], &limits["rate"]["used"]),
        (&Value::from(0), &Value::from(100))
    );
    github.advance_clock(std::time::Duration::from_secs(3590));
    assert_eq!(client.get("/repos/acme/infra").await.status(), 403);
}

#[tokio::test]
async fn out_of_reach_drops_old_and_new_connections() {
    let (github, _, client) = automatic().await;
    github.set_reachable(false);
    let unreachable = client.request(Method::GET, "/repos/acme/infra").send().await;
    assert!(unreachable.is_err());
    github.set_reachable(true);
    assert_eq!(client.get("/repos/acme/infra").await.status(), 200);
}

#[tokio::test]
async fn the_same_seed_spoils_the_same_requests() {
    let mut outcomes = Vec::new();
    for seed in [5, 5, 6] {
        let (github, _, client) = crate::start(SimConfig { seed, ..SimConfig::default() }).await;
        github.fail(HttpFault::at(Endpoint::Repository, Failure::status(503)).chance(0.5).until_healed());
        let mut statuses = Vec::new();
        for _ in 0..16 {
            statuses.push(client.get("/repos/acme/infra").await.status().as_u16());
        }
        github.heal();
        assert_eq!(client.get("/repos/acme/infra").await.status(), 200);
        outcomes.push(statuses);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_ne!(outcomes[0], outcomes[2]);
    assert!(outcomes[0].contains(&200) && outcomes[0].contains(&503));
}

#[tokio::test]
async fn a_hook_sees_any_request_before_and_after_it_is_done() {
    let (github, repo, client) = automatic().await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let (inner, seen) = (repo.clone(), Arc::new(Mutex::new(Vec::new())));
    let log = seen.clone();
    github.on_request(move |request, moment| {
        if request.endpoint == Endpoint::CreateComment {
            log.lock().unwrap().push((moment, inner.comments(number).len()));
        }
        async move { if moment == Moment::AfterAccept { Then::Fail(Failure::Reset) } else { Then::Proceed } }
    });
    let comments = format!("/repos/acme/infra/issues/{number}/comments");
    let answer = client.request(Method::POST, &comments).json(&json!({ "body": "waves" })).send().await;
    assert!(answer.is_err());
    assert_eq!(*seen.lock().unwrap(), [(Moment::BeforeAccept, 0), (Moment::AfterAccept, 1)]);
}
