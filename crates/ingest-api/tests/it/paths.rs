//! Every path and method has the envelope.

use crate::support::{Answer, KEY, Service, body};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn unknown_paths_are_a_404_with_the_envelope() {
    let service = Service::start().await;
    for path in
        ["/api/v1", "/api/v1/", "/api/v1/atmos/exec", "/api/v1/affected-stacks/", "/api/v1/instances?x=1"]
    {
        for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE] {
            let request = service.client.request(method, format!("{}{path}", service.base));
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(
                (answer.status, answer.body["errorTag"].as_str()),
                (404, Some("RouteNotFound")),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn another_method_is_a_405_with_the_envelope() {
    let service = Service::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = service.client.request(method, format!("{}/api/v1/affected-stacks", service.base));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST");
        assert_eq!(Answer::of(response).await.status, 405);
    }
}

#[tokio::test]
async fn repeated_slashes_reach_the_same_route() {
    let service = Service::start().await;
    let request = service.request("//api//v1///affected-stacks").bearer_auth(KEY);
    let answer = Answer::of(request.body(body(json!([])).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_callers_trace_goes_into_answer_and_record() {
    let service = Service::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = service.request("/api/v1/affected-stacks").bearer_auth(KEY);
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let request = request.header("user-agent", "atmos/1.2.3 (linux; amd64)");
    let answer = Answer::of(request.body(body(json!([])).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.body["traceId"], trace);
    let record = service.log.entries(crate::support::PARTITION).remove(0).record;
    let written = record.trace.unwrap();
    assert!(written.starts_with(&format!("00-{trace}-")) && written.len() == 55, "{written}");
    assert_eq!(record.correlation.as_deref(), Some(record.id.as_str()));
    assert_eq!(answer.body["data"]["uploadId"], record.id.as_str());
    assert_eq!(service.uploads().await[0].client.as_deref(), Some("atmos/1.2.3 (linux; amd64)"));
}
