//! Requests of the real Atmos CLI, as they were recorded.

use crate::support::{Answer, Service, edges, fixture};
use stackwave_domain::Fragment;
use stackwave_ingest_api::parse::{Limits, parse_affected};
use std::collections::BTreeSet;

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// The contract's §13: component, and what it depends on.
const LANDING_ZONE: [(&str, &[&str]); 10] = [
    ("vpc", &[]),
    ("object-storage", &[]),
    ("cache", &["vpc"]),
    ("database", &["vpc"]),
    ("load-balancer", &["vpc"]),
    ("cluster", &["vpc", "load-balancer"]),
    ("api", &["database", "cluster"]),
    ("frontend", &["cache", "api"]),
    ("cdn", &["object-storage", "frontend"]),
    ("monitoring", &["cluster"]),
];

fn expected_edges(environments: &[&str]) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    for environment in environments {
        for (component, parents) in LANDING_ZONE {
            for parent in parents {
                expected.insert(format!("{parent}/{environment} -> {component}/{environment}"));
            }
        }
    }
    expected
}

fn assert_landing_zone(fragment: &Fragment, environments: &[&str]) {
    assert_eq!(fragment.stacks.len(), 10 * environments.len());
    assert_eq!(edges(fragment).into_iter().collect::<BTreeSet<_>>(), expected_edges(environments));
    assert_eq!(fragment.warnings, Vec::<String>::new());
    for stack in &fragment.stacks {
        let changed = matches!(stack.key.component.as_str(), "vpc" | "object-storage");
        assert_eq!(stack.directly_affected, changed, "{}", stack.key);
        let pro = stack.pro.as_ref().unwrap();
        assert!(pro.enabled);
        let plan: Vec<_> = pro.calls_on("pull_request.synchronize").collect();
        assert_eq!(plan.len(), 1);
        assert_eq!(plan[0].workflow.as_str(), "tf-plan.yaml");
        assert_eq!(plan[0].inputs.get("component"), Some(stack.key.component.as_str()));
        assert_eq!(plan[0].inputs.get("stack"), Some(stack.key.stack.as_str()));
        let apply: Vec<_> = pro.calls_on("pull_request.merged").collect();
        assert_eq!(apply[0].inputs.get("github_environment"), Some(stack.key.stack.as_str()));
    }
}

