//! Looking at runs, pull requests, repositories and workflow files.

use crate::support::{GitHub, Reply, SHA, now, target};
use serde_json::{Value, json};
use stackwave_domain::{
    CommitSha, GitRef, InstallationId, Position, PrNumber, RepositoryName, WorkflowFile, WorkflowRunId,
    event::Source,
};
use stackwave_github::port::{CallError, Pulls, Repositories, Runs, Workflows};
use std::time::Duration;

fn run(id: u64) -> Value {
    json!({"id": id, "run_attempt": 1, "event": "workflow_dispatch", "path": ".github/workflows/tf-plan.yaml@main",
        "display_title": "plan", "status": "queued", "conclusion": null, "head_branch": "main", "head_sha": SHA,
        "actor": {"login": "stackwave[bot]"}, "created_at": "2026-11-03T10:00:00Z",
        "updated_at": "2026-11-03T10:00:01Z", "html_url": "https://h"})
}

fn page(path: &str, seen: &str, pages: u32, rows: impl Fn(u32) -> Value) -> Reply {
    let number = seen.split("&page=").nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let link = format!("<https://api.github.com{path}?per_page=100&page={}>; rel=\"next\"", number + 1);
    let headers = if number < pages { vec![("link", link)] } else { vec![] };
    Reply::With(200, headers, rows(number).to_string())
}

#[tokio::test]
async fn runs_of_a_workflow_come_from_all_pages() {
    let path = "/repos/acme/infra/actions/workflows/tf-plan.yaml/runs";
    let github = GitHub::start(move |seen, _| {
        seen.is("GET", path).then(|| {
            page(path, &seen.path, 3, |number| {
                let other = json!({"id": 1, "event": "push", "path": "p", "head_sha": SHA});
                json!({"total_count": 3, "workflow_runs": [run(100 + u64::from(number)), other, {"id": null}]})
            })
        })
    })
    .await;
    let since = now() - Duration::from_secs(60);
    let runs =
        github.client().of_workflow(&target(), &WorkflowFile::new("tf-plan.yaml"), since).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.run.0).collect::<Vec<_>>(), [101, 102, 103]);
    assert_eq!(runs[0].source, Source::Poll { asked_at: Position(0) });
    assert_eq!(runs[0].workflow.as_str(), "tf-plan.yaml");
    let asked = &github.seen()[1].path;
    assert!(
        asked.contains("event=workflow_dispatch&created=%3E%3D2026-11-03T09%3A59%3A00Z&per_page=100"),
        "{asked}"
    );
}

#[tokio::test]
async fn runs_of_a_repository_stop_after_the_pages_that_were_asked_for() {
    let path = "/repos/acme/infra/actions/runs";
    let github = GitHub::start(move |seen, _| {
        seen.is("GET", path)
            .then(|| page(path, &seen.path, 9, |number| json!({"workflow_runs": [run(u64::from(number))]})))
    })
    .await;
    let runs = github.client().of_repository(&target(), now(), 2).await.unwrap();
    assert_eq!(runs.len(), 2);
    let none = github.client().of_repository(&target(), now() + Duration::from_secs(1), 1).await.unwrap();
    assert!(none.is_empty(), "what was created before is left out, whatever the host lists");
}

#[tokio::test]
async fn an_unchanged_list_is_taken_from_memory() {
    let path = "/repos/acme/infra/actions/runs";
    let github = GitHub::start(move |seen, _| {
        if !seen.is("GET", path) {
            return None;
        }
        if seen.header("if-none-match") == "\"v1\"" {
            return Some(Reply::With(304, vec![], String::new()));
        }
        Some(Reply::With(
            200,
            vec![("etag", "\"v1\"".to_owned())],
            json!({"workflow_runs": [run(7)]}).to_string(),
        ))
    })
    .await;
    let client = github.client();
    for _ in 0..2 {
        assert_eq!(client.of_repository(&target(), now(), 1).await.unwrap().len(), 1);
    }
    assert_eq!(github.count("GET", path), 2);
}

