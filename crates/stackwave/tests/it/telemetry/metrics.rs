//! `/metrics` of a process that has done work.

use super::{exposition::Exposition, queries, serving::Serving};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A process that has planned two stacks, and was asked over gRPC.
async fn worked() -> (Serving, Exposition) {
    let serving = Serving::start(&[]).await;
    serving.plan_two_stacks(&format!("00-{TRACE}-b7ad6b7169203331-01")).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", serving.grpc)).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    client.check(HealthCheckRequest::default()).await.unwrap();
    drop(client);
    let ended = "stackwave_events_appended_total{event=\"run_ended\"} 1";
    let exposition = Exposition::read(&serving.metrics_with(ended).await);
    (serving, exposition)
}

/// The list of the page: each metric with its kind and labels.
fn listed() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = std::fs::read_to_string(root().join("docs/observability.md")).unwrap();
    let (_, rest) = page.split_once("<!-- metrics -->\n").unwrap();
    let (list, _) = rest.split_once("<!-- /metrics -->").unwrap();
    let rows = list.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exposed_is_what_the_page_lists_and_what_dashboard_and_alerts_ask_for() {
    let (_serving, exposition) = worked().await;
    let listed = listed();
    for (name, (kind, _)) in &listed {
        assert_eq!(exposition.kinds.get(name), Some(kind), "`{name}` is listed");
        let sampled = exposition.samples.iter().any(|sample| exposition.family(&sample.name) == Some(name));
        assert!(sampled, "`{name}` has no value after a run");
    }
    for sample in &exposition.samples {
        let family = exposition.family(&sample.name).unwrap_or_else(|| panic!("{sample:?} has no type"));
        let (_, labels) = listed.get(family).unwrap_or_else(|| panic!("`{family}` is not listed"));
        let named: BTreeSet<String> = sample.labels.keys().filter(|label| *label != "le").cloned().collect();
        assert_eq!(&named, labels, "labels of `{family}`");
    }
    queries::all_have_answers(&root(), &exposition);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_those_of_what_was_done() {
    let (serving, exposition) = worked().await;
    let sum = |name: &str, labels: &[(&str, &str)]| exposition.sum(name, labels);
    assert_eq!(sum("stackwave_uploads_total", &[("outcome", "stored")]), 1.0);
    assert!(sum("stackwave_webhooks_total", &[("event", "workflow_run"), ("outcome", "stored")]) >= 2.0);
    assert_eq!(sum("stackwave_events_appended_total", &[("event", "dispatch_accepted")]), 2.0);
    let dispatches =
        [("method", "POST"), ("route", "/repos/{owner}/{repo}/actions/workflows/{name}/dispatches")];
    assert_eq!(sum("stackwave_github_requests_total", &dispatches), 2.0);
    for (hop, count) in [("upload_append", 1.0), ("claim", 2.0), ("dispatch_request", 2.0)] {
        assert_eq!(sum("stackwave_hop_duration_seconds_count", &[("hop", hop)]), count, "{hop}");
    }
    assert_eq!(sum("stackwave_hop_duration_seconds_count", &[("hop", "webhook_to_child_dispatch")]), 1.0);
    for hop in ["webhook_append", "decision", "comment"] {
        assert!(sum("stackwave_hop_duration_seconds_count", &[("hop", hop)]) >= 1.0, "{hop}");
    }
    assert_eq!(sum("stackwave_stacks_planned_total", &[]), 2.0);
    assert_eq!(sum("stackwave_lease_held", &[]), 3.0, "orchestrator, dispatcher, commenter");
    assert_eq!(sum("stackwave_ready", &[("part", "all")]), 1.0);
    assert_eq!(sum("stackwave_lag_records", &[("service", "dispatcher")]), 0.0);
    assert_eq!(sum("stackwave_violations", &[]), 0.0);
    assert_eq!(
        sum("stackwave_grpc_requests_total", &[("method", "grpc.health.v1.Health/Check"), ("code", "ok")]),
        1.0
    );
    assert!(sum("stackwave_log_bytes", &[]) > 0.0);
    // A workflow that declares it is handed its place in the caller's trace.
    for dispatch in serving.github.dispatches() {
        let handed = dispatch.inputs.get("traceparent").cloned().unwrap_or_default();
        assert!(handed.to_string().contains(&format!("00-{TRACE}-")), "{handed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_open_unless_a_token_is_set() {
    let serving = Serving::start(&[("STACKWAVE_METRICS_TOKEN", "a-token")]).await;
    let client = reqwest::Client::new();
    let ask = |token: Option<&str>| {
        let request = client.get(format!("{}/metrics", serving.http));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
        .send()
    };
    assert_eq!(ask(None).await.unwrap().status(), 401);
    assert_eq!(ask(Some("another")).await.unwrap().status(), 401);
    assert_eq!(ask(Some("a-token")).await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_open_metrics_gets_it() {
    let serving = Serving::start(&[]).await;
    let request = reqwest::Client::new().get(format!("{}/metrics", serving.http));
    let request = request.header("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(answer.text().await.unwrap().ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_log_line_is_json_with_the_documented_names() {
    let (serving, _) = worked().await;
    let lines = serving.lines();
    assert!(!lines.is_empty());
    for line in &lines {
        for name in ["timestamp", "level", "target", "message"] {
            assert!(line[name].is_string(), "{line}");
        }
    }
    let stored = lines.iter().find(|line| line["message"] == "an upload is stored").unwrap();
    assert_eq!((&stored["trace_id"], stored["repository"].is_u64()), (&Value::from(TRACE), true), "{stored}");
    assert_eq!(stored["span_id"].as_str().map(str::len), Some(16), "{stored}");
}
