//! Lists, pages, filters and caches.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stackwave_github_sim::{ListingFault, NewPullRequest, SimConfig};

use crate::{automatic, body, manual};

#[tokio::test]
async fn pages_are_linked_and_lose_nothing() {
    let (_, repo, client) = automatic().await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    for index in 0..7 {
        repo.comment(number, "octocat", &format!("comment {index}")).unwrap();
    }
    let mut path = format!("/repos/acme/infra/issues/{number}/comments?per_page=3");
    let mut seen = Vec::new();
    loop {
        let answer = client.get(&path).await;
        let link =
            answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
        let comments: Value = answer.json().await.unwrap();
        seen.extend(
            comments.as_array().unwrap().iter().map(|comment| comment["body"].as_str().unwrap().to_owned()),
        );
        let next = link.split(", ").find_map(|part| part.strip_suffix(">; rel=\"next\""));
        match next {
            Some(next) => {
                path = next.trim_start_matches('<').trim_start_matches(client.github.url()).to_owned()
            }
            None => {
                assert!(link.contains("page=2>; rel=\"prev\"") && link.contains("rel=\"first\""), "{link}");
                break;
            }
        }
    }
    assert_eq!(seen, (0..7).map(|index| format!("comment {index}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn installations_come_in_pages_too() {
    let (github, _, client) = automatic().await;
    for index in 0..3 {
        github.install(60_000_000 + index, &format!("team-{index}"));
    }
    let answer = client.as_app(Method::GET, "/app/installations?per_page=2&page=2").send().await.unwrap();
    assert!(answer.headers()["link"].to_str().unwrap().contains("page=1>; rel=\"prev\""));
    assert_eq!(answer.json::<Value>().await.unwrap().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn runs_are_filtered_as_the_search_for_a_lost_dispatch_needs_it() {
    let (_, repo, client) = manual().await;
    client.dispatch(&body("vpc", "prod")).send().await.unwrap();
    repo.start_run("plan.yaml", "main", "push", "octocat").unwrap();
    let workflow = "/repos/acme/infra/actions/workflows/plan.yaml/runs";
    let count = |filter: &str| {
        let path = format!("{workflow}?{filter}");
        let client = client.clone();
        async move { client.json(&path).await["total_count"].as_u64().unwrap() }
    };
    assert_eq!(count("").await, 2);
    assert_eq!(
        count(
            "event=workflow_dispatch&actor=stackwave%5Bbot%5D&branch=main&created=%3E%3D2020-01-01T00:00:00Z"
        )
        .await,
        1
    );
    assert_eq!(count("created=%3E%3D2100-01-01T00:00:00Z").await, 0);
    assert_eq!(count("status=queued").await, 2);
    assert_eq!(count("status=success").await, 0);
    assert_eq!(count("head_sha=abc").await, 0);
    let newest = &client.json("/repos/acme/infra/actions/runs?per_page=1").await["workflow_runs"][0];
    assert_eq!(newest["event"], "push");
}

#[tokio::test]
async fn a_fresh_run_can_be_missing_from_lists_and_be_there_by_its_id() {
    let (github, _, client) = manual().await;
    github.list_late([ListingFault::WhenTold]);
    let answer: Value = client.dispatch(&body("vpc", "prod")).send().await.unwrap().json().await.unwrap();
    client.dispatch(&body("vpc", "dev")).send().await.unwrap();
    let path = "/repos/acme/infra/actions/workflows/plan.yaml/runs";
    assert_eq!(client.json(path).await["total_count"], 1);
    client.json(&format!("/repos/acme/infra/actions/runs/{}", answer["workflow_run_id"])).await;
    github.list_hidden_runs();
    assert_eq!(client.json(path).await["total_count"], 2);
}

#[tokio::test]
async fn an_etag_saves_a_request_until_the_token_is_renewed() {
    let (github, _, mut client) = automatic().await;
    let path = "/repos/acme/infra/contents/.github/workflows/plan.yaml";
    let etag = client.get(path).await.headers()["etag"].clone();
    let installation = SimConfig::default().installation_id;
    let used = || github.read(|state| state.installation(installation).unwrap().used);
    let before = used();
    let known = client.request(Method::GET, path).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(used(), before, "a 304 is free");
    client.renew().await;
    let renewed = client.request(Method::GET, path).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(renewed.status(), StatusCode::OK);
    assert_ne!(renewed.headers()["etag"], etag);
}

#[tokio::test]
async fn a_file_comes_raw_when_asked_for_and_by_any_ref() {
    let (_, repo, client) = automatic().await;
    let old = repo.resolve("main").unwrap();
    repo.push_files("main", &[("a.txt", "two")]).unwrap();
    let path = "/repos/acme/infra/contents/a.txt";
    let raw = client
        .request(Method::GET, path)
        .header("accept", "application/vnd.github.raw+json")
        .send()
        .await
        .unwrap();
    assert_eq!(raw.text().await.unwrap(), "two");
    assert_eq!(client.get(&format!("{path}?ref={old}")).await.status(), 404);
    assert_eq!(client.get(&format!("{path}?ref=gone")).await.status(), 404);
}

#[tokio::test]
async fn a_renamed_repository_is_found_by_its_id() {
    let (_, repo, client) = automatic().await;
    repo.rename("landing-zone").unwrap();
    let found = client.json("/repos/acme/infra/git/ref/heads/main").await;
    assert_eq!(found["object"]["sha"], json!(repo.resolve("main").unwrap()));
    assert_eq!(client.json("/repos/acme/infra").await["full_name"], "acme/landing-zone");
}

#[tokio::test]
async fn comments_are_refused_too_long_locked_or_gone() {
    let (_, repo, client) = automatic().await;
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    let comments = format!("/repos/acme/infra/issues/{number}/comments");
    let post = |text: String| client.request(Method::POST, &comments).json(&json!({ "body": text })).send();
    let longest = post("x".repeat(65_536)).await.unwrap();
    assert_eq!(longest.status(), 201);
    let id = longest.json::<Value>().await.unwrap()["id"].as_u64().unwrap();
    let refused = post("x".repeat(65_537)).await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Body is too long (maximum is 65536 characters)"));
    assert_eq!(post(String::new()).await.unwrap().status(), 422);
    repo.lock_conversation(number, true).unwrap();
    assert_eq!(post("hello".into()).await.unwrap().status(), 403);

    let own = format!("/repos/acme/infra/issues/comments/{id}");
    let edit = || client.request(Method::PATCH, &own).json(&json!({ "body": "shorter" })).send();
    assert_eq!(edit().await.unwrap().status(), 200);
    assert_eq!((repo.comments(number)[0].edits, repo.comments(number)[0].by_our_app), (1, true));
    repo.delete_comment(id).unwrap();
    assert_eq!(edit().await.unwrap().status(), 404);
    assert_eq!(client.get(&own).await.status(), 404);
}
