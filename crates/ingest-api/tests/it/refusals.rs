//! Bad input: the status, the field, and words that help.

use crate::support::{Answer, KEY, Service, body};
use serde_json::{Value, json};

fn stack(change: impl FnOnce(&mut Value)) -> Value {
    let mut entry = json!({ "component": "vpc", "stack": "dev" });
    change(&mut entry);
    body(json!([{ "component": "a", "stack": "b" }, entry]))
}

fn with(field: &str, value: Value) -> Value {
    let mut upload = body(json!([]));
    upload[field] = value;
    upload
}

fn without(field: &str) -> Value {
    let mut upload = body(json!([]));
    upload.as_object_mut().unwrap().remove(field);
    upload
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let service = Service::start().await;
    let sha = "must be a full commit id of 40 hexadecimal digits";
    let cases = [
        (json!([]), "", "the body must be an object, not an array"),
        (json!("x"), "", "the body must be an object, not a string"),
        (without("stacks"), "stacks", "is missing"),
        (with("stacks", json!(null)), "stacks", "must be an array, not null"),
        (with("stacks", json!({})), "stacks", "must be an array, not an object"),
        (with("stacks", json!([7])), "stacks[0]", "must be an object, not a number"),
        (without("head_sha"), "head_sha", "is missing"),
        (with("head_sha", json!("")), "head_sha", sha),
        (with("head_sha", json!("72d76fb")), "head_sha", sha),
        (with("head_sha", json!("z".repeat(40))), "head_sha", sha),
        (with("head_sha", json!(7)), "head_sha", "must be a string, not a number"),
        (with("base_sha", json!([])), "base_sha", "must be a string, not an array"),
        (with("repo_owner", json!("ac/me")), "repo_owner", "holds characters"),
        (with("repo_name", json!("../x")), "repo_name", "holds characters"),
        (with("repo_name", json!(["x"])), "repo_name", "must be a string, not an array"),
        (
            stack(|entry| entry["component"] = json!(null)),
            "stacks[1].component",
            "must be a string, not null",
        ),
        (stack(|entry| entry["stack"] = json!("")), "stacks[1].stack", "must not be empty"),
        (stack(|entry| entry["stack"] = json!("x".repeat(513))), "stacks[1].stack", "513 bytes"),
        (
            stack(|entry| entry["dependents"] = json!("x")),
            "stacks[1].dependents",
            "must be an array, not a string",
        ),
        (
            stack(|entry| entry["deleted"] = json!("yes")),
            "stacks[1].deleted",
            "must be a boolean, not a string",
        ),
        (
            stack(|entry| entry["settings"] = json!([])),
            "stacks[1].settings",
            "must be an object or null, not an array",
        ),
        (
            stack(|entry| entry["settings"] = json!({"pro": 1})),
            "stacks[1].settings.pro",
            "must be an object, not a number",
        ),
        (stack(|entry| entry["pro"] = json!("on")), "stacks[1].pro", "must be an object, not a string"),
    ];
    for (upload, field, words) in cases {
        let answer = service.post(upload.to_string()).await;
        assert_eq!((answer.status, answer.field()), (400, field), "{answer:?}");
        assert!(answer.message().contains(words), "{} does not say {words:?}", answer.message());
        assert_eq!(answer.body["errorTag"], "ValidationError");
    }
    assert!(service.uploads().await.is_empty());
}

#[tokio::test]
async fn a_wrong_type_at_depth_is_named_by_its_whole_path() {
    let service = Service::start().await;
    let leaf = |pro: Value| json!({ "component": "c", "stack": "s", "settings": { "pro": pro }, "dependents": null });
    let wrong = leaf(json!({ "pull_request": { "opened": { "workflows": ["tf-plan.yaml"] } } }));
    let fine = leaf(json!({ "pull_request": { "opened": { "workflows": { "tf-plan.yaml": {} } } } }));
    let parent = json!({ "component": "p", "stack": "s", "dependents": [wrong] });
    let answer = service.post(body(json!([fine, fine, fine, parent])).to_string()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.field(), "stacks[3].dependents[0].settings.pro.pull_request.opened.workflows");
    insta::assert_snapshot!(answer.message(), @"the upload is not valid: `stacks[3].dependents[0].settings.pro.pull_request.opened.workflows` must be an object, not an array");
}

#[tokio::test]
async fn several_problems_are_told_at_once_up_to_a_cap() {
    let service = Service::start().await;
    let entries: Vec<Value> = (0..50).map(|number| json!({ "component": format!("c{number}") })).collect();
    let answer = service.post(body(json!(entries)).to_string()).await;
    let reasons = answer.body["data"]["validationErrors"].as_array().unwrap();
    assert_eq!(reasons.len(), 20);
    assert_eq!(reasons[19], "`stacks[19].stack` is missing");
    let mut upload =
        body(json!([{ "component": "a" }, { "stack": "b", "pro": { "release": { "released": 7 } } }]));
    upload["head_sha"] = json!("HEAD");
    let answer = service.post(upload.to_string()).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.body["data"]).unwrap(), @r#"
    {
      "validationErrors": [
        "`stacks[0].stack` is missing",
        "`stacks[1].component` is missing",
        "`stacks[1].pro.release.released` must be an object, not a number",
        "`head_sha` must be a full commit id of 40 hexadecimal digits"
      ]
    }
    "#);
}