#[tokio::test]
async fn errors_of_reads_are_told_apart() {
    let path = "/repos/acme/infra/actions/runs/7";
    let ask = async |status: u16, body: Value| {
        let github =
            GitHub::start(move |seen, _| seen.is("GET", path).then(|| Reply::Json(status, body.clone())))
                .await;
        github.client().run(&target(), WorkflowRunId(7)).await
    };
    assert_eq!(ask(200, run(7)).await.unwrap().run, WorkflowRunId(7));
    assert!(matches!(ask(200, json!({"id": 7})).await, Err(CallError::Unavailable(_))));
    assert!(matches!(ask(404, json!({"message": "Not Found"})).await, Err(CallError::NotFound(_))));
    assert!(matches!(ask(410, json!({})).await, Err(CallError::NotFound(_))));
    assert!(matches!(ask(502, json!({})).await, Err(CallError::Unavailable(_))));
    assert!(matches!(ask(401, json!({})).await, Err(CallError::Unauthorized(_))));
    assert!(matches!(ask(429, json!({})).await, Err(CallError::RateLimited { .. })));
    let refused = ask(422, json!({"message": "Validation Failed", "errors": [{"message": "no"}]})).await;
    assert_eq!(
        refused,
        Err(CallError::Refused { status: 422, message: "Validation Failed (no)".to_owned() })
    );
}

#[tokio::test]
async fn the_last_allowed_call_blocks_the_next() {
    let path = "/repos/acme/infra/actions/runs/7";
    let github = GitHub::start(move |seen, _| {
        let headers = vec![
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (now().as_second() + 30).to_string()),
            ("date", "Tue, 03 Nov 2026 10:00:00 GMT".to_owned()),
        ];
        seen.is("GET", path).then(|| Reply::With(200, headers, run(7).to_string()))
    })
    .await;
    let client = github.client();
    client.run(&target(), WorkflowRunId(7)).await.unwrap();
    let blocked = client.run(&target(), WorkflowRunId(7)).await;
    assert!(
        matches!(blocked, Err(CallError::RateLimited { wait }) if wait <= Duration::from_secs(30)),
        "{blocked:?}"
    );
    assert_eq!(github.count("GET", path), 1);
}

fn pull(number: u64) -> Value {
    json!({"number": number, "state": "closed", "merged": true, "merged_at": "2026-11-03T10:00:00Z",
        "merge_commit_sha": SHA, "head": {"ref": "subnet", "sha": SHA}, "base": {"ref": "main", "sha": SHA},
        "updated_at": "2026-11-03T10:00:00Z"})
}

#[tokio::test]
async fn pull_requests_of_a_commit_are_each_read_whole() {
    let list = format!("/repos/acme/infra/commits/{SHA}/pulls");
    let github = GitHub::start(move |seen, _| match seen.path.split('?').next().unwrap() {
        path if path == list => Some(Reply::Json(200, json!([{"number": 4, "state": "closed"}]))),
        "/repos/acme/infra/pulls/4" => Some(Reply::Json(200, pull(4))),
        _ => None,
    })
    .await;
    let pulls = github.client().of_commit(&target(), &CommitSha::new(SHA)).await.unwrap();
    assert_eq!(pulls.len(), 1);
    assert!(pulls[0].merged && pulls[0].action.is_none());
    assert_eq!(
        (pulls[0].number, pulls[0].merge_commit_sha.clone()),
        (PrNumber(4), Some(CommitSha::new(SHA)))
    );
}

#[tokio::test]
async fn a_commit_that_github_does_not_have_lies_in_no_pull_request() {
    let github = GitHub::start(|seen, _| {
        seen.path
            .contains("/commits/")
            .then(|| Reply::Json(422, json!({"message": format!("No commit found for SHA: {SHA}")})))
    })
    .await;
    let client = github.client();
    assert_eq!(client.of_commit(&target(), &CommitSha::new(SHA)).await, Ok(vec![]));
    assert!(matches!(
        client.commit_of_ref(&target(), &GitRef::new("gone")).await,
        Err(CallError::NotFound(_))
    ));
}

