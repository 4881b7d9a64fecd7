//! Every answer, every request body of a client, and every webhook, held against GitHub's own schemas.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/client.rs"]
mod client;
#[path = "support/schema.rs"]
mod schema;

use std::{collections::BTreeSet, time::Duration};

use client::Client;
use reqwest::Method;
use schema::Schemas;
use serde_json::{Value, json};
use stackwave_github_sim::{
    Conclusion, GitHub, MergeGroupEnd, NewPullRequest, NewRelease, NewRepository, Outcome, Repo, RunMode,
    RunSelector, SimConfig,
};

const PLAN: &str = "
name: plan
run-name: plan ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true }
      stack: { required: true }
      atmos_pro_run_id: {}
jobs:
  plan: { runs-on: ubuntu-latest, steps: [] }
";

async fn github(runs: RunMode) -> (GitHub, Repo) {
    let github = GitHub::start(SimConfig { runs, ..SimConfig::default() }).await.unwrap();
    let repo = github.add_repository(
        NewRepository::new("acme/infra").workflow("plan.yaml", PLAN).file("README.md", "hello"),
    );
    (github, repo)
}

async fn get(schemas: &mut Schemas, client: &Client, operation: &str, path: &str) -> Value {
    let body = client.json(path).await;
    schemas.check_response(operation, 200, &body);
    body
}

