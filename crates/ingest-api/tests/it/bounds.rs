//! Bodies that are meant to hurt: refused in bounded time and memory.

use crate::support::{Answer, KEY, Service, body, edges};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use stackwave_ingest_api::{
    Config,
    parse::{Limits, parse_affected, parse_upload},
};
use std::{io::Write as _, time::Duration};

/// A chain of dependents below one top-level entry, built as text: `serde_json` itself would recurse.
fn chain(levels: usize) -> String {
    let mut stacks = String::new();
    for level in 0..=levels {
        stacks.push_str(&format!(r#"{{"component":"c{level}","stack":"s","dependents":["#));
    }
    stacks.push_str(&"]}".repeat(levels + 1));
    body(json!([])).to_string().replace(r#""stacks":[]"#, &format!(r#""stacks":[{stacks}]"#))
}

/// Diamonds on top of each other, with every subtree repeated as Atmos repeats it: `top -> (left, right) -> next top`.
fn diamonds(count: usize) -> String {
    let mut tree = format!(r#"{{"component":"top{count}","stack":"s","dependents":[]}}"#);
    for level in (0..count).rev() {
        let side =
            |name: &str| format!(r#"{{"component":"{name}{level}","stack":"s","dependents":[{tree}]}}"#);
        tree = format!(
            r#"{{"component":"top{level}","stack":"s","dependents":[{},{}]}}"#,
            side("left"),
            side("right")
        );
    }
    body(json!([])).to_string().replace(r#""stacks":[]"#, &format!(r#""stacks":[{tree}]"#))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn post_gzip(service: &Service, bytes: Vec<u8>) -> Answer {
    let request =
        service.request("/api/v1/affected-stacks").bearer_auth(KEY).header("content-encoding", "gzip");
    Answer::of(request.body(bytes).send().await.unwrap()).await
}

#[tokio::test]
async fn a_chain_of_five_hundred_works_and_one_of_five_thousand_is_refused() {
    let service = Service::start().await;
    assert_eq!(service.post(chain(500)).await.body["data"]["accepted"], 501);
    let fragment = service.only_fragment().await;
    assert_eq!(fragment.edges.len(), 500);
    assert!(edges(&fragment).contains(&"c499/s -> c500/s".to_owned()));
    assert_eq!(service.post(chain(1_000)).await.status, 200);
    assert_eq!(service.post(chain(1_001)).await.status, 400);
    let answer = service.post(chain(5_000)).await;
    assert_eq!(answer.status, 400);
    insta::assert_snapshot!(answer.message(), @"the upload is not valid: `stacks[0].dependents[0].dependents[0].dependents[0].dependents[0].dependents[0].dependents[0].dependents[0].… (993 levels) ….dependents[0]` lies more than 1000 levels of dependents deep");
}

#[tokio::test]
async fn more_than_a_million_entries_are_refused() {
    let service = Service::start().await;
    let entry = r#"{"component":"a","stack":"b"},"#;
    let stacks = entry.repeat(1_000_001);
    let upload = body(json!([]))
        .to_string()
        .replace("\"stacks\":[]", &format!("\"stacks\":[{}]", &stacks[..stacks.len() - 1]));
    let answer = service.post(upload).await;
    assert_eq!((answer.status, answer.field()), (413, "stacks"));
    insta::assert_snapshot!(answer.message(), @"the upload lists more than 1000000 stacks in `stacks` and their `dependents`, repeats included; upload in smaller chunks by lowering `settings.pro.max_payload_bytes` in `atmos.yaml`");
}

#[tokio::test]
async fn stacked_diamonds_give_each_stack_once_and_too_many_are_refused() {
    let service = Service::start().await;
    let answer = service.post(diamonds(12)).await;
    assert_eq!((answer.status, &answer.body["data"]["accepted"]), (200, &json!(37)));
    assert_eq!(service.only_fragment().await.edges.len(), 48);
    // Twenty make three million entries and 190 MB of JSON, but only as many bytes on the wire as gzip needs. They are
    // written piece by piece here, so that this test stays as small as the service.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(br#"{"stacks":["#).unwrap();
    write_diamonds(&mut encoder, 0, 20, &mut 0);
    let answer = post_gzip(&service, encoder.finish().unwrap()).await;
    assert_eq!(answer.status, 413);
    assert!(answer.message().contains("after decompression"), "{answer:?}");
}

/// Stops once more has been written than any server reads.
fn write_diamonds(out: &mut impl std::io::Write, level: usize, count: usize, written: &mut usize) {
    if *written > 40 << 20 {
        return;
    }
    *written +=
        out.write(format!(r#"{{"component":"top{level}","stack":"s","dependents":["#).as_bytes()).unwrap();
    if level < count {
        for side in ["left", "right"] {
            let entry = format!(r#"{{"component":"{side}{level}","stack":"s","dependents":["#);
            *written += out.write(entry.as_bytes()).unwrap();
            write_diamonds(out, level + 1, count, written);
            out.write_all(if side == "left" { b"]}," } else { b"]}" }).unwrap();
        }
    }
    out.write_all(b"]}").unwrap();
}

#[test]
fn the_visit_limit_ends_the_reading_of_diamonds() {
    let limits = Limits { entries: 10_000, ..Limits::default() };
    let error = parse_upload(diamonds(14).as_bytes(), limits).unwrap_err();
    assert!(error.to_string().contains("more than 10000 stacks"), "{error}");
}

#[tokio::test]
async fn gzip_is_read_and_a_bomb_is_refused() {
    let service = Service::start().await;
    let upload = body(json!([{ "component": "a", "stack": "b" }])).to_string();
    assert_eq!(post_gzip(&service, gzip(upload.as_bytes())).await.status, 200);
    let uploads = service.uploads().await;
    assert_eq!(service.raw(&uploads[0]).await, upload, "kept as it was meant");
    assert_eq!(service.post(upload).await.status, 200);
    let uploads = service.uploads().await;
    assert_eq!(uploads[0].digest, uploads[1].digest, "packing does not make another upload");

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let answer = post_gzip(&service, bomb.finish().unwrap()).await;
    assert_eq!(answer.status, 413);
    insta::assert_snapshot!(answer.message(), @"the body has more than 33554432 bytes (32 MiB) after decompression, the limit of this server; upload in smaller chunks by setting `settings.pro.max_payload_bytes` in `atmos.yaml` below it");

    assert_eq!(post_gzip(&service, b"no gzip".to_vec()).await.status, 400);
    let half = gzip(body(json!([])).to_string().as_bytes());
    assert_eq!(post_gzip(&service, half[..half.len() / 2].to_vec()).await.status, 400);
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_with_and_without_a_length() {
    let service = Service::start_with(Config { body_limit: 1 << 20, ..Config::default() }).await;
    let fits = format!("{}{}", body(json!([])), " ".repeat((1 << 20) - body(json!([])).to_string().len()));
    assert_eq!(service.post(fits.clone()).await.status, 200);
    let answer = service.post(fits + " ").await;
    assert_eq!(answer.status, 413);
    assert!(answer.message().contains("1048576 bytes (1 MiB), the limit"), "{answer:?}");
    assert!(answer.message().contains("settings.pro.max_payload_bytes"), "{answer:?}");
    let chunks = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])));
    let answer = service.post(reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let config = Config { body_timeout: Duration::from_millis(50), ..Config::default() };
    let service = Service::start_with(config).await;
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    assert_eq!(service.post(reqwest::Body::wrap_stream(never)).await.status, 408);
}

#[tokio::test]
async fn when_too_many_bodies_are_held_the_next_is_told_to_come_again() {
    let config = Config { memory: 1 << 20, memory_patience: Duration::from_millis(50), ..Config::default() };
    let service = Service::start_with(config).await;
    service.log.hold(true);
    let upload = format!("{}{}", body(json!([])), " ".repeat(1 << 20));
    let first = service.post(upload.clone());
    let second = async {
        while service.log.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let answer = service.post(upload.clone()).await;
        service.log.hold(false);
        answer
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.status, second.status), (200, 503));
}

#[test]
fn nesting_in_fields_that_nobody_reads_costs_no_stack() {
    let deep = format!("{}{}", "[".repeat(2_000_000), "]".repeat(2_000_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(500_000), "}".repeat(500_000));
    for text in [
        format!(r#"[{{"component":"a","stack":"b","x":{deep}}}]"#),
        format!(r#"[{{"component":"a","stack":"b","settings":{{"x":{objects}}}}}]"#),
        format!(
            r#"[{{"component":"a","stack":"b","settings":{{"pro":{{"x":{objects},"pull_request":{{"opened":{{"y":{deep}}}}}}}}}}}]"#
        ),
        format!(r#"{{"stacks":[{{"component":"a","stack":"b"}}],"x":{objects}}}"#),
    ] {
        assert_eq!(parse_affected(text.as_bytes(), Limits::default()).unwrap().stacks.len(), 1);
    }
    let input = format!(
        r#"[{{"component":"a","stack":"b","pro":{{"release":{{"released":{{"workflows":{{"w":{{"inputs":{{"x":{deep}}}}}}}}}}}}}}}]"#
    );
    let error = parse_affected(input.as_bytes(), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("must be a string, a number or a boolean, not an array"), "{error}");
}

#[test]
fn configured_inputs_are_bounded() {
    let inputs: Vec<String> = (0..100).map(|number| format!(r#""i{number}":1"#)).collect();
    let entries: Vec<String> = (0..200)
        .map(|number| {
            let inputs = inputs.join(",");
            format!(r#"{{"component":"c{number}","stack":"s","pro":{{"release":{{"released":{{"workflows":{{"w":{{"inputs":{{{inputs}}}}}}}}}}}}}}}"#)
        })
        .collect();
    let text = format!("[{}]", entries.join(","));
    assert_eq!(parse_affected(text.as_bytes(), Limits::default()).unwrap().stacks.len(), 200);
    let error = parse_affected(text.as_bytes(), Limits { inputs: 10_000, ..Limits::default() }).unwrap_err();
    assert!(error.to_string().contains("more than 10000 workflow inputs"), "{error}");
}