#[tokio::test]
async fn the_commit_of_a_ref_is_read_from_either_answer() {
    for body in [SHA.to_owned(), json!({"sha": SHA}).to_string()] {
        let github = GitHub::start(move |seen, _| {
            seen.is("GET", "/repos/acme/infra/commits/release%2F9")
                .then(|| Reply::With(200, vec![], body.clone()))
        })
        .await;
        let commit = github.client().commit_of_ref(&target(), &GitRef::new("release/9")).await.unwrap();
        assert_eq!(commit.as_str(), SHA);
    }
}

fn repository(id: u64, name: &str) -> Value {
    json!({"id": id, "full_name": format!("acme/{name}"), "name": name, "owner": {"login": "acme"}, "default_branch": "main"})
}

#[tokio::test]
async fn a_repository_is_found_by_name_through_its_installation() {
    let github = GitHub::start(|seen, _| {
        if seen.is("GET", "/repos/acme/infra/installation") {
            assert!(seen.header("authorization").starts_with("Bearer eyJ"), "the App asks by JWT");
            return Some(Reply::Json(200, json!({"id": 31_415, "app_id": 77})));
        }
        if seen.is("GET", "/repos/acme/infra") {
            return Some(Reply::With(301, vec![("location", "/repositories/1".to_owned())], String::new()));
        }
        seen.is("GET", "/repositories/1").then(|| Reply::Json(200, repository(1, "renamed")))
    })
    .await;
    let client = github.client();
    let found = client.by_name(&RepositoryName::new("acme", "infra")).await.unwrap();
    assert_eq!((found.id.0, found.name.name.as_str()), (1, "renamed"));
    assert_eq!((found.installation, found.default_branch.as_str()), (InstallationId(31_415), "main"));
    let none = client.by_name(&RepositoryName::new("acme", "nothing")).await;
    assert!(matches!(none, Err(CallError::NotFound(_))));
}

#[tokio::test]
async fn another_host_sees_no_token() {
    let other = GitHub::start(|_, _| Some(Reply::Json(200, run(7)))).await;
    let location = format!("{}/runs/7", other.url);
    let github = GitHub::start(move |seen, _| {
        seen.is("GET", "/repos/acme/infra/actions/runs/7")
            .then(|| Reply::With(302, vec![("location", location.clone())], String::new()))
    })
    .await;
    github.client().run(&target(), WorkflowRunId(7)).await.unwrap();
    assert_eq!(other.seen()[0].header("authorization"), "");
}

