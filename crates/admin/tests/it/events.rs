use crate::support::{Admin, PATIENCE, authorized, opened, released};
use stackwave_admin_proto::v1::{
    EventRecord, GetEventRequest, LogPosition, StreamEventsRequest, StreamEventsResponse,
    events_client::EventsClient, stream_events_request::Scope,
};
use stackwave_domain::{RepositoryId, StreamId, Subject, event::PushObserved, event::Source};
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt as _;

async fn client(admin: &Admin) -> EventsClient<Channel> {
    EventsClient::new(admin.channel().await)
}

fn of_run(id: &str) -> StreamEventsRequest {
    StreamEventsRequest { scope: Some(Scope::RunId(id.to_owned())), ..Default::default() }
}

fn of_repository() -> StreamEventsRequest {
    StreamEventsRequest { scope: Some(Scope::Repository("acme/infra".to_owned())), ..Default::default() }
}

async fn open(
    admin: &Admin,
    request: StreamEventsRequest,
) -> Result<Streaming<StreamEventsResponse>, Status> {
    client(admin).await.stream_events(authorized(request)).await.map(tonic::Response::into_inner)
}

async fn next(stream: &mut Streaming<StreamEventsResponse>) -> Option<EventRecord> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap();
    next.map(|answer| answer.record.unwrap())
}

async fn positions(admin: &Admin, request: StreamEventsRequest) -> Vec<u64> {
    let mut stream = open(admin, request).await.unwrap();
    let mut positions = Vec::new();
    while let Some(record) = next(&mut stream).await {
        positions.push(record.position.unwrap().position);
    }
    positions
}

/// A record of another repository in the same partition.
async fn elsewhere(admin: &Admin) {
    let push = PushObserved {
        source: Source::Webhook { delivery: "d".into() },
        git_ref: "main".into(),
        before: "a".into(),
        after: "b".into(),
    };
    let subject = Subject::github(StreamId::Partition(0), RepositoryId(77), "push");
    admin.append(subject, vec![push.into()]).await;
}

#[tokio::test]
async fn a_runs_records_come_from_the_first_and_then_as_they_are_appended() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    elsewhere(&admin).await;
    admin.decide(vec![opened("two", 8).into()]).await;
    let mut stream = open(&admin, StreamEventsRequest { follow: true, ..of_run("one") }).await.unwrap();
    let first = next(&mut stream).await.unwrap();
    let at = first.position.unwrap();
    assert_eq!((at.stream.as_str(), at.position, first.subject.as_str()), ("SW_00", 1, "sw.00.42.ledger"));
    assert_eq!((first.actor.as_str(), first.events[0].name.as_str()), ("test", "run_opened"));
    assert_eq!(first.events[0].summary, "about run_opened");
    let json: serde_json::Value = serde_json::from_str(&first.events[0].json).unwrap();
    assert_eq!(json["run"], "one");
    // What comes later, of this run only.
    admin.decide(vec![released("two").into()]).await;
    admin.decide(vec![released("one").into(), released("two").into()]).await;
    let live = next(&mut stream).await.unwrap();
    assert_eq!((live.position.unwrap().position, live.events.len()), (5, 1));
}

#[tokio::test]
async fn a_stream_that_broke_is_taken_up_without_a_gap_and_without_a_repeat() {
    let admin = Admin::start().await;
    for number in 0..20 {
        admin.decide(vec![opened(&format!("run-{number}"), number).into()]).await;
        elsewhere(&admin).await;
    }
    let whole = positions(&admin, StreamEventsRequest { from_position: 1, ..of_repository() }).await;
    assert_eq!(whole, (1..40).step_by(2).collect::<Vec<u64>>());
    let mut seen = Vec::new();
    while seen.len() < whole.len() {
        let from_position = seen.last().copied().unwrap_or(0) + 1;
        let part = StreamEventsRequest { from_position, limit: 3, follow: true, ..of_repository() };
        seen.extend(positions(&admin, StreamEventsRequest { follow: false, ..part }).await);
    }
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn events_are_chosen_by_name_and_time_and_the_stream_ends_where_it_was() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    admin.decide(vec![released("one").into()]).await;
    let released_only = StreamEventsRequest { event_names: vec!["stack_released".into()], ..of_run("one") };
    assert_eq!(positions(&admin, released_only).await, [2]);
    let long_ago = prost_types::Timestamp { seconds: 0, nanos: 0 };
    let since = StreamEventsRequest { from_time: Some(long_ago), ..of_repository() };
    assert_eq!(positions(&admin, since).await, [1, 2]);
    assert!(positions(&admin, of_repository()).await.is_empty());
    let config = StreamEventsRequest {
        scope: Some(Scope::Stream("SW_CONFIG".into())),
        from_position: 1,
        ..Default::default()
    };
    assert!(!positions(&admin, config).await.is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_names_the_field() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    let at = prost_types::Timestamp::default();
    for (field, request) in [
        ("scope", StreamEventsRequest::default()),
        ("run_id", of_run("")),
        ("event_names", StreamEventsRequest { event_names: vec!["stack_freed".into()], ..of_run("one") }),
        ("from_time", StreamEventsRequest { from_position: 1, from_time: Some(at), ..of_run("one") }),
        ("stream", StreamEventsRequest { scope: Some(Scope::Stream("SW_07".into())), ..Default::default() }),
    ] {
        let status = open(&admin, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
    }
    assert_eq!(open(&admin, of_run("none")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn one_record_is_found_by_its_place() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    let get = async |stream: &str, position: u64| {
        let position = Some(LogPosition { stream: stream.to_owned(), position });
        client(&admin).await.get_event(authorized(GetEventRequest { position })).await
    };
    let found = get("SW_00", 1).await.unwrap().into_inner().record.unwrap();
    assert_eq!(found.events[0].name, "run_opened");
    assert_eq!(get("SW_00", 99).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(get("SW_00", 0).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(get("nowhere", 1).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_client_that_reads_slowly_loses_nothing_and_one_that_leaves_frees_its_place() {
    let admin = Admin::start().await;
    for number in 0..300 {
        admin.decide(vec![opened(&format!("run-{number}"), number).into()]).await;
    }
    let request = StreamEventsRequest { from_position: 1, follow: true, ..of_repository() };
    // More than are allowed at a time, one after the other: each place is free again.
    let mut client = client(&admin).await;
    for _ in 0..300 {
        let opened = async {
            loop {
                match client.stream_events(authorized(request.clone())).await {
                    Err(status) if status.code() == Code::ResourceExhausted => tokio::task::yield_now().await,
                    opened => return opened.unwrap(),
                }
            }
        };
        drop(tokio::time::timeout(PATIENCE, opened).await.unwrap());
    }
    let mut stream = client.stream_events(authorized(request)).await.unwrap().into_inner();
    for expected in 1..=300 {
        assert_eq!(next(&mut stream).await.unwrap().position.unwrap().position, expected);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_process_drains_and_says_so() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    let mut stream = open(&admin, StreamEventsRequest { follow: true, ..of_run("one") }).await.unwrap();
    next(&mut stream).await.unwrap();
    admin.core.shutdown.cancel();
    let status = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "DRAINING");
    let served = tokio::time::timeout(PATIENCE, admin.served).await;
    assert!(matches!(served, Ok(Ok(Ok(())))), "{served:?}");
}
