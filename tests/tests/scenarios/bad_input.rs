//! What is wrong is refused with its status, its field and a trace id, and loses nothing that was accepted.

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use stackwave_e2e::{API_KEY, Answer, Setup, Shape, World};
use stackwave_testkit::stacks::{Stacks, recorded};
use std::io::Write as _;

stackwave_e2e::on_both_logs! {
    a_bad_upload_is_refused_by_its_field_and_loses_nothing,
    a_bad_webhook_is_refused_and_loses_nothing,
}

const MIB: usize = 1 << 20;

async fn a_bad_upload_is_refused_by_its_field_and_loses_nothing(shape: Shape) {
    let world = Setup::new(shape).with_refusals().runs_by_hand().start().await;
    let pull = world.open_pull_request();
    let good = Stacks::of("vpc -> app").body(&pull.head, &pull.base);
    world.upload(good.to_string()).await;
    world.until_accepted("tf-plan.yaml", 1).await;

    for (what, body, status, field) in bad_bodies(&good) {
        let answer = post(&world, body).await;
        assert_refused(what, &answer, status, field);
    }
    refuses_by_its_size(&world).await;
    refuses_who_is_not_known(&world, &good).await;
    refuses_chunks_that_contradict(&world, &pull.head, &pull.base).await;
    takes_what_only_looks_odd(&world, &good).await;

    world.complete_all("tf-plan.yaml", 2).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), 2);
    assert_eq!(world.activities(pull.number), ["opened"]);
    world.finish().await;
}

type Bad = (&'static str, Vec<u8>, u16, &'static str);

/// Bodies that are refused for what they say.
fn bad_bodies(good: &Value) -> Vec<Bad> {
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).expect("a place in the body") = value;
        body.to_string().into_bytes()
    };
    let without = |object: &str, field: &str| {
        let mut body = good.clone();
        let object = body.pointer_mut(object).and_then(Value::as_object_mut).expect("an object of the body");
        object.remove(field).expect("a field of it");
        body.to_string().into_bytes()
    };
    let chunk = |id: Value, index: Value, total: Value| {
        let mut body = good.clone();
        for (name, value) in [("batch_id", id), ("batch_index", index), ("batch_total", total)] {
            if !value.is_null() {
                body[name] = value;
            }
        }
        body.to_string().into_bytes()
    };
    let mut nowhere = good.clone();
    for field in ["repo_url", "repo_name", "repo_owner"] {
        nowhere[field] = json!("");
    }
    let text = good.to_string();
    vec![
        ("no JSON", b"affected stacks".to_vec(), 400, ""),
        ("half of it", text.as_bytes()[..text.len() / 2].to_vec(), 400, ""),
        ("nothing", Vec::new(), 400, ""),
        ("another JSON", b"[1, 2]".to_vec(), 400, ""),
        (
            "a wrong type at depth",
            with("/stacks/0/dependents/0/component", json!(7)),
            400,
            "stacks[0].dependents[0].component",
        ),
        (
            "a missing field at depth",
            without("/stacks/0/dependents/0", "stack"),
            400,
            "stacks[0].dependents[0].stack",
        ),
        ("no commit", without("", "head_sha"), 400, "head_sha"),
        ("no stacks", without("", "stacks"), 400, "stacks"),
        ("stacks of a wrong type", with("/stacks", json!("all")), 400, "stacks"),
        ("no repository", nowhere.to_string().into_bytes(), 400, "repo_url"),
        ("a repository that is none", with("/repo_name", json!("no-such-thing")), 404, "repo_name"),
        ("a batch without an index", chunk(json!("b"), Value::Null, json!(2)), 400, "batch_index"),
        ("a batch without a total", chunk(json!("b"), json!(0), Value::Null), 400, "batch_total"),
        ("an index without a batch", chunk(Value::Null, json!(0), json!(2)), 400, "batch_id"),
        ("an index beyond its total", chunk(json!("b"), json!(2), json!(2)), 400, "batch_index"),
        ("an index below zero", chunk(json!("b"), json!(-1), json!(2)), 400, "batch_index"),
        ("a batch of nothing", chunk(json!("b"), json!(0), json!(0)), 400, "batch_total"),
        ("an index that is a text", chunk(json!("b"), json!("0"), json!(2)), 400, "batch_index"),
        ("five thousand levels", replace_stacks(good, &chain(5_000)), 400, "*"),
        ("more than a million entries", replace_stacks(good, &million_entries()), 413, "stacks"),
    ]
}

async fn refuses_by_its_size(world: &World) {
    let large = vec![b' '; 32 * MIB + 1];
    let answer = post(world, large.clone()).await;
    assert_refused("a large body", &answer, 413, "");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&large).unwrap();
    let request = world.request(&key()).header("content-encoding", "gzip").body(packed.finish().unwrap());
    let answer = world.send(request).await.unwrap();
    assert_refused("a body that unpacks to a large one", &answer, 413, "");
    let request = world.request(&key()).header("content-encoding", "gzip").body("no gzip");
    assert_refused("no gzip", &world.send(request).await.unwrap(), 400, "");
}

