//! Lists come in pages, and are printed as one.

use crate::{
    answers::RUNS,
    asking::{ask, ask_with, defaults},
    fake::Fake,
};
use serde_json::Value;
use stackwave_client::{Failure, Screen};
use std::io;

/// `page_size` and `page_token` of every question.
fn pages(fake: &Fake) -> Vec<String> {
    let page = |message: String| {
        let (page, _) = message.split_once(", repository").unwrap();
        page.trim_start_matches("ListRunsRequest { ").to_owned()
    };
    fake.messages("Runs/ListRuns").into_iter().map(page).collect()
}

#[tokio::test]
async fn a_list_is_fifty_long_and_says_how_to_go_on() {
    let fake = Fake::start().await;
    let printed = ask(&fake, "runs list").await;
    assert_eq!(printed.out.lines().count(), 51);
    assert!(printed.err.contains("--page-token '50'"), "{}", printed.err);
    assert_eq!(pages(&fake), ["page_size: 50, page_token: \"\""]);
}

#[tokio::test]
async fn a_limit_above_a_page_is_asked_for_in_pages() {
    let fake = Fake::start().await;
    assert_eq!(ask(&fake, "runs list --limit 700 --page-token 100").await.done().lines().count(), 701);
    assert_eq!(pages(&fake), ["page_size: 500, page_token: \"100\"", "page_size: 200, page_token: \"600\""]);
}

#[tokio::test]
async fn all_are_one_document() {
    let fake = Fake::start().await;
    let document: Value = serde_json::from_str(&ask(&fake, "runs list --all -o json").await.done()).unwrap();
    let runs = document["runs"].as_array().unwrap();
    assert_eq!(runs.len(), RUNS);
    assert_eq!(runs[1202]["id"], "pr7-opened-0001202-5e1b9a04c2d3");
    assert_eq!(document["next_page_token"], "");
}

#[tokio::test]
async fn a_list_of_some_names_the_next_page_in_its_document() {
    let fake = Fake::start().await;
    let document: Value = serde_json::from_str(&ask(&fake, "runs list -n 3 -o json").await.done()).unwrap();
    assert_eq!(document["next_page_token"], "3");
}

#[tokio::test]
async fn an_empty_list_is_an_empty_document_and_a_word_on_standard_error() {
    let fake = Fake::start().await;
    let verb = format!("runs list --page-token {RUNS}");
    let printed = ask(&fake, &verb).await;
    assert_eq!((printed.out.as_str(), printed.err.as_str()), ("", "none\n"));
    let document: Value = serde_json::from_str(&ask(&fake, &format!("{verb} -o json")).await.done()).unwrap();
    assert_eq!(document, serde_json::json!({ "runs": [], "next_page_token": "" }));
}

/// A reader that went away, as in `stackwave runs list --all | head`.
struct Gone;

impl io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_told_apart_from_what_fails() {
    let fake = Fake::start().await;
    let (mut out, mut err) = (Gone, Vec::new());
    let mut screen = Screen::new(&mut out, &mut err, crate::asking::now());
    let command = crate::asking::parse("runs list --all").unwrap();
    let failure = stackwave_client::run(command, defaults(&fake), &mut screen).await.unwrap_err();
    let Failure::Print(error) = failure else { panic!("{failure}") };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(fake.messages("Runs/ListRuns").len(), 1);
}

#[tokio::test]
async fn a_page_that_is_refused_ends_the_list() {
    let fake = Fake::start().await;
    fake.refuse(tonic::Status::invalid_argument("`page_token`: this server gave no such token"));
    let (text, exit) = ask_with(defaults(&fake), "runs list", |screen| screen).await.refused();
    assert_eq!(text, "`page_token`: this server gave no such token");
    assert_eq!(exit, stackwave_client::Exit::WrongUse);
}
