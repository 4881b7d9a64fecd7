//! Deliveries that arrive together.

use crate::support::{Answer, Service, memory_log::Fault, until, workflow_run};
use serde_json::json;
use stackwave_domain::{Event, event::Source};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Sends one delivery, waits until its append hangs, then sends the rest and waits until they are queued behind it.
async fn burst(service: &Arc<Service>, count: u64) -> JoinSet<Answer> {
    // The repository is known, so that nothing but the append takes time.
    service.deliver("workflow_run", "first", &workflow_run(1)).await;
    service.log.hold(true);
    let mut answers = JoinSet::new();
    for number in 0..count {
        let service = Arc::clone(service);
        answers.spawn(async move {
            service.deliver("workflow_run", &format!("d-{number}"), &workflow_run(number)).await
        });
    }
    until("one append waits", || service.log.waiting() == 1).await;
    answers
}

fn delivery(event: &Event) -> String {
    match event {
        Event::WorkflowRunObserved(run) => match &run.source {
            Source::Webhook { delivery } => delivery.to_string(),
            Source::Poll { .. } => panic!("{run:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_delivery_of_a_burst_is_stored_once() {
    let service = Arc::new(Service::start().await);
    let mut answers = burst(&service, 300).await;
    service.log.hold(false);
    while let Some(answer) = answers.join_next().await {
        assert_eq!(answer.unwrap().status, 202);
    }
    let entries = service.entries();
    let events: Vec<String> =
        entries.iter().skip(1).flat_map(|entry| &entry.record.events).map(delivery).collect();
    let distinct: BTreeSet<&String> = events.iter().collect();
    assert_eq!((events.len(), distinct.len()), (300, 300), "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_log_refuses_a_batch_each_of_its_deliveries_is_told() {
    let service =
        Arc::new(Service::start_with(|config| config.batch.patience = Duration::from_millis(100)).await);
    let mut answers = burst(&service, 20).await;
    service.log.fail_next(vec![Fault::Unavailable; 1_000]);
    service.log.hold(false);
    while let Some(answer) = answers.join_next().await {
        assert_eq!(answer.unwrap().status, 503);
    }
    assert_eq!(service.entries().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_repository_does_not_wait_and_an_overfull_lane_refuses() {
    let service = Arc::new(Service::start_with(|config| config.batch.waiting_bytes = 2_000).await);
    let mut answers = burst(&service, 20).await;
    let refused = answers.join_next().await.unwrap().unwrap();
    assert_eq!(refused.status, 503, "more waits than may wait");
    let mut other = workflow_run(1);
    other["repository"]["id"] = json!(9);
    other["repository"]["full_name"] = json!("acme/other");
    let parallel = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.deliver("workflow_run", "other", &other).await })
    };
    until("both appends wait", || service.log.waiting() == 2).await;
    service.log.hold(false);
    assert_eq!(parallel.await.unwrap().status, 202);
}
