//! Bodies that are kept aside.

use super::{Harness, fixture::eventually};
use crate::{Aside, EventLog, MAX_ASIDE_BYTES};
use stackwave_domain::{Position, Timestamp};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3600);

fn aside(kind: &str, id: &str, text: &str) -> Aside {
    Aside {
        kind: kind.to_owned(),
        id: id.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        note: format!("{text} in acme/infra"),
        bytes: text.to_owned().into(),
    }
}

async fn put(log: &dyn EventLog, aside: Aside, ttl: Duration) {
    log.asides().put(aside, ttl).await.expect("it should be kept");
}

async fn list(
    log: &dyn EventLog,
    kind: &str,
    limit: usize,
    before: Option<Position>,
) -> Vec<(Position, String)> {
    let found = log.asides().list(kind, limit, before).await.expect("they should be listed");
    found.into_iter().map(|info| (info.position, info.id)).collect()
}

/// Whole, with what was said of it; and of two of one name the later.
pub async fn a_body_kept_aside_comes_back(harness: &impl Harness) {
    let log = harness.open().await;
    put(&*log, aside("webhook", "1 a.b", "first"), LONG).await;
    put(&*log, aside("webhook", "1 a.b", "second"), LONG).await;
    put(&*log, aside("upload", "1 a.b", "other"), LONG).await;
    let found = log.asides().get("webhook", "1 a.b").await.expect("readable");
    assert_eq!(found, Some(aside("webhook", "1 a.b", "second")));
    assert_eq!(log.asides().get("webhook", "1").await.expect("readable"), None);
    let mut large = aside("webhook", "large", "a large one");
    large.bytes = vec![7; MAX_ASIDE_BYTES].into();
    put(&*log, large.clone(), LONG).await;
    let found = log.asides().get("webhook", "large").await.expect("readable").expect("kept");
    assert_eq!(Aside { bytes: large.bytes.clone(), ..found.clone() }, large);
    assert!(found.bytes == large.bytes, "{} bytes came back", found.bytes.len());
    large.bytes = vec![7; MAX_ASIDE_BYTES + 1].into();
    assert!(log.asides().put(large, LONG).await.is_err(), "that is too large");
}

/// Page by page, newest first, each once, also while more come.
pub async fn bodies_are_listed_newest_first_in_pages(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(list(&*log, "webhook", 10, None).await, []);
    for number in 0..25 {
        put(&*log, aside("webhook", &number.to_string(), "x"), LONG).await;
        put(&*log, aside("upload", "between", "x"), LONG).await;
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = list(&*log, "webhook", 10, before).await;
        put(&*log, aside("webhook", "more", "x"), LONG).await;
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() == 10 || seen.len() + page.len() == 25, "a page of {}", page.len());
        before = Some(*last);
        seen.extend(page.into_iter().map(|(_, id)| id));
    }
    let expected: Vec<String> = (0..25).rev().map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
    let info = &log.asides().list("upload", 1, None).await.expect("listed")[0];
    assert_eq!((info.kind.as_str(), info.note.as_str(), info.bytes), ("upload", "x in acme/infra", 1));
    assert_eq!(info.at, Timestamp::UNIX_EPOCH);
}

/// By itself.
pub async fn a_body_kept_aside_expires(harness: &impl Harness) {
    let log = harness.open().await;
    put(&*log, aside("webhook", "short", "x"), Duration::from_secs(1)).await;
    put(&*log, aside("webhook", "long", "x"), LONG).await;
    eventually("it should expire", || async {
        let gone = log.asides().get("webhook", "short").await.expect("readable").is_none();
        gone.then_some(())
    })
    .await;
    let left: Vec<String> = list(&*log, "webhook", 10, None).await.into_iter().map(|(_, id)| id).collect();
    assert_eq!(left, ["long"]);
}
