//! What is said when it cannot be done, and what the process ends with.

use crate::{
    asking::{ask, ask_with, defaults},
    fake::Fake,
};
use secrecy::SecretString;
use stackwave_client::{Defaults, Exit, Named};
use std::io::Write as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

async fn refused(defaults: Defaults, line: &str) -> (String, Exit) {
    ask_with(defaults, line, |screen| screen).await.refused()
}

/// An address at which nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn no_server_names_the_address_where_it_was_set_and_what_to_do() {
    let url = nobody().await;
    let server = Some(Named { value: url.clone(), origin: "STACKWAVE_SERVER".to_owned() });
    let (text, exit) = refused(Defaults { server, ..Defaults::default() }, "runs list").await;
    for part in [url.as_str(), "from STACKWAVE_SERVER", "refused", "stackwave serve", "--server"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(exit, Exit::Unreachable);
}

#[tokio::test]
async fn the_option_wins_over_the_environment() {
    let fake = Fake::start().await;
    let url = nobody().await;
    let (text, _) = refused(defaults(&fake), &format!("whoami --server {url}")).await;
    assert!(text.contains("from --server"), "{text}");
}

#[tokio::test]
async fn an_address_that_is_none_is_wrong_use() {
    for url in ["127.0.0.1:8081", "ftp://x", "http://"] {
        let (text, exit) = refused(Defaults::default(), &format!("whoami --server {url}")).await;
        assert!(text.contains(url), "{text}");
        assert_eq!(exit, Exit::WrongUse, "{url}");
    }
    let (text, _) = refused(Defaults::default(), "whoami --server http://localhost:1 --ca-file ca.pem").await;
    assert!(text.contains("https://"), "{text}");
}

#[tokio::test]
async fn a_wrong_and_a_missing_token_say_where_one_comes_from() {
    let fake = Fake::start().await;
    let wrong = Named { value: SecretString::from("wrong"), origin: "STACKWAVE_ADMIN_TOKEN".to_owned() };
    let (text, exit) = refused(Defaults { token: Some(wrong), ..defaults(&fake) }, "whoami").await;
    assert_eq!(text, "the token is not known (the token comes from STACKWAVE_ADMIN_TOKEN)");
    assert_eq!(exit, Exit::Credential);
    let (text, exit) = refused(Defaults { token: None, ..defaults(&fake) }, "whoami").await;
    assert!(text.contains("STACKWAVE_TOKEN") && text.contains("--token-file"), "{text}");
    assert_eq!(exit, Exit::Credential);
}

#[tokio::test]
async fn a_token_file_wins_and_one_that_cannot_be_used_is_named() {
    let fake = Fake::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "let-me-in").unwrap();
    let wrong = Named { value: SecretString::from("wrong"), origin: "STACKWAVE_TOKEN".to_owned() };
    let defaults = Defaults { token: Some(wrong), ..defaults(&fake) };
    let line = format!("whoami --token-file {}", file.path().display());
    ask_with(defaults.clone(), &line, |screen| screen).await.done();
    let (text, exit) = refused(defaults, "whoami --token-file no/such/file").await;
    assert!(text.contains("`no/such/file`"), "{text}");
    assert_eq!(exit, Exit::WrongUse);
}

#[tokio::test]
async fn details_of_a_refusal_are_told() {
    let fake = Fake::start().await;
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("repository", "`acme` is not `owner/name`");
    fake.refuse(Status::with_error_details(Code::InvalidArgument, "the request cannot be used", details));
    let (text, exit) = ask(&fake, "runs list --repository acme").await.refused();
    assert_eq!(text, "the request cannot be used; `repository`: `acme` is not `owner/name`");
    assert_eq!(exit, Exit::WrongUse);

    let mut details = ErrorDetails::new();
    details.set_error_info("RUN_SUPERSEDED", "stackwave", std::collections::HashMap::new());
    fake.refuse(Status::with_error_details(Code::FailedPrecondition, "run r1 was superseded by r2", details));
    let (text, exit) = ask(&fake, "retry r1").await.refused();
    assert_eq!(text, "run r1 was superseded by r2 [RUN_SUPERSEDED]");
    assert_eq!(exit, Exit::Failed);
}

#[tokio::test]
async fn a_command_whose_answer_is_lost_can_be_repeated_under_its_name() {
    let fake = Fake::start().await;
    fake.refuse(Status::unavailable("the event log does not answer"));
    let (text, exit) = ask(&fake, "retry r1 --request-id once").await.refused();
    assert!(text.contains("the event log does not answer") && text.contains("--request-id once"), "{text}");
    assert_eq!(exit, Exit::Unreachable);
}

#[tokio::test]
async fn what_is_not_found_is_a_failure_and_not_wrong_use() {
    let fake = Fake::start().await;
    fake.refuse(Status::not_found("no run has the id `r9`"));
    assert_eq!(
        ask(&fake, "runs show r9").await.refused(),
        ("no run has the id `r9`".to_owned(), Exit::Failed)
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_told() {
    // It takes connections, and never says a word.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (text, exit) = refused(Defaults::default(), &format!("whoami --server {url} --timeout 200ms")).await;
    assert!(text.contains("--timeout"), "{text}");
    assert_eq!(exit, Exit::Unreachable);
    drop(listener);
}

#[tokio::test]
async fn what_is_waited_for_no_longer_than_the_timeout_says_how_to_go_on() {
    let fake = Fake::start().await;
    // Less than what goes by before a command is asked about again.
    let (text, exit) = refused(defaults(&fake), "cancel r1 --wait --timeout 450ms").await;
    assert!(text.contains("is accepted") && text.contains("stackwave commands show c-0193f0a1"), "{text}");
    assert_eq!(exit, Exit::Unreachable);
}
