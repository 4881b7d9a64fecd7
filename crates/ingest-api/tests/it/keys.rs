//! Keys that are no longer valid, on every replica.

use crate::support::{Answer, Service, body};
use secrecy::ExposeSecret as _;
use serde_json::json;
use stackwave_auth::SecretKind;
use stackwave_domain::{
    Event, Position, StreamId, Subject, Timestamp, WorkspaceId,
    event::{ApiKeyRegistered, ApiKeyRevoked},
};
use stackwave_event_log::EventLog as _;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A key with the usual form, and its id.
async fn key(service: &Service, expires_at: Option<Timestamp>) -> (String, stackwave_domain::CredentialId) {
    let new = SecretKind::ApiKey.generate().unwrap();
    let event = ApiKeyRegistered {
        credential: new.id.clone(),
        workspace: WorkspaceId::default_workspace(),
        name: "infra".to_owned(),
        hash: new.hash,
        at: Timestamp::UNIX_EPOCH,
        expires_at,
    };
    service.append_config(Subject::config("api_key", new.id.as_str()), event.into()).await;
    (new.secret.expose_secret().to_owned(), new.id)
}

async fn upload(service: &Service, key: &str) -> Answer {
    let request = service.request("/api/v1/affected-stacks").header("authorization", format!("Bearer {key}"));
    Answer::of(request.body(body(json!([])).to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn an_expired_a_revoked_and_a_mistyped_key_are_each_a_401_that_says_so() {
    let service = Service::start().await;
    let (expired, _) = key(&service, Some("2020-01-01T00:00:00Z".parse().unwrap())).await;
    let (revoked, id) = key(&service, None).await;
    assert_eq!(upload(&service, &revoked).await.status, 200);
    let event = ApiKeyRevoked { credential: id.clone(), reason: String::new(), at: Timestamp::UNIX_EPOCH };
    service.append_config(Subject::config("api_key", id.as_str()), event.into()).await;
    for (key, words) in [
        (expired.as_str(), "the API key `infra` expired at 2020-01-01T00:00:00Z"),
        (revoked.as_str(), "the API key `infra` was revoked at 1970-01-01T00:00:00Z"),
        (&revoked[..20], "was cut or mistyped"),
    ] {
        let answer = upload(&service, key).await;
        assert_eq!((answer.status, answer.body["errorTag"].as_str()), (401, Some("Unauthorized")));
        assert!(answer.message().contains(words), "{answer:?}");
        assert!(!answer.body.to_string().contains(key), "the key is not repeated");
    }
    assert_eq!(service.uploads().await.len(), 1);
}

#[tokio::test]
async fn a_key_that_is_revoked_on_one_replica_stops_on_the_others() {
    let service = Service::start().await;
    let other = service.restarted().await;
    let (secret, id) = key(&service, None).await;
    let known = service.core.config.read(stackwave_engine::Config::position);
    other.core.config.wait_for(known).await;
    assert_eq!(upload(&other, &secret).await.status, 200);
    let event = ApiKeyRevoked { credential: id.clone(), reason: String::new(), at: Timestamp::UNIX_EPOCH };
    service.append_config(Subject::config("api_key", id.as_str()), event.into()).await;
    let stopped = async { while upload(&other, &secret).await.status != 401 {} };
    tokio::time::timeout(PATIENCE, stopped).await.unwrap();
}

#[tokio::test]
async fn the_use_of_a_key_is_told_once_in_a_while_and_delays_nobody() {
    let service = Service::start().await;
    let (secret, id) = key(&service, None).await;
    let mut changes = service.core.config.changes();
    changes.mark_unchanged();
    for _ in 0..4 {
        assert_eq!(upload(&service, &secret).await.status, 200);
    }
    let used = async {
        while service
            .core
            .config
            .read(|config| config.find_api_key(&id).unwrap().credential.last_used_at.is_none())
        {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, used).await.unwrap();
    let log = service.log.read(StreamId::Config, Position(1), 100).await.unwrap();
    let uses = |event: &&Event| matches!(event, Event::CredentialUsed(used) if used.credential == id);
    assert_eq!(log.iter().flat_map(|entry| &entry.record.events).filter(uses).count(), 1);
}
