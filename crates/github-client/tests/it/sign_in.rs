//! Tokens: who gets one, when, and that nobody else sees it.

use crate::support::{GitHub, KEY, Reply, config, now, target};
use serde_json::json;
use stackwave_domain::{PrNumber, Timestamp, WorkflowRunId};
use stackwave_github::port::{CallError, Pulls, Repositories, Runs};
use stackwave_github_client::{ClientConfig, ConfigError, GitHubClient};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const RUN: &str = "/repos/acme/infra/actions/runs/7";
const MINT: &str = "/app/installations/31415/access_tokens";

async fn run(client: &GitHubClient) -> Result<(), CallError> {
    client.run(&target(), WorkflowRunId(7)).await.map(|_| ())
}

fn a_run() -> Reply {
    Reply::Json(
        200,
        json!({"id": 7, "event": "workflow_dispatch", "path": ".github/workflows/a.yml", "head_sha": crate::support::SHA}),
    )
}

#[tokio::test]
async fn all_who_wait_share_one_token() {
    let github = GitHub::start(|seen, _| seen.is("GET", RUN).then(a_run)).await;
    let client = github.client();
    let calls = (0..30).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { run(&client).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((github.count("POST", MINT), github.count("GET", RUN)), (1, 30));
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end() {
    let github = GitHub::start(|seen, _| seen.is("GET", RUN).then(a_run)).await;
    let minutes = Arc::new(AtomicI64::new(0));
    let mut config = config(&github.url);
    let hand = Arc::clone(&minutes);
    config.clock = Arc::new(move || {
        Timestamp::from_second(now().as_second() + 60 * hand.load(Ordering::SeqCst)).unwrap()
    });
    let client = GitHubClient::new(config).unwrap();
    for (minute, mints) in [(0, 1), (54, 1), (56, 2)] {
        minutes.store(minute, Ordering::SeqCst);
        run(&client).await.unwrap();
        assert_eq!(github.count("POST", MINT), mints, "after {minute} min");
    }
}

#[tokio::test]
async fn while_renewal_fails_a_token_serves_to_its_end() {
    let github = GitHub::start(|seen, before| {
        if seen.is("POST", MINT) && before > 0 {
            return Some(Reply::With(503, vec![], String::new()));
        }
        seen.is("GET", RUN).then(a_run)
    })
    .await;
    let minutes = Arc::new(AtomicI64::new(0));
    let mut config = config(&github.url);
    let hand = Arc::clone(&minutes);
    config.clock = Arc::new(move || {
        Timestamp::from_second(now().as_second() + 60 * hand.load(Ordering::SeqCst)).unwrap()
    });
    let client = GitHubClient::new(config).unwrap();
    run(&client).await.unwrap();
    minutes.store(57, Ordering::SeqCst);
    run(&client).await.unwrap();
    minutes.store(61, Ordering::SeqCst);
    assert!(matches!(run(&client).await, Err(CallError::Unavailable(_))));
}

#[tokio::test]
async fn calls_whose_token_was_refused_share_the_next_one() {
    let github = GitHub::start(|seen, _| {
        if !seen.is("GET", RUN) {
            return None;
        }
        let revoked = seen.header("authorization") == "Bearer ghs_secret0";
        Some(if revoked { Reply::Json(401, json!({"message": "Bad credentials"})) } else { a_run() })
    })
    .await;
    let client = github.client();
    let calls = (0..10).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { run(&client).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(github.count("POST", MINT), 2);
}

#[tokio::test]
async fn a_refused_sign_in_says_what_to_check() {
    for (status, text, says) in [
        (401, "A JSON web token could not be decoded", "STACKWAVE_GITHUB_APP_ID"),
        (403, "This installation has been suspended", "suspended"),
        (404, "Not Found", "installation 31415"),
    ] {
        let github = GitHub::start(move |seen, _| {
            seen.is("POST", MINT).then(|| Reply::Json(status, json!({"message": text})))
        })
        .await;
        let Err(CallError::Unauthorized(message)) = run(&github.client()).await else { panic!("{status}") };
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test]
async fn without_credentials_every_call_names_the_setting() {
    let github = GitHub::start(|_, _| None).await;
    let client = GitHubClient::new(ClientConfig::new(&github.url, Arc::new(now))).unwrap();
    let by_installation = client.pull_request(&target(), PrNumber(1)).await.unwrap_err();
    let by_app = client.all().await.unwrap_err();
    for error in [by_installation, by_app] {
        assert_eq!(error, CallError::Unauthorized("`STACKWAVE_GITHUB_APP_ID` is not set".to_owned()));
    }
    assert!(github.seen().is_empty());
}

#[tokio::test]
async fn no_secret_is_seen_in_debug_or_errors() {
    let github = GitHub::start(|seen, _| {
        seen.is("GET", RUN)
            .then(|| Reply::Json(403, json!({"message": "Resource not accessible by integration"})))
    })
    .await;
    let config = config(&github.url);
    let shown = format!("{config:?}");
    let client = GitHubClient::new(config).unwrap();
    let error = run(&client).await.unwrap_err();
    let shown = format!("{shown} {client:?} {error:?} {error}");
    let key_line = KEY.lines().nth(3).unwrap();
    assert!(!shown.contains("ghs_") && !shown.contains(key_line) && !shown.contains("eyJ"), "{shown}");
}

#[test]
fn a_configuration_that_cannot_work_says_why() {
    let error = |change: fn(&mut ClientConfig)| {
        let mut config = config("https://api.github.com");
        change(&mut config);
        GitHubClient::new(config).map(|_| ()).unwrap_err()
    };
    for url in [
        "",
        "github.com",
        "ftp://api.github.com",
        "https://api.github.com/?x=1",
        "https://me:hunter2@ghe.test",
    ] {
        let mut config = config(url);
        config.private_key = None;
        let error = GitHubClient::new(config).map(|_| ()).unwrap_err();
        assert!(matches!(error, ConfigError::ApiUrl { .. }), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert!(matches!(error(|config| config.private_key = Some("x".into())), ConfigError::PrivateKey(_)));
    assert!(matches!(error(|config| config.user_agent = "a\nb".to_owned()), ConfigError::UserAgent(_)));
}
