//! What each answer to a dispatch becomes.

use crate::support::{GitHub, Reply, claim, config, target};
use serde_json::json;
use stackwave_domain::{WorkflowRunId, event::RefusalReason};
use stackwave_github::port::{DispatchAnswer, DispatchError, Dispatches, Workflows};
use stackwave_github_client::GitHubClient;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PATH: &str = "/repos/acme/infra/actions/workflows/tf-plan.yaml/dispatches";

/// GitHub that answers dispatches, the n-th of them with `reply(n)`.
async fn github(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> GitHub {
    GitHub::start(move |seen, before| seen.is("POST", PATH).then(|| reply(before))).await
}

async fn dispatch(github: &GitHub) -> Result<DispatchAnswer, DispatchError> {
    github.client().dispatch(&target(), &claim(&["stack"])).await
}

fn message(status: u16, text: &str) -> Reply {
    Reply::Json(status, json!({"message": text, "documentation_url": "https://docs.github.com"}))
}

#[tokio::test]
async fn an_accepted_dispatch_names_its_run() {
    let github = github(|_| {
        Reply::Json(
            200,
            json!({"workflow_run_id": 30_433_642_499_u64, "run_url": "u", "html_url": "https://h"}),
        )
    })
    .await;
    let answer = dispatch(&github).await.unwrap();
    assert_eq!(answer.workflow_run, Some(WorkflowRunId(30_433_642_499)));
    assert_eq!(answer.html_url.as_deref(), Some("https://h"));
    let seen = github.seen();
    let sent = seen.last().unwrap();
    assert_eq!(
        sent.body,
        json!({"ref": "main", "inputs": {"stack": "stack-value"}, "return_run_details": true})
    );
    assert_eq!(sent.header("accept"), "application/vnd.github+json");
    assert_eq!(sent.header("x-github-api-version"), "2022-11-28");
    assert_eq!(sent.header("authorization"), "Bearer ghs_secret0");
    assert!(sent.header("user-agent").starts_with("stackwave/"));
    assert!(seen[0].header("authorization").starts_with("Bearer eyJ"));
}

#[tokio::test]
async fn an_accepted_dispatch_may_name_no_run() {
    for status in [200, 204] {
        let github = github(move |_| Reply::With(status, vec![], String::new())).await;
        assert_eq!(dispatch(&github).await.unwrap().workflow_run, None);
    }
}

#[tokio::test]
async fn a_host_that_refuses_run_details_is_remembered() {
    let github = github(|before| match before {
        0 => message(400, r#"Invalid request. "return_run_details" is not a permitted key."#),
        _ => Reply::With(204, vec![], String::new()),
    })
    .await;
    let client = github.client();
    for _ in 0..3 {
        client.dispatch(&target(), &claim(&["stack"])).await.unwrap();
    }
    let details: Vec<bool> = github
        .seen()
        .iter()
        .filter(|seen| seen.is("POST", PATH))
        .map(|seen| seen.body.get("return_run_details").is_some())
        .collect();
    assert_eq!(details, [true, false, false, false]);
}

#[tokio::test]
async fn our_own_undeclared_inputs_are_dropped_and_it_is_sent_once_more() {
    let github = github(|before| match before {
        0 => message(422, r#"Unexpected inputs provided: ["atmos_pro_run_id", "sha"]"#),
        _ => Reply::With(204, vec![], String::new()),
    })
    .await;
    github.client().dispatch(&target(), &claim(&["stack", "sha", "atmos_pro_run_id"])).await.unwrap();
    assert_eq!(github.count("POST", PATH), 2);
    assert_eq!(github.seen().last().unwrap().body["inputs"], json!({"stack": "stack-value"}));
}

#[tokio::test]
async fn an_undeclared_input_of_the_user_is_refused_with_githubs_words() {
    let github = github(|_| message(422, r#"Unexpected inputs provided: ["stack"]"#)).await;
    let Err(DispatchError::Refused { status: 422, reason, message }) = dispatch(&github).await else {
        panic!("not refused");
    };
    assert_eq!(reason, RefusalReason::InputNotDeclared);
    assert!(message.contains(r#"["stack"]"#));
    assert_eq!(github.count("POST", PATH), 1);
}

#[tokio::test]
async fn a_refusal_for_undeclared_inputs_forgets_the_workflow() {
    let contents = "/repos/acme/infra/contents/.github/workflows/tf-plan.yaml";
    let github = GitHub::start(move |seen, _| {
        if seen.is("POST", PATH) {
            return Some(message(422, "Unexpected inputs provided"));
        }
        seen.is("GET", contents).then(|| Reply::With(200, vec![], "on: workflow_dispatch".to_owned()))
    })
    .await;
    let client = github.client();
    let claim = claim(&["stack"]);
    for _ in 0..2 {
        client.definition(&target(), claim.workflow(), claim.git_ref()).await.unwrap();
    }
    assert_eq!(github.count("GET", contents), 1);
    client.dispatch(&target(), &claim).await.unwrap_err();
    client.definition(&target(), claim.workflow(), claim.git_ref()).await.unwrap();
    assert_eq!(github.count("GET", contents), 2);
}

#[tokio::test]
async fn every_definite_no_is_a_refusal() {
    for (status, text, reason) in [
        (404, "Not Found", RefusalReason::WorkflowNotFound),
        (422, "Workflow does not have 'workflow_dispatch' trigger", RefusalReason::NotDispatchable),
        (422, "No ref found for: main", RefusalReason::RefNotFound),
        (403, "Resource not accessible by integration", RefusalReason::PermissionMissing),
        (403, "Repository was archived so is read-only.", RefusalReason::Other),
    ] {
        let github = github(move |_| message(status, text)).await;
        let Err(DispatchError::Refused { status: got, reason: why, .. }) = dispatch(&github).await else {
            panic!("`{text}` was not refused");
        };
        assert_eq!((got, why), (status, reason));
    }
}

#[tokio::test]
async fn limits_delay_and_hold_for_all_that_follows() {
    let later = (crate::support::now().as_second() + 90).to_string();
    type Headers = Vec<(&'static str, String)>;
    let limits: Vec<(u16, Headers, &str, u64)> = vec![
        (403, vec![("retry-after", "17".to_owned())], "You have exceeded a secondary rate limit", 17),
        (429, vec![("retry-after", "3".to_owned())], "", 3),
        (
            403,
            vec![
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset", later),
                ("date", "Tue, 03 Nov 2026 10:00:00 GMT".to_owned()),
            ],
            "API rate limit exceeded",
            90,
        ),
        (403, vec![], "You have exceeded a secondary rate limit", 60),
        (429, vec![], "", 60),
    ];
    for (status, headers, text, seconds) in limits {
        let github =
            github(move |_| Reply::With(status, headers.clone(), json!({"message": text}).to_string())).await;
        let client = github.client();
        for _ in 0..2 {
            let Err(DispatchError::NotSent { wait, .. }) = client.dispatch(&target(), &claim(&[])).await
            else {
                panic!("{status} `{text}` was no limit");
            };
            assert!(
                wait <= Duration::from_secs(seconds) && wait > Duration::from_secs(seconds - 2),
                "{wait:?}"
            );
        }
        assert_eq!(github.count("POST", PATH), 1, "nothing is sent while the limit holds");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let github = github(|before| match before {
        0 => message(401, "Bad credentials"),
        _ => Reply::With(204, vec![], String::new()),
    })
    .await;
    dispatch(&github).await.unwrap();
    assert_eq!(github.seen().last().unwrap().header("authorization"), "Bearer ghs_secret1");
}

#[tokio::test]
async fn a_token_that_is_refused_again_delays() {
    let github = github(|_| message(401, "Bad credentials")).await;
    assert!(matches!(dispatch(&github).await, Err(DispatchError::NotSent { .. })));
    assert_eq!(github.count("POST", PATH), 2);
}

#[tokio::test]
async fn server_errors_leave_the_outcome_unknown() {
    for status in [500, 502, 503] {
        let github = github(move |_| Reply::With(status, vec![], "<html>Unicorn</html>".to_owned())).await;
        assert!(matches!(dispatch(&github).await, Err(DispatchError::OutcomeUnknown(_))), "{status}");
        assert_eq!(github.count("POST", PATH), 1, "it is not sent again");
    }
    let portal = github(|_| Reply::With(200, vec![], "<html>Please sign in</html>".to_owned())).await;
    assert!(matches!(dispatch(&portal).await, Err(DispatchError::OutcomeUnknown(_))));
}

#[tokio::test]
async fn silence_leaves_the_outcome_unknown() {
    let github = github(|_| Reply::Never).await;
    let mut config = config(&github.url);
    config.call_timeout = Duration::from_millis(300);
    let client = GitHubClient::new(config).unwrap();
    let result = client.dispatch(&target(), &claim(&[])).await;
    assert!(matches!(result, Err(DispatchError::OutcomeUnknown(_))), "{result:?}");
}

#[tokio::test]
async fn silence_while_signing_in_is_not_sent() {
    let github = GitHub::start(|seen, _| seen.path.ends_with("/access_tokens").then_some(Reply::Never)).await;
    let mut config = config(&github.url);
    config.call_timeout = Duration::from_millis(300);
    let result = GitHubClient::new(config).unwrap().dispatch(&target(), &claim(&[])).await;
    assert!(matches!(result, Err(DispatchError::NotSent { .. })), "{result:?}");
}

const TOKEN: &str = r#"{"token":"ghs_x","expires_at":"2026-11-03T11:00:00Z"}"#;

/// Reads a request, small as they are here: it ends with the brace of its JSON.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"}") {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            break;
        }
        request.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

async fn give_token(stream: &mut TcpStream) {
    let head = "HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: ";
    let answer = format!("{head}{}\r\n\r\n{TOKEN}", TOKEN.len());
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// A server that gives a token, and for anything else writes `answer` and closes the connection.
async fn rude(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if read_request(&mut stream).await.contains("/access_tokens") {
                give_token(&mut stream).await;
            } else {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    url
}

/// A server that gives one token and is gone before anybody can read it.
async fn vanishing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        read_request(&mut stream).await;
        give_token(&mut stream).await;
    });
    url
}

#[tokio::test]
async fn a_reset_or_a_broken_answer_leaves_the_outcome_unknown() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"workflow_run_id\"",
        "HTTP/1.1 2",
        "nonsense\r\n\r\n",
    ] {
        let client = GitHubClient::new(config(&rude(answer).await)).unwrap();
        let result = client.dispatch(&target(), &claim(&[])).await;
        assert!(matches!(result, Err(DispatchError::OutcomeUnknown(_))), "`{answer}`: {result:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_not_sent() {
    let gone = "http://127.0.0.1:1".to_owned();
    for url in [vanishing().await, gone, "http://no-such-host.invalid".to_owned()] {
        let client = GitHubClient::new(config(&url)).unwrap();
        let result = client.dispatch(&target(), &claim(&[])).await;
        assert!(matches!(result, Err(DispatchError::NotSent { .. })), "{url}: {result:?}");
    }
}

#[tokio::test]
async fn without_key_nothing_is_sent_and_the_setting_is_named() {
    for (app_id, setting) in
        [(None, "STACKWAVE_GITHUB_APP_ID"), (Some("77"), "STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE")]
    {
        let github = github(|_| Reply::Never).await;
        let mut config = config(&github.url);
        config.app_id = app_id.map(str::to_owned);
        config.private_key = None;
        let client = GitHubClient::new(config).unwrap();
        let Err(DispatchError::NotSent { reason, .. }) = client.dispatch(&target(), &claim(&[])).await else {
            panic!("sent");
        };
        assert!(reason.contains(setting), "{reason}");
        assert!(github.seen().is_empty());
    }
}

#[tokio::test]
async fn a_renamed_repository_is_followed() {
    let github = GitHub::start(|seen, _| {
        if seen.is("POST", PATH) {
            return Some(Reply::With(
                307,
                vec![("location", "/repositories/1/dispatches".to_owned())],
                String::new(),
            ));
        }
        seen.is("POST", "/repositories/1/dispatches").then(|| Reply::With(204, vec![], String::new()))
    })
    .await;
    dispatch(&github).await.unwrap();
    assert_eq!(github.seen().last().unwrap().body["ref"], "main");
}

#[tokio::test]
async fn a_dispatch_goes_to_no_other_host() {
    let other = GitHub::start(|_, _| Some(Reply::With(204, vec![], String::new()))).await;
    let location = format!("{}/elsewhere?code=secret", other.url);
    let github = github(move |_| Reply::With(307, vec![("location", location.clone())], String::new())).await;
    let Err(DispatchError::Refused { status: 307, reason, message }) = dispatch(&github).await else {
        panic!("it certainly was not taken")
    };
    assert_eq!(reason, RefusalReason::Other);
    for part in [&github.url, "STACKWAVE_GITHUB_API_URL", &format!("{}/elsewhere`", other.url)] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("secret"), "{message}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_that_asks_for_no_write_refuses_the_dispatch() {
    for (status, location) in [
        (301, Some("/repositories/1/dispatches")),
        (302, Some("/login")),
        (303, Some("/login")),
        (307, None),
        (308, Some(PATH)),
    ] {
        let github = github(move |_| {
            let location = location.map(|location| ("location", location.to_owned()));
            Reply::With(status, location.into_iter().collect(), String::new())
        })
        .await;
        let refused = dispatch(&github).await;
        assert!(
            matches!(&refused, Err(DispatchError::Refused { status: told, .. }) if *told == status),
            "{status}: {refused:?}"
        );
        let sent = github.seen().len() - github.count("POST", "/app/installations/31415/access_tokens");
        assert_eq!(sent, if status == 308 { 6 } else { 1 }, "{status}: a circle is left after a few steps");
    }
}

#[tokio::test]
async fn many_dispatches_go_side_by_side_on_an_unpaced_host() {
    let github = github(|_| Reply::Json(200, json!({"workflow_run_id": 1}))).await;
    let client = github.client();
    assert_eq!(client.budget(target().installation, 500).await, 100);
    let sends = (0..100).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.dispatch(&target(), &claim(&["stack"])).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    assert_eq!(github.count("POST", PATH), 100);
    let mints = github.seen().iter().filter(|seen| seen.path.ends_with("/access_tokens")).count();
    assert_eq!(mints, 1, "one token serves all");
}
