//! `workflow_dispatch`: what is taken, what is refused, and with which words.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use stackwave_github_sim::{DispatchOutcome, DispatchPhase, Failure, Host, Reply, RunMode, SimConfig, Then};

use crate::{DEADLINE, body, client::Client, manual, start, with_receiver};

async fn refusal(client: &Client, body: &Value) -> (u16, String) {
    let answer = client.dispatch(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_run_is_named_where_the_request_or_the_version_asks_for_it() {
    let (github, _, client) = manual().await;
    let mut plain = body("vpc", "prod");
    plain.as_object_mut().unwrap().remove("return_run_details");
    let answer = client.dispatch(&plain).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let answer = client.dispatch(&body("vpc", "dev")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let details: Value = answer.json().await.unwrap();
    let run = github.run(details["workflow_run_id"].as_u64().unwrap()).unwrap();
    assert_eq!(run.display_title, "plan vpc/dev/none");
    assert_eq!(run.actor.login, "stackwave[bot]");
    assert_eq!(run.input("level"), "low");
    let newer = client.dispatch(&plain).header("x-github-api-version", "2026-03-10").send().await.unwrap();
    assert_eq!(newer.status(), 200);
    assert_eq!(github.dispatches().len(), 3);
}

#[tokio::test]
async fn an_older_enterprise_server_refuses_the_key_and_answers_with_nothing() {
    let config = SimConfig { host: Host::OldGhes, runs: RunMode::Manual, ..SimConfig::default() };
    let (github, _, client) = start(config).await;
    assert!(github.url().ends_with("/api/v3"));
    let (status, message) = refusal(&client, &body("vpc", "prod")).await;
    assert_eq!(status, 400);
    assert!(message.contains("\"return_run_details\" is not a permitted key"), "{message}");
    let answer = client
        .dispatch(&json!({ "ref": "main", "inputs": { "component": "vpc", "stack": "prod" } }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["x-github-enterprise-version"], "3.19.2");
    assert!(!answer.headers().contains_key("x-ratelimit-limit"));
}

#[tokio::test]
async fn refusals_use_githubs_words() {
    let (github, repo, client) = manual().await;
    repo.set_workflow("main", "push-only.yaml", "on: push").unwrap();
    repo.set_workflow("main", "broken.yaml", "on: workflow_dispatch").unwrap();
    repo.create_branch("old", "main").unwrap();
    repo.set_workflow("old", "broken.yaml", "on: [").unwrap();
    let mut inputs = body("vpc", "prod");
    let with = |name: &str, value: Value| {
        let mut changed = inputs.clone();
        changed["inputs"][name] = value;
        changed
    };
    for (body, words) in [
        (json!({ "inputs": {} }), "\"ref\" wasn't supplied"),
        (json!({ "ref": "gone" }), "No ref found for: gone"),
        (json!({ "ref": repo.resolve("main").unwrap() }), "No ref found for: "),
        (with("sha", json!("1")), "Unexpected inputs provided: [\"sha\"]"),
        (json!({ "ref": "main", "inputs": { "component": "vpc" } }), "Required input 'stack' not provided"),
        (with("level", json!("middle")), "not in the list of allowed values"),
        (with("id", json!("x".repeat(65_536))), "inputs are too large."),
        (with("id", json!({})), "is not a string"),
    ] {
        let (status, message) = refusal(&client, &body).await;
        assert_eq!(status, 422, "{message}");
        assert!(message.contains(words), "`{message}` should say `{words}`");
    }
    inputs["unknown"] = json!(1);
    assert!(refusal(&client, &inputs).await.1.contains("\"unknown\" is not a permitted key"));

    for (file, reference, status, words) in [
        ("push-only.yaml", "main", 422, "does not have 'workflow_dispatch' trigger"),
        ("broken.yaml", "old", 422, "failed to parse workflow: "),
        ("nothing.yaml", "main", 404, "Not Found"),
    ] {
        let path = format!("/repos/acme/infra/actions/workflows/{file}/dispatches");
        let answer =
            client.request(Method::POST, &path).json(&json!({ "ref": reference })).send().await.unwrap();
        assert_eq!(answer.status(), status, "{file}");
        assert!(answer.text().await.unwrap().contains(words), "{file}");
    }
    repo.enable_workflow("plan.yaml", false).unwrap();
    assert!(refusal(&client, &body("vpc", "prod")).await.1.contains("disabled"));
    assert!(github.dispatches().is_empty());
    assert!(github.read(|state| {
        state.dispatches().iter().all(|one| matches!(one.outcome, DispatchOutcome::Refused { .. }))
    }));
}

#[tokio::test]
async fn the_file_at_the_ref_decides_and_the_default_branch_has_to_know_it() {
    let (github, repo, client) = manual().await;
    repo.create_branch("feature", "main").unwrap();
    repo.set_workflow("feature", "plan.yaml", "run-name: mine\non: workflow_dispatch").unwrap();
    repo.set_workflow("feature", "new.yaml", "on: workflow_dispatch").unwrap();
    assert!(
        client.dispatch(&json!({ "ref": "refs/heads/feature" })).send().await.unwrap().status().is_success()
    );
    let run = github.wait_for_run("the run", DEADLINE, |_| true).await.unwrap();
    assert_eq!((run.display_title.as_str(), run.head_branch.as_str()), ("mine", "feature"));
    assert_eq!(Some(run.head_sha), repo.resolve("feature"));
    let path = "/repos/acme/infra/actions/workflows/new.yaml/dispatches";
    let answer = client.request(Method::POST, path).json(&json!({ "ref": "feature" })).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_hook_sees_each_phase_and_what_is_true_in_it() {
    let (github, _, client) = manual().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, inner) = (seen.clone(), github.clone());
    github.on_dispatch(move |dispatch, phase| {
        log.lock().unwrap().push((
            phase,
            dispatch.run_id().is_some(),
            inner.read(|state| state.runs().count()),
        ));
        async {}
    });
    client.dispatch(&body("vpc", "prod")).send().await.unwrap();
    let expected = [
        (DispatchPhase::BeforeAccept, false, 0),
        (DispatchPhase::AfterAccept, true, 1),
        (DispatchPhase::BeforeAnswer, true, 1),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_sender_that_dies_in_the_middle_has_dispatched_all_the_same() {
    let (github, _, client) = manual().await;
    let (entered, mut has_entered) = tokio::sync::watch::channel(false);
    let (go_on, may_go_on) = tokio::sync::watch::channel(false);
    github.on_dispatch(move |_, phase| {
        let (entered, mut may_go_on) = (entered.clone(), may_go_on.clone());
        async move {
            if phase == DispatchPhase::BeforeAccept {
                entered.send_replace(true);
                may_go_on.wait_for(|go| *go).await.unwrap();
            }
        }
    });
    let sender = tokio::spawn(client.dispatch(&body("vpc", "prod")).send());
    has_entered.wait_for(|entered| *entered).await.unwrap();
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    go_on.send_replace(true);
    github.wait_until("the run", DEADLINE, |state| state.accepted().count() == 1).await.unwrap();
}

#[tokio::test]
async fn a_hook_can_let_the_request_fail() {
    let (github, _, client) = manual().await;
    github.on_dispatch(|_, phase| async move {
        if phase == DispatchPhase::BeforeAccept { Then::Fail(Failure::Reset) } else { Then::Proceed }
    });
    assert!(client.dispatch(&body("vpc", "prod")).send().await.is_err());
    github.remove_hooks();
    assert_eq!(client.dispatch(&body("vpc", "prod")).send().await.unwrap().status(), 200);
    let replies: Vec<_> = github
        .read(|state| state.dispatches().iter().map(|one| (one.reply, one.run_id().is_some())).collect());
    assert_eq!(replies, [(Reply::Reset, false), (Reply::Status(200), true)]);
}

#[tokio::test]
async fn webhooks_can_outrun_the_answer() {
    let (github, _, client, receiver) =
        with_receiver(SimConfig { runs: RunMode::Manual, ..SimConfig::default() }).await;
    github.send_webhooks_first(true);
    assert_eq!(client.dispatch(&body("vpc", "prod")).send().await.unwrap().status(), 200);
    assert_eq!(receiver.kinds(), ["workflow_dispatch", "workflow_run.requested", "workflow_job.queued"]);
}

#[tokio::test]
async fn webhooks_usually_follow_the_answer() {
    let (github, _, client, mut receiver) =
        with_receiver(SimConfig { runs: RunMode::Manual, ..SimConfig::default() }).await;
    let unsent = Arc::new(Mutex::new(0));
    let (count, inner) = (unsent.clone(), github.clone());
    github.on_dispatch(move |_, _| {
        *count.lock().unwrap() =
            inner.read(|state| state.deliveries().iter().filter(|one| one.sent.is_none()).count());
        async {}
    });
    client.dispatch(&body("vpc", "prod")).send().await.unwrap();
    assert_eq!(*unsent.lock().unwrap(), 3);
    receiver.wait_for(3).await;
}
