//! Comments: found by author and marker, created, edited.

use crate::support::{GitHub, Reply, config, target};
use serde_json::{Value, json};
use stackwave_domain::{CommentId, InstallationId, PrNumber};
use stackwave_github::port::{CallError, Comments};
use stackwave_github_client::GitHubClient;
use std::time::Duration;

const LIST: &str = "/repos/acme/infra/issues/42/comments";
const MARKER: &str = "<!-- stackwave:v1 default -->";

fn comment(id: u64, login: &str, app: Value, body: &str) -> Value {
    json!({"id": id, "body": body, "user": {"login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" }},
        "performed_via_github_app": app})
}

/// GitHub with these comments, one a page, that answers `GET /app` with `app`.
async fn github(comments: Vec<Value>, app: Option<(u16, Value)>) -> GitHub {
    GitHub::start(move |seen, _| {
        if seen.is("GET", "/app") {
            return app.clone().map(|(status, body)| Reply::Json(status, body));
        }
        if !seen.is("GET", LIST) {
            return None;
        }
        let page: usize = seen.path.split("page=").last().and_then(|text| text.parse().ok()).unwrap_or(1);
        let page = if page == 100 { 1 } else { page };
        let link = format!("<{LIST}?per_page=100&page={}>; rel=\"next\"", page + 1);
        let headers = if page < comments.len() { vec![("link", link)] } else { vec![] };
        let rows: Vec<&Value> = comments.iter().skip(page - 1).take(1).collect();
        Some(Reply::With(200, headers, json!(rows).to_string()))
    })
    .await
}

async fn find(github: &GitHub) -> Result<Option<u64>, CallError> {
    let found = github.client().find(&target(), PrNumber(42), MARKER).await?;
    Ok(found.map(|comment| comment.id.0))
}

#[tokio::test]
async fn the_oldest_comment_of_ours_with_the_marker_is_found() {
    let body = format!("{MARKER}\r\n# Stackwave");
    let later = format!("see\n{MARKER}");
    let ours = json!({"id": 77});
    let github = github(
        vec![
            comment(1, "mallory", Value::Null, &body),
            comment(2, "other[bot]", json!({"id": 78}), &body),
            comment(3, "stackwave[bot]", ours.clone(), &later),
            comment(4, "stackwave[bot]", ours.clone(), &body),
            comment(5, "stackwave[bot]", ours, &body),
        ],
        Some((200, json!({"id": 77, "slug": "stackwave"}))),
    )
    .await;
    assert_eq!(find(&github).await, Ok(Some(4)));
}

#[tokio::test]
async fn the_app_is_known_by_its_login_where_the_host_does_not_name_it() {
    let github = github(
        vec![
            comment(1, "mallory[bot]", Value::Null, MARKER),
            comment(2, "stackwave[bot]", Value::Null, MARKER),
        ],
        Some((200, json!({"id": 77, "slug": "stackwave"}))),
    )
    .await;
    assert_eq!(find(&github).await, Ok(Some(2)));
}

#[tokio::test]
async fn without_any_identity_a_bot_with_the_marker_is_taken_for_us() {
    let github = github(
        vec![comment(1, "mallory", Value::Null, MARKER), comment(2, "stackwave[bot]", Value::Null, MARKER)],
        Some((404, json!({"message": "Not Found"}))),
    )
    .await;
    let mut config = config(&github.url);
    config.app_id = Some("Iv23liClientId".to_owned());
    let found = GitHubClient::new(config).unwrap().find(&target(), PrNumber(42), MARKER).await.unwrap();
    assert_eq!(found.map(|comment| comment.id), Some(CommentId(2)));
}

#[tokio::test]
async fn while_nobody_can_say_whose_comment_it_is_nothing_is_concluded() {
    let github =
        github(vec![comment(1, "stackwave[bot]", Value::Null, MARKER)], Some((503, json!({})))).await;
    assert!(matches!(find(&github).await, Err(CallError::Unavailable(_))));
}

