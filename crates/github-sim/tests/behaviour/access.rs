//! Credentials, versions, permissions.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stackwave_github_sim::{Credential, SimConfig};

use crate::{
    automatic,
    client::{Client, jwt},
};

async fn app_status(client: &Client, jwt: String) -> (u16, String) {
    let client = Client { jwt, ..client.clone() };
    let answer = client.as_app(Method::GET, "/app").send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json::<Value>().await.unwrap()["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_jwt_has_to_be_signed_by_the_app_and_short_lived() {
    let (github, _, client) = automatic().await;
    let now = SimConfig::default().clock.now().as_second();
    assert_eq!(app_status(&client, jwt(&github, |_| {})).await.0, 200);
    assert_eq!(app_status(&client, jwt(&github, |claims| claims["iss"] = json!(424_242))).await.0, 200);
    assert_eq!(
        app_status(&client, jwt(&github, |claims| claims["iss"] = json!("Iv23liStackwaveSim01"))).await.0,
        200
    );

    let spoiled = |name: &'static str, value: Value| jwt(&github, move |claims| claims[name] = value);
    for (jwt, reason) in [
        (spoiled("iss", json!("someone")), "Issuer"),
        (spoiled("exp", json!(now - 1)), "future time"),
        (spoiled("exp", json!(now + 700)), "too far in the future"),
        (spoiled("iat", json!(now + 300)), "Issued at"),
        (spoiled("exp", Value::Null), "numeric value"),
        (format!("{}x", jwt(&github, |_| {})), "could not be decoded"),
        ("not-a-jwt".to_owned(), "could not be decoded"),
    ] {
        let (status, message) = app_status(&client, jwt).await;
        assert_eq!(status, 401, "{reason}");
        assert!(message.contains(reason), "{message} should speak of {reason}");
    }
}

#[tokio::test]
async fn each_credential_opens_its_own_endpoints_only() {
    let (_, _, client) = automatic().await;
    let by_jwt = client.as_app(Method::GET, "/repos/acme/infra").send().await.unwrap();
    assert_eq!(by_jwt.status(), 401);
    assert_eq!(client.get("/app").await.status(), 401);
    assert_eq!(client.get("/repos/acme/infra").await.status(), 200);
    assert_eq!(client.get("/repos/acme/elsewhere").await.status(), 404);
    assert_eq!(client.get("/repos/acme/infra/nowhere").await.status(), 404);
}

#[tokio::test]
async fn a_token_expires_after_an_hour_or_when_told() {
    let (github, _, mut client) = automatic().await;
    github.expire_tokens();
    let refused = client.get("/repos/acme/infra").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap()["message"], "Bad credentials");
    client.renew().await;
    assert_eq!(client.get("/repos/acme/infra").await.status(), 200);
    github.advance_clock(Duration::from_secs(3601));
    assert_eq!(client.get("/repos/acme/infra").await.status(), 401);
}

#[tokio::test]
async fn a_request_without_an_agent_or_with_an_unknown_version_is_refused() {
    let (_, _, client) = automatic().await;
    let nameless =
        client.request(Method::GET, "/repos/acme/infra").header("user-agent", "").send().await.unwrap();
    assert_eq!(nameless.status(), 403);
    let versioned = |version: &'static str| {
        client.request(Method::GET, "/repos/acme/infra").header("x-github-api-version", version).send()
    };
    assert_eq!(versioned("2022-11-28").await.unwrap().status(), 200);
    assert_eq!(versioned("2026-03-10").await.unwrap().status(), 200);
    assert_eq!(versioned("1999-01-01").await.unwrap().status(), 400);
}

#[tokio::test]
async fn what_an_installation_does_not_grant_is_refused_and_named() {
    let (github, repo, mut client) = automatic().await;
    let installation = SimConfig::default().installation_id;
    github.set_permissions(installation, &[("metadata", "read"), ("actions", "read")]).unwrap();
    client.renew().await;
    let refused = client.dispatch(&crate::body("vpc", "prod")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["x-accepted-github-permissions"], "actions=write");
    assert_eq!(refused.json::<Value>().await.unwrap()["message"], "Resource not accessible by integration");

    github.suspend(installation).unwrap();
    assert_eq!(client.get("/repos/acme/infra").await.status(), 403);
    github.unsuspend(installation).unwrap();
    repo.revoke().unwrap();
    assert_eq!(client.get("/repos/acme/infra").await.status(), 404);
}

#[tokio::test]
async fn a_token_can_be_narrowed_and_not_widened() {
    let (github, _, client) = automatic().await;
    let other = github.add_repository("acme/other");
    let path = format!("/app/installations/{}/access_tokens", SimConfig::default().installation_id);
    let mint = |wish: Value| client.as_app(Method::POST, &path).json(&wish).send();
    let minted: Value = mint(json!({ "repositories": ["other"] })).await.unwrap().json().await.unwrap();
    let narrow = Client { token: minted["token"].as_str().unwrap().to_owned(), ..client.clone() };
    assert_eq!(narrow.get("/repos/acme/infra").await.status(), 404);
    assert_eq!(narrow.json("/installation/repositories").await["repositories"][0]["id"], other.id());
    assert_eq!(mint(json!({ "permissions": { "administration": "write" } })).await.unwrap().status(), 422);
    assert_eq!(mint(json!({ "repository_ids": [1] })).await.unwrap().status(), 422);
}

#[tokio::test]
async fn the_log_of_requests_names_credentials_and_keeps_no_secret() {
    let (github, _, client) = automatic().await;
    client.get("/repos/acme/infra?a=b").await;
    let requests = github.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str(), last.query.as_str()),
        ("GET", "/repos/acme/infra", "a=b")
    );
    assert_eq!(last.credential, Credential::Token(1));
    assert_eq!(requests[0].credential, Credential::Jwt);
    assert!(!format!("{requests:?}").contains(&client.token));
    assert_eq!(
        github.read(|state| state.issued_tokens().map(str::to_owned).collect::<Vec<_>>()),
        [client.token]
    );
}