async fn refuses_who_is_not_known(world: &World, good: &Value) {
    let (bearer, basic) = ("Bearer another-key", "Basic dXNlcjpwYXNz");
    for authorization in ["", "Bearer", bearer, basic] {
        let request = world.request(authorization).body(good.to_string());
        assert_refused(authorization, &world.send(request).await.unwrap(), 401, "");
    }
    let request = world.get("ingest-api", "/api/v1/affected-stacks").header("authorization", key());
    assert_refused("GET", &world.send(request).await.unwrap(), 405, "");
    let request = world.get("ingest-api", "/api/v1/nothing-here").header("authorization", key());
    assert_refused("an unknown path", &world.send(request).await.unwrap(), 404, "");
}

async fn refuses_chunks_that_contradict(world: &World, head: &str, base: &str) {
    let chunks = recorded("affected-chunked", head, base);
    world.upload(chunks[0].clone()).await;
    world.upload(chunks[0].clone()).await;
    let mut other: Value = serde_json::from_slice(&chunks[1]).unwrap();
    other["batch_index"] = json!(0);
    assert_refused("another chunk in its place", &post(world, other.to_string()).await, 409, "batch_index");
    other["batch_index"] = json!(1);
    other["batch_total"] = json!(4);
    assert_refused("another total", &post(world, other.to_string()).await, 409, "batch_total");
    world.until("the first chunk", |state| (state.batches.len() == 1).then_some(())).await;
}

async fn takes_what_only_looks_odd(world: &World, good: &Value) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(good.to_string().as_bytes()).unwrap();
    let request = world.request(&key()).header("content-encoding", "gzip").body(packed.finish().unwrap());
    assert_eq!(world.send(request).await.unwrap().status, 200);
    let doubled = world.url("ingest-api", "//api/v1//affected-stacks");
    let request = world.post(&doubled).header("authorization", key()).body(good.to_string());
    assert_eq!(world.send(request).await.unwrap().status, 200);
}

async fn a_bad_webhook_is_refused_and_loses_nothing(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc").upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;
    let opened = world.github.webhooks().into_iter().find(|webhook| webhook.kind() == "pull_request.opened");
    let body = opened.unwrap().payload;
    let signature = world.github.sign(&body);
    let mut changed = body.to_vec();
    changed.push(b' ');
    let long = vec![b' '; 25 * MIB + 1];
    let long_signature = world.github.sign(&long);
    let cut = body.slice(..body.len() / 2);
    for (what, body, signature, status) in [
        ("another body than was signed", changed, signature.as_str(), 401),
        (
            "another secret",
            body.to_vec(),
            "sha256=0000000000000000000000000000000000000000000000000000000000000000",
            401,
        ),
        ("no signature at all", body.to_vec(), "", 401),
        ("an old signature", body.to_vec(), "sha1=0000000000000000000000000000000000000000", 401),
        ("a body that is too long", long, long_signature.as_str(), 413),
        ("half a body", cut.to_vec(), &world.github.sign(&cut), 400),
    ] {
        let request =
            world.webhook("pull_request", "00000000-0000-0000-0000-000000000001", signature).body(body);
        let answer = world.send(request).await.unwrap();
        assert_eq!(
            (answer.status, &answer.body["success"]),
            (status, &json!(false)),
            "{what}: {}",
            answer.body
        );
        assert!(!answer.body["traceId"].as_str().unwrap_or_default().is_empty(), "{what} without a trace id");
    }
    let before = world.journal().read(|replica| replica.entries.len());
    // The right one, twice: taken, and known.
    for _ in 0..2 {
        let request = world.webhook("pull_request", "00000000-0000-0000-0000-000000000002", &signature);
        assert_eq!(world.send(request.body(body.clone())).await.unwrap().status, 202);
    }
    world
        .until("both deliveries", |state| (state.last_position().0 as usize >= before + 2).then_some(()))
        .await;
    assert_eq!(world.activities(pull.number), ["opened"]);
    assert_eq!(world.github.dispatches().len(), 1);
    world.finish().await;
}

fn key() -> String {
    format!("Bearer {API_KEY}")
}

async fn post(world: &World, body: impl Into<Vec<u8>>) -> Answer {
    world.send(world.request(&key()).body(body.into())).await.expect("an answer")
}

/// `field`: the field that the answer has to name; `*` some field, empty none in particular.
fn assert_refused(what: &str, answer: &Answer, status: u16, field: &str) {
    let body = &answer.body;
    assert_eq!(answer.status, status, "{what}: {body}");
    assert_eq!((&body["status"], &body["success"]), (&json!(status), &json!(false)), "{what}: {body}");
    for name in ["request", "traceId", "errorMessage", "errorTag"] {
        assert!(!body[name].as_str().unwrap_or_default().is_empty(), "{what} without `{name}`: {body}");
    }
    assert!(!body["data"].is_array(), "{what}: {body}");
    match field {
        "" => {}
        "*" => assert!(!answer.field().is_empty(), "{what}: {body}"),
        field => assert_eq!(answer.field(), field, "{what}: {body}"),
    }
}

fn replace_stacks(good: &Value, stacks: &str) -> Vec<u8> {
    let mut body = good.clone();
    body["stacks"] = json!([]);
    body.to_string().replace("\"stacks\":[]", &format!("\"stacks\":[{stacks}]")).into_bytes()
}

/// A chain of dependents, as text: a JSON library would recurse.
fn chain(levels: usize) -> String {
    let open: String =
        (0..levels).map(|level| format!(r#"{{"component":"c{level}","stack":"s","dependents":["#)).collect();
    open + &"]}".repeat(levels)
}

fn million_entries() -> String {
    let entry = r#"{"component":"a","stack":"b"}"#;
    vec![entry; 1_000_001].join(",")
}