#[tokio::test]
async fn answers_and_requests_match_githubs_openapi() {
    let Some(mut schemas) = Schemas::load() else { return };
    let (github, repo) = github(RunMode::Automatic { job_time: Duration::ZERO }).await;
    let client = Client::of(&github).await;
    let open = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let merged = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let merge_commit = repo.merge_pull_request(merged).unwrap();
    let schemas = &mut schemas;

    for (operation, path) in [
        ("apps/get-authenticated", "/app"),
        ("apps/get-repo-installation", "/repos/acme/infra/installation"),
        ("apps/get-webhook-config-for-app", "/app/hook/config"),
        ("apps/list-webhook-deliveries", "/app/hook/deliveries"),
    ] {
        let body: Value = client.as_app(Method::GET, path).send().await.unwrap().json().await.unwrap();
        schemas.check_response(operation, 200, &body);
    }
    // The package says `allOf` (a user and an enterprise at once) for the account of a listed installation, where the
    // schema of a single installation says `anyOf`. So each is held against the latter.
    let listed: Value =
        client.as_app(Method::GET, "/app/installations").send().await.unwrap().json().await.unwrap();
    for installation in listed.as_array().unwrap() {
        schemas.check_response("apps/get-repo-installation", 200, installation);
    }
    for request in [
        json!({}),
        json!({ "repository_ids": [repo.id()], "permissions": { "actions": "write", "contents": "read" } }),
    ] {
        schemas.check_request("apps/create-installation-access-token", &request);
        let path = format!("/app/installations/{}/access_tokens", SimConfig::default().installation_id);
        let answer = client.as_app(Method::POST, &path).json(&request).send().await.unwrap();
        schemas.check_response("apps/create-installation-access-token", 201, &answer.json().await.unwrap());
    }

    let request = json!({
        "ref": "main",
        "inputs": { "component": "vpc", "stack": "plat-prod", "atmos_pro_run_id": "r1" },
        "return_run_details": true,
    });
    schemas.check_request("actions/create-workflow-dispatch", &request);
    let answer = client.dispatch(&request).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let dispatched: Value = answer.json().await.unwrap();
    schemas.check_response("actions/create-workflow-dispatch", 200, &dispatched);
    let run = dispatched["workflow_run_id"].as_u64().unwrap();
    github.wait_for_run("the run to end", Duration::from_secs(10), |run| run.is_completed()).await.unwrap();

    let request = json!({ "ref": "main", "inputs": { "component": "vpc", "stack": "plat-dev" }, "return_run_details": true });
    github.plan_outcomes(RunSelector::stack("vpc", "plat-dev"), [Outcome::manual()]);
    let queued: Value = client.dispatch(&request).send().await.unwrap().json().await.unwrap();
    let path = format!("/repos/acme/infra/actions/runs/{}/cancel", queued["workflow_run_id"]);
    let cancelled = client.request(Method::POST, &path).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    schemas.check_response("actions/cancel-workflow-run", 202, &cancelled.json().await.unwrap());
    let again = client.request(Method::POST, &path).send().await.unwrap();
    assert_eq!(again.status(), 409);
    schemas.check_response("actions/cancel-workflow-run", 409, &again.json().await.unwrap());

    get(schemas, &client, "apps/list-repos-accessible-to-installation", "/installation/repositories").await;
    get(schemas, &client, "repos/get", "/repos/acme/infra").await;
    get(
        schemas,
        &client,
        "repos/get-content",
        "/repos/acme/infra/contents/.github/workflows/plan.yaml?ref=main",
    )
    .await;
    get(schemas, &client, "actions/list-workflow-runs", "/repos/acme/infra/actions/workflows/plan.yaml/runs")
        .await;
    get(schemas, &client, "actions/get-workflow", "/repos/acme/infra/actions/workflows/plan.yaml").await;
    get(schemas, &client, "actions/list-workflow-runs-for-repo", "/repos/acme/infra/actions/runs").await;
    get(schemas, &client, "actions/get-workflow-run", &format!("/repos/acme/infra/actions/runs/{run}")).await;
    get(schemas, &client, "repos/get-commit", "/repos/acme/infra/commits/main").await;
    get(schemas, &client, "git/get-ref", "/repos/acme/infra/git/ref/heads/main").await;
    let associated = "repos/list-pull-requests-associated-with-commit";
    let pulls =
        get(schemas, &client, associated, &format!("/repos/acme/infra/commits/{merge_commit}/pulls")).await;
    assert_eq!(pulls[0]["number"], merged);
    for number in [open, merged] {
        get(schemas, &client, "pulls/get", &format!("/repos/acme/infra/pulls/{number}")).await;
    }
    get(schemas, &client, "rate-limit/get", "/rate_limit").await;

    let request = json!({ "body": "**waves**" });
    schemas.check_request("issues/create-comment", &request);
    let comments = format!("/repos/acme/infra/issues/{open}/comments");
    let answer = client.request(Method::POST, &comments).json(&request).send().await.unwrap();
    let comment: Value = answer.json().await.unwrap();
    schemas.check_response("issues/create-comment", 201, &comment);
    schemas.check_request("issues/update-comment", &request);
    let own = format!("/repos/acme/infra/issues/comments/{}", comment["id"]);
    let answer = client.request(Method::PATCH, &own).json(&request).send().await.unwrap();
    schemas.check_response("issues/update-comment", 200, &answer.json().await.unwrap());
    get(schemas, &client, "issues/get-comment", &own).await;
    repo.comment(open, "octocat", "looks good").unwrap();
    assert_eq!(get(schemas, &client, "issues/list-comments", &comments).await.as_array().unwrap().len(), 2);

    for (operation, path) in
        [("repos/get", "/repos/acme/nothing"), ("pulls/get", "/repos/acme/infra/pulls/99")]
    {
        let answer = client.get(path).await;
        assert_eq!(answer.status(), 404);
        schemas.check_response(operation, 404, &answer.json().await.unwrap());
    }
    let answer = client
        .request(Method::POST, &comments)
        .json(&json!({ "body": "x".repeat(65_537) }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 422);
    schemas.check_response("issues/create-comment", 422, &answer.json().await.unwrap());
    schemas.assert_all_match();
}

/// Lets every event happen that the simulation has a webhook for.
async fn live_through_everything(github: &GitHub, repo: &Repo) {
    let client = Client::of(github).await;
    let account = SimConfig::default().installation_id;
    github.ping();
    github.announce_installation(account).unwrap();
    github.suspend(account).unwrap();
    github.unsuspend(account).unwrap();
    let other = github.add_repository("acme/other");
    other.revoke().unwrap();
    other.grant(account).unwrap();

    let pull = repo.open_pull_request(NewPullRequest { draft: true, ..NewPullRequest::default() }).unwrap();
    repo.set_draft(pull, false).unwrap();
    repo.set_draft(pull, true).unwrap();
    repo.push(pull).unwrap();
    repo.create_branch("release", "main").unwrap();
    repo.change_base(pull, "release").unwrap();
    repo.close_pull_request(pull).unwrap();
    repo.reopen_pull_request(pull).unwrap();
    let comment = repo.comment(pull, "octocat", "hm").unwrap();
    repo.edit_comment(comment, "hm!").unwrap();
    repo.delete_comment(comment).unwrap();
    let ours = client.request(Method::POST, &format!("/repos/acme/infra/issues/{pull}/comments"));
    assert_eq!(ours.json(&json!({ "body": "ours" })).send().await.unwrap().status(), 201);

    let dispatch = |stack: &str| {
        client.dispatch(&json!({ "ref": "main", "inputs": { "component": "eks", "stack": stack } })).send()
    };
    github.plan_outcomes(RunSelector::stack("eks", "held"), [Outcome::success().once_approved()]);
    github.plan_outcomes(RunSelector::stack("eks", "broken"), [Outcome::of(Conclusion::StartupFailure)]);
    github.fail_once("eks", "fails");
    for stack in ["fine", "fails", "held", "broken"] {
        assert_eq!(dispatch(stack).await.unwrap().status(), 204);
    }
    let run = |stack: &'static str| {
        github.wait_for(stack, Duration::from_secs(10), move |state| {
            let waits =
                |run: &&stackwave_github_sim::Run| run.is_completed() || run.status.as_str() == "waiting";
            state.runs().find(|run| run.input("stack") == stack).filter(waits).map(|run| run.id)
        })
    };
    github.approve_run(run("held").await.unwrap()).unwrap();
    github.rerun(run("fails").await.unwrap(), "octocat", None).unwrap();
    repo.start_run("plan.yaml", "main", "push", "octocat").unwrap();

    let check = repo.create_check_run("stackwave", &repo.resolve("main").unwrap(), true).unwrap();
    repo.complete_check_run(check, Conclusion::Success).unwrap();
    repo.rerequest_check_run(check, "octocat").unwrap();
    let foreign = repo.create_check_run("plan", &repo.resolve("main").unwrap(), false).unwrap();
    repo.complete_check_run(foreign, Conclusion::Failure).unwrap();

    repo.change_base(pull, "main").unwrap();
    let group = repo.create_merge_group(pull).unwrap();
    repo.destroy_merge_group(&group.head_sha, MergeGroupEnd::Dequeued).unwrap();
    let group = repo.create_merge_group(pull).unwrap();
    repo.destroy_merge_group(&group.head_sha, MergeGroupEnd::Merged).unwrap();
    let pull = repo.open_pull_request(NewPullRequest::default()).unwrap();
    repo.merge_pull_request(pull).unwrap();
    repo.delete_branch("release").unwrap();
    repo.publish_release(NewRelease::new("v1.0.0")).unwrap();
    repo.publish_release(NewRelease { prerelease: true, ..NewRelease::new("v1.1.0-rc.1") }).unwrap();
    github.set_permissions(account, &[("actions", "write"), ("metadata", "read")]).unwrap();
    github.uninstall(account).unwrap();
}