#[tokio::test]
async fn no_comment_is_none() {
    let github =
        github(vec![comment(1, "octocat", Value::Null, "hello"), json!({"id": 2, "body": null})], None).await;
    assert_eq!(find(&github).await, Ok(None));
    assert_eq!(github.count("GET", "/app"), 0, "who we are is asked for only when it matters");
}

#[tokio::test]
async fn a_comment_is_created_and_edited() {
    let github = GitHub::start(|seen, _| {
        if seen.is("POST", LIST) {
            return Some(Reply::Json(201, json!({"id": 9})));
        }
        seen.is("PATCH", "/repos/acme/infra/issues/comments/9").then(|| Reply::Json(200, json!({"id": 9})))
    })
    .await;
    let client = github.client();
    let id = client.create(&target(), PrNumber(42), "one").await.unwrap();
    client.update(&target(), id, "two").await.unwrap();
    let bodies: Vec<Value> = github.seen().into_iter().skip(1).map(|seen| seen.body).collect();
    assert_eq!(bodies, [json!({"body": "one"}), json!({"body": "two"})]);
    let gone = client.update(&target(), CommentId(10), "three").await;
    assert!(matches!(gone, Err(CallError::NotFound(_))));
}

#[tokio::test]
async fn while_a_limit_holds_a_comment_is_not_waited_for() {
    let github = GitHub::start(|seen, _| {
        seen.is("POST", LIST)
            .then(|| Reply::With(403, vec![("retry-after", "40".to_owned())], "{}".to_owned()))
    })
    .await;
    let client = github.client();
    client.pay(target().installation).await.unwrap();
    for _ in 0..2 {
        let limited = client.create(&target(), PrNumber(42), "one").await;
        assert!(matches!(limited, Err(CallError::RateLimited { .. })), "{limited:?}");
    }
    let limited = client.pay(target().installation).await;
    assert!(matches!(limited, Err(CallError::RateLimited { .. })), "{limited:?}");
    assert_eq!(github.count("POST", LIST), 1);
}

#[tokio::test(start_paused = true)]
async fn comments_are_paid_for_before_they_are_written() {
    let client = GitHubClient::new(config("https://api.github.com")).unwrap();
    let start = tokio::time::Instant::now();
    for _ in 0..60 {
        client.pay(target().installation).await.unwrap();
    }
    assert!((49..=51).contains(&start.elapsed().as_secs()), "10 at once, and then one a second");
    // Another installation has a budget of its own.
    let start = tokio::time::Instant::now();
    client.pay(InstallationId(1)).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_comment_that_is_paid_for_waits_for_no_budget() {
    let github =
        GitHub::start(|seen, _| seen.is("POST", LIST).then(|| Reply::Json(201, json!({"id": 9})))).await;
    let mut config = config(&github.url);
    config.writes_per_minute = Some(1);
    let client = GitHubClient::new(config).unwrap();
    client.pay(target().installation).await.unwrap();
    for _ in 0..3 {
        client.create(&target(), PrNumber(42), "one").await.unwrap();
    }
}

#[tokio::test]
async fn a_comment_that_is_redirected_is_refused() {
    let github = GitHub::start(|seen, _| {
        seen.is("POST", LIST)
            .then(|| Reply::With(302, vec![("location", "/login".to_owned())], String::new()))
    })
    .await;
    let refused = github.client().create(&target(), PrNumber(42), "one").await;
    assert!(matches!(refused, Err(CallError::Refused { status: 302, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_locked_conversation_is_refused() {
    let github = GitHub::start(|seen, _| {
        seen.is("POST", LIST).then(|| {
            Reply::Json(403, json!({"message": "Unable to create comment because issue is locked."}))
        })
    })
    .await;
    let refused = github.client().create(&target(), PrNumber(42), "one").await;
    assert!(matches!(refused, Err(CallError::Refused { status: 403, .. })), "{refused:?}");
}
