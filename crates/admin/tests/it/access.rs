use crate::support::{Admin, TOKEN, with_header};
use stackwave_admin_proto::v1::{GetRunRequest, ListRunsRequest};
use tonic::{Code, Request};

#[tokio::test]
async fn without_a_configured_token_every_call_is_refused_and_told_which_setting_to_set() {
    let admin = Admin::start_with(None).await;
    let mut client = admin.client().await;
    let listed =
        client.list_runs(with_header(ListRunsRequest::default(), "Bearer anything")).await.unwrap_err();
    let got = client.get_run(Request::new(GetRunRequest::default())).await.unwrap_err();
    for status in [listed, got] {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.message().contains("STACKWAVE_ADMIN_TOKEN"), "{status}");
    }
}

#[tokio::test]
async fn a_missing_malformed_or_wrong_token_is_refused_and_never_repeated() {
    let admin = Admin::start().await;
    let mut client = admin.client().await;
    let missing = client.list_runs(Request::new(ListRunsRequest::default())).await.unwrap_err();
    assert_eq!(missing.code(), Code::Unauthenticated);
    for header in ["Basic eA==", "Bearer", "Bearer two words", "Bearer wrong-horse", "correct-horse"] {
        let status = client.list_runs(with_header(ListRunsRequest::default(), header)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{header}");
        assert!(!status.message().contains("horse"), "{status}");
    }
}

#[tokio::test]
async fn the_scheme_is_read_whatever_its_case() {
    let admin = Admin::start().await;
    admin.list(ListRunsRequest::default()).await.unwrap();
    let header = format!("bearer {TOKEN}");
    admin.client().await.list_runs(with_header(ListRunsRequest::default(), &header)).await.unwrap();
}
