//! One trace shows everything that came of an upload.

use super::collector::{Collector, Seen};
use crate::support::{err, stackwave};
use std::collections::{BTreeMap, BTreeSet};

/// So many stacks has the demonstration: two environments, of which the second has not all components.
const STACKS: usize = 12;

/// Spans by trace.
type Traces = BTreeMap<Vec<u8>, Vec<Seen>>;

/// The traces of a demonstration, which was told of the collector by this variable.
async fn demo(variable: &'static str) -> Traces {
    let (collector, url) = Collector::start().await;
    let output = tokio::task::spawn_blocking(move || {
        let stacks = STACKS.to_string();
        let mut demo = stackwave(&["demo", "--stacks", &stacks, "--job-time", "20ms"]);
        demo.env(variable, url).output().unwrap()
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let mut traces = Traces::new();
    for seen in collector.spans() {
        assert_eq!(seen.service, "stackwave");
        traces.entry(seen.span.trace_id.clone()).or_default().push(seen);
    }
    traces
}

fn named<'a>(trace: &'a [Seen], name: &'a str) -> impl Iterator<Item = &'a Seen> {
    trace.iter().filter(move |seen| seen.name() == name)
}

/// The stacks that spans are about.
fn stacks<'a>(spans: impl Iterator<Item = &'a Seen>) -> BTreeSet<String> {
    spans.filter_map(|seen| seen.attribute("stackwave.stack")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_of_a_demonstration_contains_every_hop_from_the_upload_to_each_dispatch_and_the_comment() {
    let traces = demo("STACKWAVE_OTLP_ENDPOINT").await;
    let mut workflows = BTreeSet::new();
    // The plan and the apply have an upload each; where the two come within seconds, both runs may take the first.
    for trace in traces.values().filter(|trace| named(trace, "decide run_opened").next().is_some()) {
        for hop in [
            "ingest",
            "append obs.upload",
            "append ledger",
            "append obs.dispatch",
            "append comment",
            "comment",
            "decide run_ended",
        ] {
            assert!(named(trace, hop).next().is_some(), "no `{hop}` among {:?}", names(trace));
        }
        assert!(trace.iter().any(|seen| seen.name().contains("/comments")), "{:?}", names(trace));
        let runs: BTreeSet<_> =
            named(trace, "decide run_opened").filter_map(|seen| seen.attribute("stackwave.run")).collect();
        for run in &runs {
            workflows.extend(has_every_stack(trace, run));
        }
        let requests = named(trace, "POST /repos/{owner}/{repo}/actions/workflows/{name}/dispatches");
        assert_eq!(requests.count(), STACKS * runs.len(), "one request a dispatch");
        hangs_together(trace);
    }
    let opened = traces.values().flatten().filter(|seen| seen.name() == "decide run_opened");
    let linked = opened.flat_map(|seen| &seen.span.links).filter(|link| {
        traces.get(&link.trace_id).is_some_and(|trace| named(trace, "webhook").next().is_some())
    });
    assert!(linked.count() > 0, "no run knows the webhook that it was opened for");
    let expected = ["workflow run tf-apply.yaml", "workflow run tf-plan.yaml"];
    assert_eq!(workflows.into_iter().collect::<Vec<_>>(), expected);
}

/// Each stack of a run was released, claimed, dispatched, ran, and was told of. Returns the workflows.
fn has_every_stack(trace: &[Seen], run: &str) -> BTreeSet<String> {
    let of_run = |seen: &&Seen| seen.attribute("stackwave.run").as_deref() == Some(run);
    assert!(named(trace, "decide stack_released").any(|seen| of_run(&seen)), "{run}");
    for hop in ["claim", "dispatch", "webhook workflow_run completed"] {
        assert_eq!(stacks(named(trace, hop).filter(of_run)).len(), STACKS, "{hop} of {run}");
    }
    let is_workflow = |seen: &&Seen| seen.name().starts_with("workflow run ");
    let ran = || trace.iter().filter(of_run).filter(is_workflow);
    assert_eq!(stacks(ran()).len(), STACKS, "workflow runs of {run}");
    ran().map(|seen| seen.name().to_owned()).collect()
}

fn names(trace: &[Seen]) -> BTreeSet<&str> {
    trace.iter().map(Seen::name).collect()
}

/// Every span is below another one that arrived, up to the upload's request, and none is there twice.
fn hangs_together(trace: &[Seen]) {
    let ids: BTreeSet<&[u8]> = trace.iter().map(|seen| seen.span.span_id.as_slice()).collect();
    assert_eq!(ids.len(), trace.len(), "a span came twice");
    for seen in trace {
        let is_root = seen.span.parent_span_id.is_empty();
        assert_eq!(is_root, seen.name() == "ingest", "{}", seen.name());
        assert!(
            is_root || ids.contains(seen.span.parent_span_id.as_slice()),
            "{} hangs in the air",
            seen.name()
        );
        assert!(seen.span.end_time_unix_nano >= seen.span.start_time_unix_nano, "{}", seen.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_dispatch_is_linked_to_the_trace_in_which_it_came() {
    let traces = demo("OTEL_EXPORTER_OTLP_ENDPOINT").await;
    let all: Vec<&Seen> = traces.values().flatten().collect();
    let webhooks = all.iter().filter(|seen| seen.name().starts_with("webhook workflow_run "));
    let mut linked = 0;
    for webhook in webhooks {
        let link = &webhook.span.links[0];
        assert_ne!(link.trace_id, webhook.span.trace_id);
        let request = all.iter().find(|seen| seen.span.span_id == link.span_id);
        assert_eq!(request.map(|seen| seen.name()), Some("webhook"));
        linked += 1;
    }
    assert!(linked >= 2 * STACKS, "{linked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_trace() {
    let traces = demo("STACKWAVE_OTLP_ENDPOINT").await;
    let text = format!("{traces:?}");
    for secret in
        ["the-demonstration-s-api-key", "the demonstration's webhook secret", "Bearer", "ghs_", "PRIVATE KEY"]
    {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_demonstration_does_not_mind_a_collector_that_is_not_there() {
    let mut demo = stackwave(&["demo", "--stacks", "2", "--job-time", "10ms"]);
    let output = demo.env("STACKWAVE_OTLP_ENDPOINT", "http://127.0.0.1:9").output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
}
