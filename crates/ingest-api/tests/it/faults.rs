//! A log that fails, a process that stops, a panic; and what must never be in the log.

use crate::support::{KEY, Service, body, found, memory_log::Fault};
use serde_json::json;
use stackwave_ingest_api::Config;
use std::time::Duration;

fn upload() -> String {
    body(json!([{ "component": "a", "stack": "b" }])).to_string()
}

#[tokio::test]
async fn a_log_that_takes_nothing_is_a_503_and_never_a_429() {
    let config = Config { append_patience: Duration::from_millis(100), ..Config::default() };
    let service = Service::start_with(config).await;
    service.log.fail_next([Fault::Unavailable; 20]);
    let answer = service.post(upload()).await;
    assert_eq!((answer.status, answer.body["errorTag"].as_str()), (503, Some("Unavailable")));
    assert_eq!(answer.message(), "the event log cannot take the upload now; try again");
    assert!(service.uploads().await.is_empty());
}

#[tokio::test]
async fn a_log_that_is_away_for_a_moment_costs_nobody_an_upload() {
    let service = Service::start().await;
    service.log.fail_next([Fault::Unavailable, Fault::Unavailable]);
    assert_eq!(service.post(upload()).await.status, 200);
    assert_eq!(service.uploads().await.len(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_mended_by_the_same_record() {
    let service = Service::start().await;
    service.log.fail_next([Fault::LandsUnknown, Fault::LostUnknown]);
    let answer = service.post(upload()).await;
    assert_eq!(answer.status, 200);
    let entries = service.log.entries(crate::support::PARTITION);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].record.id, entries[1].record.id);
    assert_eq!(answer.body["data"]["uploadId"], entries[0].record.id.as_str());
}

#[tokio::test]
async fn an_unknown_outcome_of_a_chunk_is_mended_by_its_message_id() {
    let service = Service::start().await;
    let mut chunk = body(json!([]));
    (chunk["batch_id"], chunk["batch_index"], chunk["batch_total"]) = (json!("b"), json!(0), json!(1));
    service.log.fail_next([Fault::LandsUnknown]);
    assert_eq!(service.post(chunk.to_string()).await.status, 200);
    assert_eq!(service.uploads().await.len(), 1);
}

#[tokio::test]
async fn a_draining_process_answers_503() {
    let service = Service::start().await;
    let router = stackwave_ingest_api::router(service.core.clone(), Config::default(), None);
    service.core.shutdown.cancel();
    let request = axum::http::Request::post("/api/v1/affected-stacks")
        .header("authorization", format!("Bearer {KEY}"))
        .body(axum::body::Body::from(upload()))
        .unwrap();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), 503);
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&answer["success"], &answer["errorTag"]), (&json!(false), &json!("Unavailable")));
}

#[tokio::test]
async fn a_panic_is_a_500_with_the_envelope() {
    let service = Service::start().await;
    service.github.answer("acme/panics", Ok(found(1, "acme", "panics")));
    let answer = service.post(upload().replace("landing-zone", "panics")).await;
    assert_eq!((answer.status, answer.body["errorTag"].as_str()), (500, Some("InternalError")));
    assert!(!answer.body.to_string().contains("ordered by the test"), "{answer:?}");
}

#[tokio::test]
async fn credentials_are_nowhere_in_the_log() {
    let service = Service::start().await;
    for url in [
        "https://s3cr3t@github.com/acme/landing-zone.git",
        "https://x-access-token:s3cr3t@github.com/acme/landing-zone.git",
        "https://u:s3cr3t@t@github.com/acme/landing-zone.git",
        "ssh://git:s3cr3t@github.com/acme/landing-zone",
        "s3cr3t@github.com:acme/landing-zone.git",
    ] {
        let mut upload = body(json!([{ "component": "a", "stack": "b" }]));
        (upload["repo_url"], upload["repo_owner"]) = (json!(url), json!(""));
        // As a hand-written client may write it.
        let text = upload.to_string().replace("s3cr3t@", "s3cr3t\\u0040");
        assert_eq!(service.post(text.clone()).await.status, 200, "{url}");
        let digest = stackwave_domain::Digest::of(text.as_bytes());
        assert_eq!(service.uploads().await.last().unwrap().digest, digest, "of the bytes as received");
    }
    let twice = upload().replacen('{', r#"{"repo_url":"https://s3cr3t@github.com/a/b","#, 1);
    assert_eq!(service.post(twice).await.status, 200);
    let everything = service.log.everything();
    assert!(!everything.contains("s3cr3t"), "{everything}");
    assert!(!everything.contains(KEY));
    assert!(everything.contains("https://***@github.com/acme/landing-zone.git"));
}

#[tokio::test]
async fn a_large_fragment_becomes_a_blob() {
    let service = Service::start().await;
    let entries: Vec<_> = (0..10_000)
        .map(|number| json!({ "component": format!("component-number-{number}"), "stack": "a-stack-with-a-name" }))
        .collect();
    let answer = service.post(body(json!(entries)).to_string()).await;
    assert_eq!((answer.status, &answer.body["data"]["accepted"]), (200, &json!(10_000)));
    let record = service.log.entries(crate::support::PARTITION).remove(0).record;
    assert_eq!(record.missing_blobs().len(), 1);
    assert_eq!(service.only_fragment().await.stacks.len(), 10_000);
}
