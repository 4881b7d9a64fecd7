//! Chunked uploads: any order, repeats, contradictions.

use crate::support::{Answer, KEY, OTHER_KEY, REPOSITORY, Service, body};
use serde_json::{Value, json};
use stackwave_domain::{CredentialId, Fragment, event::Batch};

fn chunk(batch: &str, index: u32, total: u32, stacks: &[&str]) -> String {
    let entries: Vec<Value> =
        stacks.iter().map(|name| json!({ "component": name, "stack": "dev" })).collect();
    let mut upload = body(json!(entries));
    (upload["batch_id"], upload["batch_index"], upload["batch_total"]) =
        (json!(batch), json!(index), json!(total));
    upload.to_string()
}

#[tokio::test]
async fn shuffled_and_repeated_chunks_are_each_stored_once() {
    let service = Service::start().await;
    for (index, name) in [(2, "c"), (0, "a"), (2, "c"), (1, "b"), (0, "a")] {
        let answer = service.post(chunk("b-1", index, 3, &[name])).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let uploads = service.uploads().await;
    let order: Vec<u32> = uploads.iter().map(|upload| upload.batch.as_ref().unwrap().index).collect();
    assert_eq!(order, [2, 0, 1]);
    assert_eq!(uploads[0].batch, Some(Batch { id: "b-1".into(), index: 2, total: 3 }));
    let parts: Vec<_> = uploads.iter().map(|upload| upload.fragment.get().unwrap().clone()).collect();
    assert_eq!(Fragment::unite(parts.iter().map(AsRef::as_ref)).stacks.len(), 3);
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_upload() {
    let service = Service::start().await;
    let first = service.post(chunk("b-1", 0, 2, &["a"])).await;
    let again = service.post(chunk("b-1", 0, 2, &["a"])).await;
    assert_eq!(first.body["data"]["uploadId"], again.body["data"]["uploadId"]);
    assert_eq!(
        (&first.body["data"]["duplicate"], &again.body["data"]["duplicate"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn another_content_under_the_same_index_is_a_409() {
    let service = Service::start().await;
    assert_eq!(service.post(chunk("b-1", 0, 2, &["a"])).await.status, 200);
    let answer = service.post(chunk("b-1", 0, 2, &["b"])).await;
    assert_eq!((answer.status, answer.field()), (409, "batch_index"));
    insta::assert_snapshot!(answer.message(), @"chunk 0 of the batch `b-1` was uploaded before with other content; upload everything anew");
    assert_eq!(service.post(chunk("b-1", 1, 2, &["b"])).await.status, 200, "the batch itself goes on");
}

#[tokio::test]
async fn another_total_is_a_409() {
    let service = Service::start().await;
    assert_eq!(service.post(chunk("b-1", 0, 2, &["a"])).await.status, 200);
    let answer = service.post(chunk("b-1", 1, 3, &["b"])).await;
    assert_eq!((answer.status, answer.field()), (409, "batch_total"));
    insta::assert_snapshot!(answer.message(), @"the batch `b-1` has 2 chunks by an earlier chunk and 3 by this one; upload everything anew");
}

#[tokio::test]
async fn a_restarted_process_knows_repeats_and_contradictions_by_the_log() {
    let first = Service::start().await;
    assert_eq!(first.post(chunk("b-1", 0, 2, &["a"])).await.status, 200);
    let second = first.restarted().await;
    let again = second.post(chunk("b-1", 0, 2, &["a"])).await;
    assert_eq!((again.status, &again.body["data"]["duplicate"]), (200, &json!(true)));
    let third = first.restarted().await;
    let other = third.post(chunk("b-1", 0, 2, &["b"])).await;
    assert_eq!((other.status, other.body["errorTag"].as_str()), (409, Some("BatchConflict")));
    assert_eq!(third.uploads().await.len(), 1);
}

#[tokio::test]
async fn batches_of_different_credentials_and_repositories_are_different_batches() {
    let service = Service::start().await;
    service.register_repository(77, "acme", "theirs", "another").await;
    assert_eq!(service.post(chunk("b-1", 0, 2, &["a"])).await.status, 200);
    let in_infra = chunk("b-1", 0, 3, &["x"]).replace("landing-zone", "infra");
    assert_eq!(service.post(in_infra).await.status, 200);
    let theirs = chunk("b-1", 0, 4, &["y"]).replace("landing-zone", "theirs");
    let request = service.request("/api/v1/affected-stacks").bearer_auth(OTHER_KEY).body(theirs);
    assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 200);
    let credential = |upload: &stackwave_domain::event::UploadReceived| upload.credential.clone();
    let credentials: Vec<CredentialId> = service.uploads().await.iter().map(credential).collect();
    assert_eq!(credentials.len(), 3);
    assert_ne!(credentials[0], credentials[2]);
}

#[tokio::test]
async fn the_message_id_names_repository_credential_batch_and_index() {
    let service = Service::start().await;
    service.post(chunk("b-1", 1, 2, &["a"])).await;
    let credential = stackwave_auth::hash_api_key(&KEY.into()).prefix(12).to_owned();
    assert_eq!(service.log.message_ids(), [format!("upload:{REPOSITORY}:{credential}:b-1:1")]);
    service.post(body(json!([])).to_string()).await;
    assert_eq!(service.log.message_ids().len(), 1, "a whole upload has none");
}
