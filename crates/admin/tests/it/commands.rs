use crate::support::{Admin, PARTITION, authorized, opened, released};
use stackwave_admin_proto::v1::{
    CancelRequest, CommandStatus, GetCommandRequest, ResolveRequest, ResyncRequest, RetryRequest, StackKey,
    commands_client::CommandsClient, resolve_request::Outcome,
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

async fn client(admin: &Admin) -> CommandsClient<Channel> {
    CommandsClient::new(admin.channel().await)
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().unwrap().reason.clone()
}

fn key() -> Option<StackKey> {
    Some(StackKey { component: "vpc".to_owned(), stack: "dev".to_owned() })
}

#[tokio::test]
async fn a_command_is_in_the_log_with_its_actor_before_it_is_answered_and_a_repeat_is_one() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into(), released("one").into()]).await;
    let mut client = client(&admin).await;
    let cancel = CancelRequest {
        run_id: "one".to_owned(),
        key: key(),
        reason: "the wrong branch".to_owned(),
        request_id: "mine".to_owned(),
        ..Default::default()
    };
    let first = client.cancel(authorized(cancel.clone())).await.unwrap().into_inner().command.unwrap();
    assert_eq!((first.kind.as_str(), first.actor.as_str()), ("cancel", "bootstrap"));
    assert_eq!((first.reason.as_str(), first.run_id.as_str()), ("the wrong branch", "one"));
    assert_eq!((first.status(), first.key.clone()), (CommandStatus::Accepted, key()));
    let before = admin.core.log.last_position(PARTITION).await.unwrap();
    assert_eq!(before.0, first.record.as_ref().unwrap().position);
    let again = client.cancel(authorized(cancel.clone())).await.unwrap().into_inner().command.unwrap();
    assert_eq!(again, first);
    assert_eq!(admin.core.log.last_position(PARTITION).await.unwrap(), before);

    let got = client.get_command(authorized(GetCommandRequest { command_id: first.id.clone() })).await;
    assert_eq!(got.unwrap().into_inner().command.unwrap(), first);
    // A name is one command's: without the stack it is another.
    let other = CancelRequest { key: None, ..cancel };
    let status = client.cancel(authorized(other)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELD"));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason_and_not_in_the_log() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into(), released("one").into()]).await;
    let before = admin.core.log.last_position(PARTITION).await.unwrap();
    let mut client = client(&admin).await;
    let retry = RetryRequest { run_id: "one".to_owned(), key: key(), ..Default::default() };
    let status = client.retry(authorized(retry)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let details = status.get_error_details();
    let violation = &details.precondition_failure().unwrap().violations[0];
    assert_eq!(violation.subject, "run one");
    assert_eq!(details.error_info().unwrap().reason, violation.r#type);

    let missing = RetryRequest { run_id: "none".to_owned(), ..Default::default() };
    let status = client.retry(authorized(missing)).await.unwrap_err();
    assert!(matches!(status.code(), Code::NotFound), "{status}");
    let nothing = ResyncRequest::default();
    assert_eq!(client.resync(authorized(nothing)).await.unwrap_err().code(), Code::InvalidArgument);
    let unsaid = ResolveRequest { dispatch_id: "d1".to_owned(), ..Default::default() };
    assert_eq!(client.resolve(authorized(unsaid)).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = ResolveRequest {
        dispatch_id: "d9".to_owned(),
        outcome: Some(Outcome::NotHappened(true)),
        ..Default::default()
    };
    assert_eq!(client.resolve(authorized(unknown)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(admin.core.log.last_position(PARTITION).await.unwrap(), before);
}

#[tokio::test]
async fn a_run_is_cancelled_and_a_repository_looked_at() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    let mut client = client(&admin).await;
    let cancel = CancelRequest { run_id: "one".to_owned(), ..Default::default() };
    let cancelled = client.cancel(authorized(cancel)).await.unwrap().into_inner().command.unwrap();
    assert_eq!((cancelled.kind.as_str(), cancelled.run_id.as_str()), ("cancel", "one"));
    let resync =
        ResyncRequest { repository: "acme/infra".to_owned(), pull_request: Some(7), ..Default::default() };
    let looked = client.resync(authorized(resync)).await.unwrap().into_inner().command.unwrap();
    assert_eq!((looked.kind.as_str(), looked.status()), ("resync", CommandStatus::Accepted));
    assert_eq!(looked.repository.unwrap().name, "acme/infra");
}
