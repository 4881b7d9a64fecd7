//! What becomes of deliveries that are taken.

use crate::support::{Service, repository, send, workflow_run};
use serde_json::json;
use stackwave_domain::{
    Event, GitRef, InstallationId, RepositoryId, RepositoryName, StreamId, event::Source,
};

#[tokio::test]
async fn a_delivery_is_in_the_log_before_it_is_answered() {
    let service = Service::start().await;
    let answer = service.deliver("workflow_run", "d-1", &workflow_run(5)).await;
    assert_eq!((answer.status, &answer.body["data"]["outcome"]), (202, &json!("stored")));
    let entries = service.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].subject.as_str(), "sw.00.4217.obs.github.workflow_run");
    assert_eq!(entries[0].record.actor, "webhook-receiver");
    assert_eq!(entries[0].record.correlation.as_deref(), Some("d-1"));
    let Event::WorkflowRunObserved(run) = &entries[0].record.events[0] else { panic!("{entries:?}") };
    assert_eq!(run.source, Source::Webhook { delivery: "d-1".into() });
}

#[tokio::test]
async fn a_form_is_read_like_json() {
    let service = Service::start().await;
    let payload = workflow_run(5).to_string();
    let encoded: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = format!("payload={encoded}");
    let request = service.delivery("workflow_run", "d-1", body.as_bytes());
    // The builder appends headers, so the content type is replaced on the request itself.
    let mut request = request.build().unwrap();
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let response = service.client.execute(request).await.unwrap();
    assert_eq!(response.status(), 202);
    assert_eq!(service.entries().len(), 1);
}

#[tokio::test]
async fn the_first_delivery_makes_its_repository_known() {
    let service = Service::start().await;
    service.deliver("workflow_run", "d-1", &workflow_run(5)).await;
    let known = service.core.config.read(|config| config.repository(RepositoryId(4217)).cloned()).unwrap();
    assert_eq!(known.name, RepositoryName::new("acme", "infra"));
    assert_eq!(known.default_branch, GitRef::new("main"));
    assert_eq!(known.installation, Some(InstallationId(7)));
    assert_eq!(known.workspace.as_str(), "default");
    service.deliver("workflow_run", "d-2", &workflow_run(6)).await;
    assert_eq!(service.log.entries(StreamId::Config).len(), 1, "what is known is not written again");
}

#[tokio::test]
async fn a_renamed_repository_is_registered_anew() {
    let service = Service::start().await;
    service.deliver("workflow_run", "d-1", &workflow_run(5)).await;
    let mut renamed = workflow_run(6);
    renamed["repository"]["name"] = json!("landing-zone");
    renamed["repository"]["full_name"] = json!("acme/landing-zone");
    service.deliver("workflow_run", "d-2", &renamed).await;
    let find = |name: &str| {
        let name = RepositoryName::new("acme", name);
        service.core.config.read(|config| config.find_repository(&name).map(|found| found.id))
    };
    assert_eq!((find("infra"), find("landing-zone")), (None, Some(RepositoryId(4217))));
}

#[tokio::test]
async fn ordinary_ci_is_dropped_but_makes_its_repository_known() {
    let service = Service::start().await;
    let mut ci = workflow_run(5);
    ci["workflow_run"]["event"] = json!("push");
    let answer = service.deliver("workflow_run", "d-1", &ci).await;
    assert_eq!((answer.status, &answer.body["data"]["outcome"]), (202, &json!("dropped")));
    let answer = service.deliver("star", "d-2", &json!({ "action": "created" })).await;
    assert_eq!((answer.status, &answer.body["data"]["outcome"]), (202, &json!("dropped")));
    assert!(service.entries().is_empty());
    assert!(service.core.config.read(|config| config.repository(RepositoryId(4217)).is_some()));
}

#[tokio::test]
async fn a_ping_goes_to_the_configuration() {
    let service = Service::start().await;
    let answer = service.deliver("ping", "d-1", &json!({ "hook_id": 3, "zen": "Design for failure." })).await;
    assert_eq!(answer.status, 202);
    let entries = service.log.entries(StreamId::Config);
    assert_eq!(entries[0].subject.as_str(), "sw.config.obs.github.ping");
}

#[tokio::test]
async fn an_installation_gives_its_known_repositories_back() {
    let service = Service::start().await;
    service.deliver("workflow_run", "d-1", &workflow_run(5)).await;
    let installation = |action: &str, id: u64| {
        json!({
            "action": action,
            "installation": { "id": id, "account": { "login": "acme" } },
            "repositories": [{ "id": 4217, "name": "infra", "full_name": "acme/infra" }]
        })
    };
    let reachable = || service.core.config.read(|config| config.installation_of(RepositoryId(4217)));
    let answer = service.deliver("installation", "d-2", &installation("deleted", 7)).await;
    assert_eq!(answer.status, 202);
    folded(&service).await;
    assert_eq!(reachable(), None);
    service.deliver("installation", "d-3", &installation("created", 8)).await;
    folded(&service).await;
    assert_eq!(reachable(), Some(InstallationId(8)));
}

async fn folded(service: &Service) {
    let last = service.log.entries(StreamId::Config).last().unwrap().position;
    service.core.config.wait_for(last).await;
}

#[tokio::test]
async fn an_installation_of_thousands_of_repositories_is_stored_in_parts() {
    let service = Service::start().await;
    let repositories: Vec<_> = (0..9_000)
        .map(|id| json!({ "id": id + 1, "name": format!("r{id}"), "full_name": format!("acme/a-long-name-of-a-repository-{id}") }))
        .collect();
    let payload = json!({
        "action": "created",
        "installation": { "id": 8, "account": { "login": "acme" } },
        "repositories": repositories
    });
    assert_eq!(service.deliver("installation", "d-1", &payload).await.status, 202);
    assert_eq!(service.log.entries(StreamId::Config).len(), 5);
}

#[tokio::test]
async fn a_redelivery_is_stored_again_for_the_fold_to_know() {
    let service = Service::start().await;
    for _ in 0..2 {
        assert_eq!(service.deliver("workflow_run", "d-1", &workflow_run(5)).await.status, 202);
    }
    assert_eq!(service.entries().len(), 2);
}

#[tokio::test]
async fn either_secret_may_sign() {
    let service = Service::start().await;
    let body = serde_json::to_vec(&json!({ "repository": repository(), "action": "created" })).unwrap();
    let signature = stackwave_github::signature::sign(&crate::support::OLD_SECRET.into(), &body);
    let request = service.client.post(&service.url).header("X-Hub-Signature-256", signature);
    let request = request.header("X-GitHub-Event", "star").header("X-GitHub-Delivery", "d-1").body(body);
    assert_eq!(send(request).await.status, 202);
}

#[tokio::test]
async fn a_log_that_keeps_no_raw_bodies_is_in_nobodys_way() {
    let keep = |config: &mut stackwave_webhook_receiver::Config| {
        config.keep_raw = Some(std::time::Duration::from_secs(3600));
    };
    let service = Service::start_with(keep).await;
    for number in 0..600 {
        let answer = service.deliver("workflow_run", &format!("d-{number}"), &workflow_run(number)).await;
        assert_eq!(answer.status, 202);
    }
    let stored: usize = service.entries().iter().map(|entry| entry.record.events.len()).sum();
    assert_eq!(stored, 600);
}
