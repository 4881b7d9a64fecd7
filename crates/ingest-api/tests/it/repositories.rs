//! Which repository, and who may upload for it.

use crate::support::{Answer, OTHER_KEY, REPOSITORY, Service, body, found};
use serde_json::json;
use stackwave_domain::{
    InstallationId, RepositoryId, StreamId, Subject,
    event::{InstallationObserved, Source},
};
use stackwave_github::port::CallError;
use stackwave_ingest_api::Config;
use std::time::Duration;

fn upload_for(owner: &str, name: &str) -> String {
    let mut upload = body(json!([{ "component": "a", "stack": "b" }]));
    (upload["repo_owner"], upload["repo_name"]) = (json!(owner), json!(name));
    upload.to_string()
}

#[tokio::test]
async fn names_are_compared_without_case() {
    let service = Service::start().await;
    let answer = service.post(upload_for("ACME", "Landing-Zone")).await;
    assert_eq!(answer.status, 200);
    assert!(service.github.asked.lock().unwrap().is_empty(), "what is known is not asked for");
    assert_eq!(service.log.entries(crate::support::PARTITION)[0].subject.repository(), Some(REPOSITORY));
}

#[tokio::test]
async fn a_repository_of_another_workspace_is_a_403_that_says_so() {
    let service = Service::start().await;
    let request = service.request("/api/v1/affected-stacks").bearer_auth(OTHER_KEY);
    let request = request.body(upload_for("acme", "landing-zone"));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.body["errorTag"].as_str()), (403, Some("Forbidden")));
    insta::assert_snapshot!(answer.message(), @"the repository `acme/landing-zone` belongs to another workspace than `another`, which this API key opens; use a key of the repository's workspace");
    assert!(service.uploads().await.is_empty());
}

#[tokio::test]
async fn a_repository_of_another_workspace_under_a_new_name_is_a_403_too() {
    let service = Service::start().await;
    service.github.answer("acme/renamed", Ok(found(REPOSITORY.0, "acme", "renamed")));
    let request = service.request("/api/v1/affected-stacks").bearer_auth(OTHER_KEY);
    let answer = Answer::of(request.body(upload_for("acme", "renamed")).send().await.unwrap()).await;
    assert_eq!(answer.status, 403);
    let owner = service.core.config.read(|config| config.repository(REPOSITORY).unwrap().workspace.clone());
    assert_eq!(owner.as_str(), "default", "asking does not move it");
}

#[tokio::test]
async fn an_unknown_repository_is_asked_for_and_registered() {
    let service = Service::start().await;
    service.github.answer("acme/new", Ok(found(12, "acme", "new")));
    let answer = service.post(upload_for("acme", "new")).await;
    assert_eq!((answer.status, &answer.body["data"]["pending"]), (200, &json!(false)));
    let known = service.core.config.read(|config| config.repository(RepositoryId(12)).cloned()).unwrap();
    assert_eq!((known.workspace.as_str(), known.installation), ("default", Some(InstallationId(7))));
    assert_eq!(service.post(upload_for("acme", "new")).await.status, 200);
    assert_eq!(*service.github.asked.lock().unwrap(), ["acme/new"], "asked once");
}

#[tokio::test]
async fn a_repository_that_github_does_not_show_is_a_404_with_a_hint() {
    let service = Service::start().await;
    let answer = service.post(upload_for("acme", "nowhere")).await;
    assert_eq!((answer.status, answer.body["errorTag"].as_str()), (404, Some("RepositoryNotFound")));
    insta::assert_snapshot!(answer.message(), @"GitHub does not show the repository `acme/nowhere` to the GitHub App; install the App in it, and check `repo_owner` and `repo_name`");
}

#[tokio::test]
async fn while_github_cannot_be_asked_uploads_are_parked() {
    let config = Config { lookup_timeout: Duration::from_millis(50), ..Config::default() };
    let service = Service::start_with(config).await;
    for (name, error) in [
        ("down", CallError::Unavailable("reset".to_owned())),
        ("hangs", CallError::Unavailable("for ever".to_owned())),
        ("limited", CallError::RateLimited { wait: Duration::from_secs(60) }),
        ("keyless", CallError::Unauthorized("no key".to_owned())),
    ] {
        service.github.answer(&format!("acme/{name}"), Err(error));
        let answer = service.post(upload_for("acme", name)).await;
        assert_eq!((answer.status, &answer.body["data"]["pending"]), (200, &json!(true)), "{name}");
    }
    assert!(service.uploads().await.is_empty());
    let pending = service.uploads_in(StreamId::Config).await;
    let names: Vec<&str> = pending.iter().map(|upload| upload.repository.name.as_str()).collect();
    assert_eq!(names, ["down", "hangs", "limited", "keyless"]);
    assert_eq!(pending[0].fragment.get().unwrap().stacks.len(), 1);
}

#[tokio::test]
async fn a_repository_whose_app_was_removed_is_asked_for_again() {
    let service = Service::start().await;
    let gone = InstallationObserved {
        source: Source::Webhook { delivery: "d".into() },
        action: "deleted".to_owned(),
        installation: InstallationId(7),
        account: "acme".to_owned(),
        repositories: Vec::new(),
    };
    service.append_config(Subject::config_github("installation"), gone.into()).await;
    assert_eq!(service.post(upload_for("acme", "landing-zone")).await.status, 404);
    let mut back = found(REPOSITORY.0, "acme", "landing-zone");
    back.installation = InstallationId(8);
    service.github.answer("acme/landing-zone", Ok(back));
    assert_eq!(service.post(upload_for("acme", "landing-zone")).await.status, 200);
    let installation = service.core.config.read(|config| config.installation_of(REPOSITORY));
    assert_eq!(installation, Some(InstallationId(8)));
}
