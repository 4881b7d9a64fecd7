//! Every endpoint over HTTP.

use super::{create, expired, revoked, says};
use crate::telemetry::serving::{ADMIN_TOKEN, API_KEY, Serving};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const METRICS_TOKEN: &str = "the-tests-metrics-token";

/// What an endpoint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// An API key of the repository's workspace.
    ApiKey,
    /// A body that is signed with the webhook's secret.
    Signature,
    /// The token of `metrics_token`, where it is set.
    MetricsToken,
    /// Nothing: it tells how the process does, and nothing of anybody's deployments.
    Open,
    /// Nothing: there is nothing, and that is all it says.
    Nothing,
}

/// Every route of the process, as the sources write it.
const ROUTES: &[(&str, Needs)] = &[
    ("/api/v1/affected-stacks", Needs::ApiKey),
    ("/api/v1", Needs::Nothing),
    ("/api/v1/", Needs::Nothing),
    ("/api/v1/{*path}", Needs::Nothing),
    ("/webhooks/github", Needs::Signature),
    ("/metrics", Needs::MetricsToken),
    ("/healthz", Needs::Open),
    ("/readyz", Needs::Open),
];

/// Every `.route("…"` of a folder's sources, those of tests apart.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            for call in code.split(".route(").skip(1) {
                let name = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                let name = name
                    .unwrap_or_else(|| panic!("{}: a route whose path is not written out", path.display()));
                found.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn every_route_of_the_process_is_in_the_walk() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        // The simulated GitHub serves what GitHub serves, and no part of Stackwave.
        if !folder.ends_with("github-sim") && folder.join("src").is_dir() {
            routes(&folder.join("src"), &mut found);
        }
    }
    let walked: BTreeSet<String> = ROUTES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, walked, "a route is missing in `ROUTES`, or is no more");
}

fn upload() -> Value {
    let sha = "4c20a1d62641e95995858a8dbacd9dafff468567";
    json!({
        "head_sha": sha, "base_sha": sha, "repo_url": "https://github.com/acme/infra.git", "repo_name": "infra",
        "repo_owner": "acme", "repo_host": "github.com", "stacks": [],
    })
}

/// Sends a request that has to be refused with this status; what it says has to hold no secret.
async fn refused(request: RequestBuilder, status: StatusCode, what: &str) {
    let answer = request.send().await.unwrap();
    let (got, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(got, status, "{what}: {text}");
    for secret in [API_KEY, ADMIN_TOKEN, METRICS_TOKEN] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_a_missing_wrong_revoked_expired_or_too_weak_credential() {
    let serving = Serving::start(&[("STACKWAVE_METRICS_TOKEN", METRICS_TOKEN)]).await;
    says(&serving, "workspaces create payments").await;
    let client = Client::new();
    let url = |path: &str| format!("{}{}", serving.http, path.replace("{*path}", "runs/1"));
    let uploading = || client.post(url("/api/v1/affected-stacks")).json(&upload());
    // The repository is known from here on, and belongs to `default`.
    let taken = uploading().bearer_auth(API_KEY).send().await.unwrap();
    assert!(taken.status().is_success(), "{}", taken.text().await.unwrap());
    let foreign = create(&serving, "keys", "foreign", "--workspace payments").await;
    let revoked = revoked(&serving, "keys", "").await;
    let expired = expired(&serving, "keys", "").await;
    for (path, needs) in ROUTES {
        match needs {
            Needs::ApiKey => {
                refused(uploading(), StatusCode::UNAUTHORIZED, "no key").await;
                let basic = uploading().basic_auth("x", Some(API_KEY));
                refused(basic, StatusCode::UNAUTHORIZED, "another scheme").await;
                for (key, what) in [
                    ("wrong", "a wrong key"),
                    (ADMIN_TOKEN, "a token of the admin API"),
                    (METRICS_TOKEN, "the token of the metrics"),
                    (&foreign[..foreign.len() - 1], "a key that was cut"),
                    (&revoked, "a revoked key"),
                    (&expired, "an expired key"),
                ] {
                    refused(uploading().bearer_auth(key), StatusCode::UNAUTHORIZED, what).await;
                }
                refused(uploading().bearer_auth(&foreign), StatusCode::FORBIDDEN, "a foreign key").await;
            }
            Needs::Signature => {
                let delivering = || {
                    let request = client.post(url(path)).header("content-type", "application/json");
                    request.header("x-github-event", "ping").header("x-github-delivery", "d-1").body("{}")
                };
                refused(delivering(), StatusCode::UNAUTHORIZED, "no signature").await;
                let wrong = format!("sha256={}", "ab".repeat(32));
                for signature in [wrong.as_str(), "sha256=", "sha1=00", API_KEY] {
                    let signed = delivering().header("x-hub-signature-256", signature);
                    refused(signed, StatusCode::UNAUTHORIZED, signature).await;
                }
                refused(delivering().bearer_auth(API_KEY), StatusCode::UNAUTHORIZED, "an API key").await;
            }
            Needs::MetricsToken => {
                refused(client.get(url(path)), StatusCode::UNAUTHORIZED, "no token").await;
                for token in ["wrong", API_KEY, ADMIN_TOKEN] {
                    refused(client.get(url(path)).bearer_auth(token), StatusCode::UNAUTHORIZED, token).await;
                }
                let scraped = client.get(url(path)).bearer_auth(METRICS_TOKEN).send().await.unwrap();
                assert_eq!(scraped.status(), StatusCode::OK);
            }
            Needs::Open => {
                let answer = client.get(url(path)).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK, "{path}");
                assert!(!answer.text().await.unwrap().contains("acme"), "{path} tells of a repository");
            }
            Needs::Nothing => {
                for request in [client.get(url(path)), client.post(url(path)).bearer_auth(API_KEY)] {
                    refused(request, StatusCode::NOT_FOUND, path).await;
                }
            }
        }
    }
}
