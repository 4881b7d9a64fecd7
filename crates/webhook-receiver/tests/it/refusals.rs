//! Deliveries that are not taken, and what GitHub is told.

use crate::support::{SECRET, Service, memory_log::Fault, send, workflow_run};
use serde_json::{Value, json};
use stackwave_github::signature::sign;
use std::time::Duration;

fn message(body: &Value) -> &str {
    body["errorMessage"].as_str().unwrap()
}

#[tokio::test]
async fn an_unsigned_or_wrongly_signed_delivery_is_a_401() {
    let service = Service::start().await;
    let body = workflow_run(5).to_string();
    for (signature, words) in [
        (None, "is missing"),
        (Some("sha256=zz".to_owned()), "64 hex digits"),
        (Some(sign(&"another".into(), body.as_bytes())), "fits none"),
        (Some(sign(&SECRET.into(), b"another body")), "fits none"),
    ] {
        let mut request = service.client.post(&service.url);
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        let request = request.header("X-GitHub-Event", "workflow_run").header("X-GitHub-Delivery", "d");
        let answer = send(request.body(body.clone())).await;
        assert_eq!(answer.status, 401);
        assert!(message(&answer.body).contains(words), "{answer:?}");
        assert!(message(&answer.body).contains("STACKWAVE_GITHUB_WEBHOOK_SECRET"), "{answer:?}");
    }
    assert!(service.entries().is_empty());
}

#[tokio::test]
async fn what_lacks_its_headers_is_a_400_that_names_them() {
    let service = Service::start().await;
    for missing in ["X-GitHub-Event", "X-GitHub-Delivery"] {
        let body = workflow_run(5).to_string();
        let mut request = service.delivery("workflow_run", "d-1", body.as_bytes()).build().unwrap();
        request.headers_mut().remove(missing);
        let request = reqwest::RequestBuilder::from_parts(service.client.clone(), request);
        let answer = send(request).await;
        assert_eq!((answer.status, &answer.body["context"]["field"]), (400, &json!(missing)));
    }
}

#[tokio::test]
async fn what_lacks_its_parts_is_a_400_that_names_the_field() {
    let service = Service::start().await;
    let mut without_id = workflow_run(5);
    without_id["workflow_run"].as_object_mut().unwrap().remove("id");
    let mut without_repository = workflow_run(5);
    without_repository.as_object_mut().unwrap().remove("repository");
    for (event, payload, field) in [
        ("workflow_run", without_id, "workflow_run.id"),
        ("workflow_run", without_repository, "repository.id"),
        ("pull_request", json!({ "action": "opened" }), "pull_request"),
    ] {
        let answer = service.deliver(event, "d-1", &payload).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let named = answer.body["context"]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{named}");
        assert!(message(&answer.body).contains(named), "{answer:?}");
    }
    for body in ["", "{", "[]", "7", "\u{0}"] {
        let answer = send(service.delivery("workflow_run", "d-1", body.as_bytes())).await;
        assert_eq!(answer.status, 400, "{body:?}: {answer:?}");
    }
    let answer = send(service.delivery("workflow_run", "d-1", &[0xff, 0xfe])).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_body_larger_than_github_sends_is_a_413() {
    let service = Service::start_with(|config| config.body_limit = 10_000).await;
    let answer = send(service.delivery("push", "d-1", &vec![b' '; 10_001])).await;
    assert_eq!(answer.status, 413);
    let chunks = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_000])));
    let request = service.client.post(&service.url).body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(send(request).await.status, 413, "without a length too");
}

#[tokio::test]
async fn whoever_only_announces_large_bodies_keeps_nobody_out() {
    let service = Service::start_with(|config| {
        config.memory = 1 << 20;
        config.body_limit = 1 << 20;
    })
    .await;
    let mut idle = Vec::new();
    let address = service.url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    for _ in 0..5 {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = "POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n{";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    assert_eq!(service.deliver("workflow_run", "d-1", &workflow_run(5)).await.status, 202);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let service = Service::start_with(|config| config.body_timeout = Duration::from_millis(50)).await;
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = service.client.post(&service.url).body(reqwest::Body::wrap_stream(never));
    assert_eq!(send(request).await.status, 408);
}

#[tokio::test]
async fn another_method_is_a_405() {
    let service = Service::start().await;
    assert_eq!(send(service.client.get(&service.url)).await.status, 405);
}

#[tokio::test]
async fn a_log_that_takes_nothing_is_a_503() {
    let service = Service::start_with(|config| config.batch.patience = Duration::from_millis(100)).await;
    service.log.fail_next([Fault::Unavailable; 20]);
    let answer = service.deliver("workflow_run", "d-1", &workflow_run(5)).await;
    assert_eq!(answer.status, 503);
    assert!(message(&answer.body).contains("redeliver"), "{answer:?}");
    assert!(service.entries().is_empty());
}

#[tokio::test]
async fn a_lost_answer_of_the_log_is_mended_by_the_same_record() {
    let service = Service::start().await;
    service.log.fail_next([Fault::LostUnknown, Fault::LandsUnknown]);
    assert_eq!(service.deliver("workflow_run", "d-1", &workflow_run(5)).await.status, 202);
    let entries = service.entries();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].record.id, entries[1].record.id, "the fold knows a record by its id");
}