#[tokio::test]
async fn webhooks_match_githubs_schemas() {
    let Some(mut schemas) = Schemas::load() else { return };
    let (github, repo) = github(RunMode::Automatic { job_time: Duration::ZERO }).await;
    live_through_everything(&github, &repo).await;

    let mut kinds = BTreeSet::new();
    for webhook in github.webhooks() {
        schemas.check_webhook(&webhook.kind(), &webhook.json());
        kinds.insert(webhook.kind());
    }
    schemas.assert_all_match();
    let expected = "check_run.completed check_run.created check_run.rerequested \
        installation.created installation.deleted installation.new_permissions_accepted installation.suspend installation.unsuspend \
        installation_repositories.added installation_repositories.removed \
        issue_comment.created issue_comment.deleted issue_comment.edited \
        merge_group.checks_requested merge_group.destroyed ping \
        pull_request.closed pull_request.converted_to_draft pull_request.edited pull_request.opened \
        pull_request.ready_for_review pull_request.reopened pull_request.synchronize push \
        release.prereleased release.published release.released workflow_dispatch \
        workflow_job.completed workflow_job.in_progress workflow_job.queued workflow_job.waiting \
        workflow_run.completed workflow_run.in_progress workflow_run.requested";
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>().join(" "),
        expected.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}

#[tokio::test]
async fn an_object_that_github_would_not_send_is_noticed() {
    let Some(mut schemas) = Schemas::load() else { return };
    let (github, repo) = github(RunMode::Manual).await;
    let client = Client::of(&github).await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let mut pull = client.json(&format!("/repos/acme/infra/pulls/{number}")).await;
    pull["head"]["repo"]["owner"]["login"] = json!(7);
    schemas.check_response("pulls/get", 200, &pull);
    assert_eq!(schemas.mismatches().len(), 1);
    let mut webhook = github.webhooks()[0].json();
    webhook["pull_request"]["merged"] = Value::Null;
    schemas.check_webhook("pull_request.opened", &webhook);
    assert_eq!(schemas.mismatches().len(), 2);
}