#[tokio::test]
async fn redirects_without_end_end() {
    let path = "/repos/acme/infra/actions/runs/7";
    let github = GitHub::start(move |seen, _| {
        seen.is("GET", path).then(|| Reply::With(302, vec![("location", path.to_owned())], String::new()))
    })
    .await;
    let result = github.client().run(&target(), WorkflowRunId(7)).await;
    assert!(matches!(result, Err(CallError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn all_repositories_of_all_installations_are_listed() {
    let github = GitHub::start(|seen, _| {
        if seen.is("GET", "/app/installations") {
            return Some(page("/app/installations", &seen.path, 2, |number| match number {
                1 => json!([{"id": 1, "suspended_at": null}, {"id": 2, "suspended_at": "2026-11-01T00:00:00Z"}]),
                _ => json!([{"id": 3}, {"id": 4}]),
            }));
        }
        if seen.is("POST", "/app/installations/4/access_tokens") {
            return Some(Reply::Json(403, json!({"message": "This installation has been suspended"})));
        }
        if seen.is("POST", "/app/installations/3/access_tokens") {
            return Some(Reply::Json(201, json!({"token": "three", "expires_at": "2026-11-03T11:00:00Z"})));
        }
        seen.is("GET", "/installation/repositories").then(|| match seen.header("authorization") {
            "Bearer three" => Reply::Json(200, json!({"repositories": [repository(30, "c")]})),
            _ => page("/installation/repositories", &seen.path, 2, |number| {
                json!({"repositories": [repository(u64::from(number), if number == 1 { "a" } else { "b" })]})
            }),
        })
    })
    .await;
    let found = github.client().all().await.unwrap();
    let names: Vec<(u64, String)> =
        found.iter().map(|found| (found.installation.0, found.name.name.clone())).collect();
    assert_eq!(names, [(1, "a".to_owned()), (1, "b".to_owned()), (3, "c".to_owned())]);
}

const WORKFLOW: &str =
    "run-name: plan ${{ inputs.stack }}\non:\n  workflow_dispatch:\n    inputs: {stack: {}, sha: {}}\n";

#[tokio::test]
async fn a_workflow_file_is_read_from_either_answer() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (head, tail) = WORKFLOW.split_at(20);
    let wrapped = json!({"type": "file", "encoding": "base64",
        "content": STANDARD.encode(format!("{head}{tail}")).as_bytes().chunks(60)
            .map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect::<String>()});
    for body in [WORKFLOW.to_owned(), wrapped.to_string()] {
        let github = GitHub::start(move |seen, _| {
            let path = "/repos/acme/infra/contents/.github/workflows/tf-plan.yaml";
            (seen.is("GET", path) && seen.path.ends_with("?ref=release%2F9"))
                .then(|| Reply::With(200, vec![], body.clone()))
        })
        .await;
        let definition = github
            .client()
            .definition(&target(), &WorkflowFile::new("tf-plan.yaml"), &GitRef::new("release/9"))
            .await
            .unwrap();
        let declared: Vec<String> = definition.declared.unwrap().into_iter().collect();
        assert_eq!(declared, ["sha", "stack"]);
        assert_eq!(definition.run_name.as_deref(), Some("plan ${{ inputs.stack }}"));
    }
}

#[tokio::test]
async fn those_who_want_one_workflow_file_ask_for_it_once() {
    let path = "/repos/acme/infra/contents/.github/workflows/tf-plan.yaml";
    let github = GitHub::start(move |seen, _| {
        seen.is("GET", path).then(|| Reply::With(200, vec![], WORKFLOW.to_owned()))
    })
    .await;
    let client = github.client();
    let reads = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            client.definition(&target(), &WorkflowFile::new("tf-plan.yaml"), &GitRef::new("main")).await
        })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap().unwrap();
    }
    assert_eq!(github.count("GET", path), 1);
}

#[tokio::test]
async fn a_workflow_file_that_we_may_not_read_is_not_found() {
    for status in [403, 404] {
        let github = GitHub::start(move |seen, _| {
            seen.path
                .contains("/contents/")
                .then(|| Reply::Json(status, json!({"message": "Resource not accessible by integration"})))
        })
        .await;
        let result =
            github.client().definition(&target(), &WorkflowFile::new("a.yml"), &GitRef::new("main")).await;
        assert!(matches!(result, Err(CallError::NotFound(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_workflow_file_is_asked_for_again_after_a_minute_and_then_only_whether_it_changed() {
    let path = "/repos/acme/infra/contents/.github/workflows/tf-plan.yaml";
    let github = GitHub::start(move |seen, _| {
        if !seen.is("GET", path) {
            return None;
        }
        if seen.header("if-none-match") == "\"v1\"" {
            return Some(Reply::With(304, vec![], String::new()));
        }
        Some(Reply::With(200, vec![("etag", "\"v1\"".to_owned())], WORKFLOW.to_owned()))
    })
    .await;
    let client = github.client();
    for asked in [1, 2, 3] {
        for _ in 0..2 {
            let read =
                client.definition(&target(), &WorkflowFile::new("tf-plan.yaml"), &GitRef::new("main")).await;
            assert!(read.unwrap().declared.is_some());
        }
        assert_eq!(github.count("GET", path), asked);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
    }
}