#[tokio::test]
async fn malformed_json_is_named_by_its_place() {
    let service = Service::start().await;
    for (text, words) in [
        ("", "expected a value, found the end at line 1, column 1"),
        ("{\"stacks\":[", "expected a value, found the end"),
        (
            "{\"stacks\":[{\"component\":\"a\",}]}",
            "expected a member's name in quotes, found `}` at line 1, column 29",
        ),
        ("{\"stacks\":[]} x", "expected the end of the body, found `x` at line 1, column 15"),
        ("{\n \"head_sha\": tru }", "at line 2, column"),
        ("{\"head_sha\": \"\\ud800\"}", "at line 1"),
        ("{\"a\" 7}", "expected `:`, found `7`"),
    ] {
        let answer = service.post(text).await;
        assert_eq!((answer.status, answer.field()), (400, ""), "{answer:?}");
        assert!(answer.message().contains(words), "{}: {text}", answer.message());
    }
    let answer = service.post(vec![b'{', b'"', 0xff, b'"']).await;
    assert_eq!(answer.message(), "the body is not valid UTF-8 after byte 2");
}

#[tokio::test]
async fn impossible_batch_fields_are_refused() {
    let service = Service::start().await;
    let range = "must be a whole number from";
    for (id, index, total, field, words) in [
        (json!(null), json!(0), json!(1), "batch_id", "is missing"),
        (json!("b"), json!(null), json!(1), "batch_index", "is missing"),
        (json!("b"), json!(0), json!(null), "batch_total", "is missing"),
        (json!(""), json!(0), json!(1), "batch_id", "must have 1 to 128 bytes"),
        (json!("b".repeat(129)), json!(0), json!(1), "batch_id", "must have 1 to 128 bytes"),
        (json!(7), json!(0), json!(1), "batch_id", "must be a string, not a number"),
        (json!("b"), json!(1), json!(1), "batch_index", range),
        (json!("b"), json!(-1), json!(1), "batch_index", range),
        (json!("b"), json!(0.5), json!(1), "batch_index", range),
        (json!("b"), json!("0"), json!(1), "batch_index", "not a string"),
        (json!("b"), json!(0), json!(0), "batch_total", "from 1 to 10000"),
        (json!("b"), json!(0), json!(10_001), "batch_total", "from 1 to 10000"),
        (json!("b"), json!(0), json!(1e99), "batch_total", range),
    ] {
        let mut upload = body(json!([]));
        (upload["batch_id"], upload["batch_index"], upload["batch_total"]) = (id, index, total);
        let answer = service.post(upload.to_string()).await;
        assert_eq!((answer.status, answer.field()), (400, field), "{answer:?}");
        assert!(answer.message().contains(words), "{answer:?}");
    }
    assert!(service.uploads().await.is_empty());
}

#[tokio::test]
async fn whoever_is_not_known_is_a_401() {
    let service = Service::start().await;
    let send = async |header: Option<&str>| {
        let mut request = service.request("/api/v1/affected-stacks").body("{}");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    for (header, words) in [
        (None, "is missing"),
        (Some("Basic eDp5"), "another scheme"),
        (Some("Bearer "), "Bearer"),
        (Some("Bearer wrong"), "the API key is not known"),
        (Some("Bearer key-of-defaul"), "the API key is not known"),
    ] {
        let answer = send(header).await;
        assert_eq!(
            (answer.status, answer.body["errorTag"].as_str()),
            (401, Some("Unauthorized")),
            "{answer:?}"
        );
        assert!(answer.message().contains(words), "{answer:?}");
        assert!(!answer.body.to_string().contains("wrong"), "the key is not repeated");
    }
}

#[tokio::test]
async fn an_encoding_or_type_that_is_not_read_is_a_415() {
    let service = Service::start().await;
    let send = async |name: &str, value: &str| {
        let request = service.request("/api/v1/affected-stacks").bearer_auth(KEY).header(name, value);
        Answer::of(request.body(body(json!([])).to_string()).send().await.unwrap()).await
    };
    for (name, value, status) in [
        ("content-encoding", "br", 415),
        ("content-encoding", "identity", 200),
        ("content-type", "application/x-www-form-urlencoded", 415),
        ("content-type", "application/json; charset=utf-8", 200),
        ("content-type", "application/vnd.x+json", 200),
    ] {
        assert_eq!(send(name, value).await.status, status, "{name}: {value}");
    }
    let request = service.request("/api/v1/affected-stacks").bearer_auth(KEY);
    let plain = request.body(body(json!([])).to_string()).send().await.unwrap();
    assert_eq!(Answer::of(plain).await.status, 200, "no type at all");
}

#[tokio::test]
async fn a_repository_that_neither_name_nor_url_tells_is_refused_without_repeating_the_url() {
    let service = Service::start().await;
    let mut upload = body(json!([]));
    (upload["repo_owner"], upload["repo_url"]) = (json!(""), json!("https://t0ken@github.com/"));
    let answer = service.post(upload.to_string()).await;
    assert_eq!((answer.status, answer.field()), (400, "repo_url"));
    assert!(!answer.body.to_string().contains("t0ken"));
    upload["repo_url"] = json!("https://t0ken@github.com/acme/landing-zone.git");
    let answer = service.post(upload.to_string()).await;
    assert_eq!(answer.body["data"]["repository"], "acme/landing-zone");
}
