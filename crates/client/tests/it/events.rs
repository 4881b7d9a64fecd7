//! A stream that breaks is taken up again where it ended.

use crate::{asking::ask, fake::Fake};
use stackwave_client::Exit;
use tonic::Status;

/// The positions that were printed.
fn positions(out: &str) -> Vec<u64> {
    let position = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["position"]["position"].as_u64()
    };
    out.lines().map(|line| position(line).unwrap()).collect()
}

/// Where each call of the stream began.
fn froms(fake: &Fake) -> Vec<String> {
    let from = |message: String| {
        let (_, rest) = message.split_once("from_position: ").unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    fake.messages("Events/StreamEvents").into_iter().map(from).collect()
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_again_and_nothing_is_lost_or_repeated() {
    let fake = Fake::start().await;
    fake.stream(&[118, 119], Some(Status::unavailable("going down")));
    fake.stream(&[], None);
    // A server that repeats itself does not make us repeat ourselves.
    fake.stream(&[119, 120, 121], None);
    let printed = ask(&fake, "events --run r1 --follow --limit 4 -o json").await;
    assert_eq!(positions(&printed.out), [118, 119, 120, 121]);
    assert_eq!(froms(&fake), ["0", "120", "120"]);
    assert_eq!(printed.ended, Ok(()));
    assert!(printed.err.contains("going down"), "{}", printed.err);
}

#[tokio::test]
async fn a_stream_that_is_not_followed_ends_with_what_was_there() {
    let fake = Fake::start().await;
    fake.stream(&[118, 119], None);
    assert_eq!(positions(&ask(&fake, "events --run r1 -o json").await.done()), [118, 119]);
    assert_eq!(fake.messages("Events/StreamEvents").len(), 1);
}

#[tokio::test]
async fn a_part_that_breaks_is_taken_up_again_also_without_following() {
    let fake = Fake::start().await;
    fake.stream(&[118], Some(Status::unavailable("going down")));
    fake.stream(&[119], None);
    assert_eq!(positions(&ask(&fake, "events --run r1 -o json").await.done()), [118, 119]);
    assert_eq!(froms(&fake), ["0", "119"]);
}

#[tokio::test]
async fn what_the_server_refuses_is_not_tried_again() {
    let fake = Fake::start().await;
    fake.refuse(Status::not_found("no run has the id `r1`"));
    let (text, exit) = ask(&fake, "events --run r1 --follow").await.refused();
    assert_eq!((text.as_str(), exit), ("no run has the id `r1`", Exit::Failed));
    fake.stream(&[118], Some(Status::permission_denied("the token was revoked")));
    let printed = ask(&fake, "events --run r1 --follow").await;
    assert_eq!(printed.out.lines().count(), 1);
    assert_eq!(printed.refused().1, Exit::Credential);
}

#[tokio::test]
async fn who_follows_from_now_on_begins_at_a_position_so_that_a_break_loses_nothing() {
    let fake = Fake::start().await;
    fake.stream(&[], Some(Status::unavailable("going down")));
    fake.stream(&[132], None);
    let printed = ask(&fake, "events --repository acme/infra --follow --limit 1 -o json").await;
    assert_eq!(positions(&printed.out), [132]);
    assert_eq!(froms(&fake), ["132", "132"]);
    fake.stream(&[132], None);
    ask(&fake, "events --stream SW_00 --follow --limit 1").await.done();
    assert_eq!(froms(&fake), ["132"]);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_named() {
    let fake = Fake::start().await;
    let (text, exit) = ask(&fake, "events --stream SW_77 --follow").await.refused();
    assert!(text.contains("`SW_77`") && text.contains("system log"), "{text}");
    assert_eq!(exit, Exit::Failed);
}

#[tokio::test]
async fn without_following_a_repository_is_told_from_its_first_record() {
    let fake = Fake::start().await;
    ask(&fake, "events --repository acme/infra").await.done();
    // By time, since the first position may have been purged.
    let [message] = fake.messages("Events/StreamEvents").try_into().unwrap();
    assert!(message.contains("from_time: Some(Timestamp { seconds: 0, nanos: 0 })"), "{message}");
}