async fn post_fixture(name: &str) -> (Service, Answer) {
    let service = Service::start().await;
    let answer = service.post(fixture(name)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (service, answer)
}

#[tokio::test]
async fn an_upload_gives_thirty_stacks_and_thirty_six_edges() {
    let (service, answer) = post_fixture("affected/1").await;
    assert_eq!(answer.body["data"]["accepted"], 30);
    assert_eq!(answer.body["data"]["edges"], 36);
    assert_eq!(answer.body["data"]["repository"], "acme/landing-zone");
    assert_eq!(answer.body["data"]["pending"], false);
    assert_landing_zone(&*service.only_fragment().await, &ENVIRONMENTS);
    let upload = &service.uploads().await[0];
    assert_eq!(upload.head_sha.as_str(), "72d76fbc60756b9510c0ddcc445fcb74fc9f4d7d");
    assert_eq!(service.raw(upload).await, fixture("affected/1"), "the body is kept byte for byte");
}

#[tokio::test]
async fn a_retried_upload_is_stored_each_time_under_the_same_digest() {
    let service = Service::start().await;
    for attempt in ["affected-retried/1", "affected-retried/2", "affected-retried/3"] {
        assert_eq!(service.post(fixture(attempt)).await.status, 200);
    }
    let uploads = service.uploads().await;
    assert_eq!(uploads.len(), 3, "when an upload was last received matters");
    assert!(uploads.iter().all(|upload| upload.digest == uploads[0].digest));
}

#[tokio::test]
async fn an_empty_upload_is_an_upload() {
    let (service, answer) = post_fixture("affected-empty/1").await;
    assert_eq!(answer.body["data"]["accepted"], 0);
    assert_eq!(*service.only_fragment().await, Fragment::default());
}

#[tokio::test]
async fn an_upload_of_one_stack_is_a_third_of_the_graph() {
    let (service, _) = post_fixture("affected-one-stack/1").await;
    assert_landing_zone(&*service.only_fragment().await, &["dev"]);
}

#[tokio::test]
async fn the_uploads_of_ci_events_hold_the_same_graph() {
    for name in [
        "affected-ci-opened/1",
        "affected-ci-synchronize/1",
        "affected-ci-merged/1",
        "affected-ci-merge-group/1",
        "affected-push/1",
    ] {
        let (service, answer) = post_fixture(name).await;
        assert!(answer.body["data"]["accepted"].as_u64() > Some(0), "{name}");
        assert!(!service.only_fragment().await.edges.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn removed_stacks_have_no_settings_and_no_edges() {
    let (service, answer) = post_fixture("affected-deleted/1").await;
    assert_eq!(answer.body["data"]["accepted"], 11);
    let fragment = service.only_fragment().await;
    assert!(fragment.edges.is_empty());
    for stack in &fragment.stacks {
        assert!(stack.pro.is_none());
        let expected = if stack.key.stack.as_str() == "dev" { "component" } else { "stack" };
        assert_eq!(stack.deleted.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn chunks_unite_to_the_whole_upload_in_any_order() {
    let service = Service::start().await;
    for chunk in ["affected-chunked/3", "affected-chunked/1", "affected-chunked/2", "affected-chunked/1"] {
        let answer = service.post(fixture(chunk)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["data"]["chunk"]["total"], 3);
    }
    let mut uploads = service.uploads().await;
    assert_eq!(uploads.len(), 3, "the repeated chunk is not stored again");
    uploads.sort_by_key(|upload| upload.batch.as_ref().unwrap().index);
    let parts: Vec<_> = uploads.iter().map(|upload| upload.fragment.get().unwrap().clone()).collect();
    assert_landing_zone(&Fragment::unite(parts.iter().map(AsRef::as_ref)), &ENVIRONMENTS);
}

#[test]
fn the_example_of_the_contract_has_six_stacks_and_six_edges() {
    let text = include_str!("contract_example.json");
    let fragment = parse_affected(text.as_bytes(), Limits::default()).unwrap();
    assert_eq!(fragment.stacks.len(), 6);
    let found: BTreeSet<String> = edges(&fragment).into_iter().collect();
    let expected = [
        ("network", "eks/cluster"),
        ("network", "postgres"),
        ("network", "web"),
        ("eks/cluster", "eks/addons"),
        ("eks/cluster", "web"),
        ("postgres", "web"),
    ];
    let name = |component: &str| format!("{component}/acme-use2-dev");
    let expected = expected.map(|(parent, child)| format!("{} -> {}", name(parent), name(child)));
    assert_eq!(found, BTreeSet::from(expected));
    let find = |component: &str| {
        fragment.stacks.iter().find(|stack| stack.key.component.as_str() == component).unwrap()
    };
    assert!(find("eks/addons").directly_affected && find("network").directly_affected);
    assert!(!find("web").directly_affected);
    assert!(find("postgres").pro.is_none());
    assert_eq!(find("bastion").deleted.as_deref(), Some("component"));
    assert!(!fragment.edges.is_empty());
}

#[test]
fn what_atmos_prints_is_read_like_what_it_uploads() {
    let upload: serde_json::Value = serde_json::from_str(&fixture("affected/1")).unwrap();
    let printed = serde_json::to_vec_pretty(&upload["stacks"]).unwrap();
    let limits = Limits::default();
    assert_eq!(
        parse_affected(&printed, limits).unwrap(),
        parse_affected(fixture("affected/1").as_bytes(), limits).unwrap()
    );
}
