//! Payloads as GitHub sends them, cut to the fields that matter and some that do not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use proptest::prelude::*;
use serde_json::{Value, json};
use stackwave_domain::{
    CommitSha, DeliveryId, Event, GitRef, InstallationId, PrNumber, RepositoryId, WorkflowRunId,
    event::{RepositoryRef, Source},
    workflow::{Conclusion, RunStatus},
};
use stackwave_github::webhook::{Disposition, EVENTS, Own, ParseError, Webhook, parse, parse_as};

const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const OTHER_SHA: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

fn payload(fields: Value) -> Value {
    let mut payload = json!({
        "repository": {
            "id": 186_853_002, "node_id": "R_x", "name": "infra", "full_name": "acme/infra", "private": true,
            "owner": {"login": "acme", "id": 4, "type": "Organization"}, "default_branch": "main",
            "created_at": 1_557_933_565, "pushed_at": "2026-11-03T10:00:00Z",
        },
        "installation": {"id": 31_415, "node_id": "x"},
        "sender": {"login": "octocat", "id": 1, "type": "User"},
        "a_field_of_tomorrow": {"deep": [1, null]},
    });
    for (key, value) in fields.as_object().unwrap() {
        payload[key] = value.clone();
    }
    payload
}

fn read(event: &str, payload: &Value) -> Result<Webhook, ParseError> {
    let body = payload.to_string();
    parse(event, &DeliveryId::new("guid-1"), body.as_bytes(), Some("application/json; charset=utf-8"))
}

fn read_as(app: &str, event: &str, payload: &Value) -> Webhook {
    let body = payload.to_string();
    parse_as(&Own::new(Some(app)), event, &DeliveryId::new("guid-1"), body.as_bytes(), None).unwrap()
}

fn read_as_app_77(event: &str, payload: &Value) -> Webhook {
    read_as("77", event, payload)
}

fn appended(event: &str, payload: &Value) -> Event {
    let webhook = read(event, payload).unwrap();
    assert_eq!(webhook.disposition, Disposition::Repository);
    assert_eq!(webhook.installation, Some(InstallationId(31_415)));
    let repository = webhook.repository.unwrap();
    assert_eq!(
        (repository.id, repository.name.to_string()),
        (RepositoryId(186_853_002), "acme/infra".to_owned())
    );
    webhook.events.into_iter().next().unwrap()
}

fn dropped(event: &str, payload: &Value) -> &'static str {
    let webhook = read(event, payload).unwrap();
    assert!(webhook.events.is_empty());
    match webhook.disposition {
        Disposition::Drop { why } => why,
        Disposition::Repository | Disposition::Configuration => panic!("`{event}` was not dropped"),
    }
}

fn missing(event: &str, payload: &Value) -> String {
    match read(event, payload) {
        Err(ParseError::Missing { field, .. }) => field.0,
        other => panic!("`{event}` gave {other:?}"),
    }
}

fn pull_request(action: &str, changes: Value) -> Value {
    let mut pull = json!({
        "id": 9, "node_id": "PR_x", "number": 42, "state": "open", "title": "Add a subnet", "draft": false,
        "merged": false, "merged_at": null, "merge_commit_sha": null, "body": null, "labels": [],
        "head": {"ref": "subnet", "sha": SHA, "repo": null},
        "base": {"ref": "main", "sha": OTHER_SHA, "repo": {"id": 186_853_002}},
        "user": {"login": "octocat"}, "created_at": "2026-11-03T09:00:00Z", "updated_at": "2026-11-03T10:00:00Z",
    });
    for (key, value) in changes.as_object().unwrap() {
        pull[key] = value.clone();
    }
    payload(json!({"action": action, "number": 42, "pull_request": pull}))
}

#[test]
fn every_pull_request_action_is_appended() {
    for action in [
        "opened",
        "reopened",
        "edited",
        "labeled",
        "ready_for_review",
        "converted_to_draft",
        "enqueued",
        "invented",
    ] {
        let Event::PullRequestObserved(pull) = appended("pull_request", &pull_request(action, json!({})))
        else {
            panic!("another event");
        };
        assert_eq!(pull.action.as_deref(), Some(action));
        assert_eq!(pull.source, Source::Webhook { delivery: DeliveryId::new("guid-1") });
        assert_eq!((pull.number, pull.open, pull.merged), (PrNumber(42), true, false));
        assert_eq!((pull.head_sha, pull.head_ref), (CommitSha::new(SHA), GitRef::new("subnet")));
        assert_eq!(pull.base_ref, GitRef::new("main"));
        assert_eq!(pull.updated_at, "2026-11-03T10:00:00Z".parse().unwrap());
    }
}

#[test]
fn a_synchronize_tells_the_head_before() {
    let mut payload = pull_request("synchronize", json!({}));
    payload["before"] = json!(OTHER_SHA);
    payload["after"] = json!(SHA);
    let Event::PullRequestObserved(pull) = appended("pull_request", &payload) else {
        panic!("another event")
    };
    assert_eq!(pull.before, Some(CommitSha::new(OTHER_SHA)));
}

#[test]
fn merged_is_a_close_with_a_merge_commit() {
    let changes = json!({"state": "closed", "merged": true, "merged_at": "2026-11-03T11:00:00Z",
        "merge_commit_sha": OTHER_SHA, "updated_at": 1_793_703_600});
    let Event::PullRequestObserved(pull) = appended("pull_request", &pull_request("closed", changes)) else {
        panic!("another event");
    };
    assert!(pull.merged && !pull.open);
    assert_eq!(pull.merged_at, Some("2026-11-03T11:00:00Z".parse().unwrap()));
    assert_eq!(pull.updated_at, "2026-11-03T11:00:00Z".parse().unwrap());
    assert_eq!(pull.merge_commit_sha, Some(CommitSha::new(OTHER_SHA)));
}

#[test]
fn a_pull_request_without_number_or_head_names_the_field() {
    let mut without_head = pull_request("opened", json!({"head": null}));
    assert_eq!(missing("pull_request", &without_head), "pull_request.head.sha");
    without_head["pull_request"] = Value::Null;
    assert_eq!(missing("pull_request", &without_head), "pull_request.number");
    let mut elsewhere = pull_request("opened", json!({}));
    elsewhere["pull_request"].as_object_mut().unwrap().remove("number");
    assert!(matches!(appended("pull_request", &elsewhere), Event::PullRequestObserved(_)));
}

fn workflow_run(action: &str, changes: Value) -> Value {
    let mut run = json!({
        "id": 30_433_642_499_u64, "name": "plan", "node_id": "WFR_x", "run_number": 12, "run_attempt": 2,
        "workflow_id": 161_335, "path": ".github/workflows/tf-plan.yaml@refs/heads/main", "display_title": "plan vpc",
        "event": "workflow_dispatch", "status": "completed", "conclusion": "success", "head_branch": "main",
        "head_sha": SHA, "actor": {"login": "stackwave[bot]"}, "triggering_actor": {"login": "octocat"},
        "created_at": "2026-11-03T10:00:00Z", "updated_at": "2026-11-03T10:01:00Z",
        "run_started_at": "2026-11-03T10:00:30Z", "pull_requests": [],
        "html_url": "https://github.com/acme/infra/actions/runs/30433642499",
    });
    for (key, value) in changes.as_object().unwrap() {
        run[key] = value.clone();
    }
    payload(
        json!({"action": action, "workflow_run": run, "workflow": {"path": ".github/workflows/tf-plan.yaml"}}),
    )
}

#[test]
fn a_dispatched_run_is_appended_with_its_state() {
    let Event::WorkflowRunObserved(run) = appended("workflow_run", &workflow_run("completed", json!({})))
    else {
        panic!("another event");
    };
    assert_eq!((run.run, run.attempt), (WorkflowRunId(30_433_642_499), 2));
    assert_eq!((run.workflow.as_str(), run.title.as_str()), ("tf-plan.yaml", "plan vpc"));
    assert_eq!((run.status, run.conclusion), (RunStatus::Completed, Some(Conclusion::Success)));
    assert_eq!(run.actor.as_deref(), Some("stackwave[bot]"));
}

#[test]
fn words_and_fields_that_nobody_knows_pass() {
    let changes = json!({"status": "levitating", "conclusion": "sublime", "head_branch": null, "actor": null,
        "display_title": null, "run_attempt": null, "html_url": null, "created_at": null, "path": null});
    let Event::WorkflowRunObserved(run) = appended("workflow_run", &workflow_run("completed", changes))
    else {
        panic!("another event");
    };
    assert_eq!(run.status, RunStatus::Other("levitating".to_owned()));
    assert_eq!(run.conclusion, Some(Conclusion::Other("sublime".to_owned())));
    assert_eq!((run.attempt, run.workflow.as_str()), (1, "tf-plan.yaml"));
    assert_eq!(run.created_at, "2026-11-03T10:00:30Z".parse().unwrap());
}

#[test]
fn a_run_without_status_is_as_far_as_its_action() {
    for (action, status) in [("requested", RunStatus::Requested), ("in_progress", RunStatus::InProgress)] {
        let changes = json!({"status": null, "conclusion": null});
        let Event::WorkflowRunObserved(run) = appended("workflow_run", &workflow_run(action, changes)) else {
            panic!("another event");
        };
        assert_eq!(run.status, status);
    }
}

#[test]
fn runs_of_ordinary_ci_are_dropped() {
    for event in ["push", "pull_request", "schedule"] {
        let why = dropped("workflow_run", &workflow_run("completed", json!({"event": event})));
        assert_eq!(why, "a workflow run of ordinary CI");
    }
    assert_eq!(missing("workflow_run", &payload(json!({"workflow_run": {}}))), "workflow_run.event");
}

#[test]
fn an_event_whose_object_is_null_is_no_failed_delivery() {
    for event in ["workflow_run", "workflow_job"] {
        let mut payload = payload(json!({ "action": "completed" }));
        payload[event] = Value::Null;
        assert_eq!(dropped(event, &payload), "what it is about is null");
    }
}

fn workflow_job(action: &str) -> Value {
    payload(json!({"action": action, "workflow_job": {
        "id": 289_782_451, "run_id": 30_433_642_499_u64, "run_attempt": 1, "name": "apply", "status": "waiting",
        "conclusion": null, "head_sha": SHA, "labels": [], "steps": [], "runner_id": null,
        "created_at": "2026-11-03T10:00:00Z", "started_at": "2026-11-03T10:00:05Z", "completed_at": null}}))
}

#[test]
fn of_jobs_only_those_that_wait_are_appended() {
    let Event::WorkflowJobWaiting(job) = appended("workflow_job", &workflow_job("waiting")) else {
        panic!("another event");
    };
    assert_eq!((job.run, job.job, job.name.as_str()), (WorkflowRunId(30_433_642_499), 289_782_451, "apply"));
    for action in ["queued", "in_progress", "completed"] {
        dropped("workflow_job", &workflow_job(action));
    }
    dropped("workflow_job", &payload(json!({"action": "waiting", "workflow_job": null})));
}

#[test]
fn a_dispatch_tells_its_inputs_as_texts() {
    let Event::WorkflowDispatchObserved(dispatch) = appended(
        "workflow_dispatch",
        &payload(json!({"workflow": ".github/workflows/tf-apply.yaml", "ref": "refs/heads/main",
            "inputs": {"stack": "prod", "dry_run": true, "parallel": 4, "empty": null}})),
    ) else {
        panic!("another event");
    };
    assert_eq!((dispatch.workflow.as_str(), dispatch.git_ref.as_str()), ("tf-apply.yaml", "main"));
    let inputs: Vec<(&str, &str)> = dispatch.inputs.iter().collect();
    assert_eq!(inputs, [("dry_run", "true"), ("empty", ""), ("parallel", "4"), ("stack", "prod")]);
    assert_eq!(dispatch.sender.as_deref(), Some("octocat"));
    let none = payload(json!({"workflow": "a.yml", "ref": "refs/tags/v1", "inputs": null}));
    assert!(
        matches!(appended("workflow_dispatch", &none), Event::WorkflowDispatchObserved(d) if d.inputs.is_empty())
    );
    assert_eq!(missing("workflow_dispatch", &payload(json!({"workflow": "a.yml"}))), "ref");
}

fn push(git_ref: &str) -> Value {
    payload(json!({"ref": git_ref, "before": OTHER_SHA, "after": SHA, "created": false, "deleted": false,
        "forced": false, "base_ref": null, "commits": [{"id": SHA}], "head_commit": {"id": SHA},
        "pusher": {"name": "octocat"}}))
}

#[test]
fn of_pushes_only_those_to_the_default_branch_are_appended() {
    let Event::PushObserved(observed) = appended("push", &push("refs/heads/main")) else {
        panic!("another event")
    };
    assert_eq!((observed.git_ref.as_str(), observed.after.as_str()), ("main", SHA));
    for other in ["refs/heads/subnet", "refs/tags/main", "refs/heads/gh-readonly-queue/main/pr-7-0a1b2c3d"] {
        dropped("push", &push(other));
    }
    let mut queue_is_default = push("refs/heads/gh-readonly-queue/main/pr-7-0a1b2c3d");
    queue_is_default["repository"]["default_branch"] = json!("gh-readonly-queue/main/pr-7-0a1b2c3d");
    dropped("push", &queue_is_default);
    let mut deleted = push("refs/heads/main");
    deleted["deleted"] = json!(true);
    dropped("push", &deleted);
}

#[test]
fn a_push_names_the_owner_in_its_own_way() {
    let mut payload = push("refs/heads/main");
    payload["repository"] =
        json!({"id": 186_853_002, "name": "infra", "owner": {"name": "acme"}, "master_branch": "main"});
    assert!(matches!(appended("push", &payload), Event::PushObserved(_)));
}

#[test]
fn a_merge_group_tells_its_pull_request() {
    let group = json!({"head_sha": SHA, "head_ref": "refs/heads/gh-readonly-queue/release/9/pr-104-0a1b2c3d",
        "base_sha": OTHER_SHA, "base_ref": "refs/heads/release/9", "head_commit": {"id": SHA}});
    let mut payload = payload(json!({"action": "checks_requested", "merge_group": group}));
    let Event::MergeGroupObserved(observed) = appended("merge_group", &payload) else {
        panic!("another event")
    };
    assert_eq!((observed.pull_request, observed.base_ref.as_str()), (Some(PrNumber(104)), "release/9"));
    assert_eq!(observed.head_ref.as_str(), "gh-readonly-queue/release/9/pr-104-0a1b2c3d");
    payload["action"] = json!("destroyed");
    payload["reason"] = json!("invalidated");
    let Event::MergeGroupObserved(observed) = appended("merge_group", &payload) else {
        panic!("another event")
    };
    assert_eq!((observed.action.as_str(), observed.reason.as_deref()), ("destroyed", Some("invalidated")));
}

#[test]
fn every_release_action_is_appended() {
    for action in ["published", "released", "prereleased", "edited", "deleted", "created"] {
        let payload = payload(json!({"action": action, "release": {"id": 17_372_790, "tag_name": "v1.2.0",
            "target_commitish": "main", "draft": false, "published_at": "2026-11-03T10:00:00Z"}}));
        let Event::ReleaseObserved(release) = appended("release", &payload) else { panic!("another event") };
        assert_eq!((release.action.as_deref(), release.tag.as_str()), (Some(action), "v1.2.0"));
        assert_eq!((release.release, release.commit), (17_372_790, None));
    }
}

fn check_run(app: Value) -> Value {
    payload(json!({"action": "requested_action", "requested_action": {"identifier": "retry"}, "check_run": {
        "id": 128_620_228, "name": "stackwave", "head_sha": SHA, "external_id": "run-1", "status": "completed",
        "conclusion": "failure", "app": app, "check_suite": {"id": 5}, "pull_requests": []}}))
}

#[test]
fn a_check_run_tells_the_button() {
    let payload = check_run(json!({"id": 77, "slug": "stackwave"}));
    let Event::CheckRunObserved(check) = appended("check_run", &payload) else { panic!("another event") };
    assert_eq!(
        (check.action.as_str(), check.requested_action.as_deref()),
        ("requested_action", Some("retry"))
    );
    assert_eq!((check.app, check.external_id.as_deref()), (Some(77), Some("run-1")));
    assert_eq!(check.conclusion, Some(Conclusion::Failure));
    assert_eq!(read_as_app_77("check_run", &payload).disposition, Disposition::Repository);
}

#[test]
fn check_runs_of_ordinary_ci_and_of_other_apps_are_dropped() {
    dropped("check_run", &check_run(json!({"id": 15_368, "slug": "github-actions"})));
    let other = read_as_app_77("check_run", &check_run(json!({"id": 78, "slug": "other"})));
    assert!(other.events.is_empty());
    assert!(matches!(appended("check_run", &check_run(Value::Null)), Event::CheckRunObserved(_)));
}

fn comment(action: &str, author: &str, app: Value, sender: &str) -> Value {
    payload(json!({"action": action, "sender": {"login": sender},
        "issue": {"number": 42, "pull_request": {"url": "https://api.github.com/repos/acme/infra/pulls/42"}},
        "comment": {"id": 492_700_400, "body": "/stackwave retry", "user": {"login": author, "type": "User"},
            "author_association": "MEMBER", "performed_via_github_app": app}}))
}

#[test]
fn comments_on_pull_requests_are_appended() {
    for action in ["created", "edited", "deleted"] {
        let payload = comment(action, "octocat", Value::Null, "octocat");
        let Event::IssueCommentObserved(comment) = appended("issue_comment", &payload) else {
            panic!("another event")
        };
        assert_eq!((comment.action.as_str(), comment.number), (action, PrNumber(42)));
        assert_eq!((comment.author.as_str(), comment.body.as_str()), ("octocat", "/stackwave retry"));
    }
    let mut on_issue = comment("created", "octocat", Value::Null, "octocat");
    on_issue["issue"].as_object_mut().unwrap().remove("pull_request");
    assert_eq!(dropped("issue_comment", &on_issue), "a comment on an issue");
    let ghost = comment("created", "", Value::Null, "octocat");
    assert!(
        matches!(appended("issue_comment", &ghost), Event::IssueCommentObserved(c) if c.author == "ghost")
    );
}

#[test]
fn our_own_comment_is_an_echo_unless_somebody_else_touched_it() {
    let app = json!({"id": 77, "slug": "stackwave"});
    let kept = |action, author: &str, app: &Value, sender| {
        read_as_app_77("issue_comment", &comment(action, author, app.clone(), sender)).disposition
            == Disposition::Repository
    };
    assert!(!kept("created", "stackwave[bot]", &app, "stackwave[bot]"));
    assert!(!kept("edited", "stackwave[bot]", &app, "stackwave[bot]"));
    assert!(kept("edited", "stackwave[bot]", &app, "octocat"));
    assert!(kept("deleted", "stackwave[bot]", &app, "octocat"));
    assert!(kept("deleted", "stackwave[bot]", &app, "stackwave[bot]"));
    assert!(kept("created", "other[bot]", &json!({"id": 78}), "other[bot]"));
    assert!(kept("created", "octocat", &Value::Null, "octocat"));
}

#[test]
fn an_app_that_is_configured_by_its_client_id_knows_its_own_comments_too() {
    let own = "Iv23liStackwave";
    let app = json!({"id": 77, "client_id": own, "slug": "stackwave"});
    let kept = |own, action, app: &Value, sender| {
        read_as(own, "issue_comment", &comment(action, "stackwave[bot]", app.clone(), sender)).disposition
            == Disposition::Repository
    };
    assert!(!kept(own, "created", &app, "stackwave[bot]"));
    assert!(!kept(own, "edited", &app, "stackwave[bot]"));
    assert!(!kept(" Iv23liStackwave\n", "edited", &app, "stackwave[bot]"));
    assert!(kept(own, "edited", &app, "octocat"));
    assert!(kept("Iv23liAnother", "edited", &app, "stackwave[bot]"));
    assert!(kept(own, "edited", &json!({"id": 77}), "stackwave[bot]"), "nothing tells that it is ours");
    assert!(kept("", "edited", &app, "stackwave[bot]"), "nobody told who we are");
}

#[test]
fn check_runs_of_others_are_told_by_client_id_too() {
    let check = check_run(json!({"id": 78, "client_id": "Iv23liOther", "slug": "other"}));
    assert!(read_as("Iv23liStackwave", "check_run", &check).events.is_empty());
    assert_eq!(read_as("Iv23liOther", "check_run", &check).events.len(), 1);
}

fn configured(event: &str, payload: &Value) -> Event {
    let webhook = read(event, payload).unwrap();
    assert_eq!(webhook.disposition, Disposition::Configuration);
    webhook.events.into_iter().next().unwrap()
}

fn without_repository(fields: Value) -> Value {
    let mut payload = payload(fields);
    payload.as_object_mut().unwrap().remove("repository");
    payload
}

#[test]
fn installations_go_to_the_configuration() {
    for action in ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"] {
        let payload = without_repository(json!({"action": action,
            "installation": {"id": 31_415, "app_id": 77, "account": {"login": "acme"}, "suspended_at": 1_793_700_000},
            "repositories": [{"id": 1, "full_name": "acme/a", "name": "a"}, {"id": null}], "requester": null}));
        let Event::InstallationObserved(observed) = configured("installation", &payload) else {
            panic!("another event");
        };
        assert_eq!((observed.action.as_str(), observed.account.as_str()), (action, "acme"));
        assert_eq!(observed.repositories.len(), 1);
    }
    let bare = without_repository(json!({"action": "created"}));
    assert!(
        matches!(configured("installation", &bare), Event::InstallationObserved(o) if o.repositories.is_empty())
    );
    let none = without_repository(json!({"action": "created", "installation": null}));
    assert_eq!(missing("installation", &none), "installation.id");
}

#[test]
fn gained_and_lost_repositories_go_to_the_configuration() {
    let payload = without_repository(json!({"action": "added", "repository_selection": "selected",
        "repositories_added": [{"id": 1, "full_name": "acme/a"}], "repositories_removed": []}));
    let Event::InstallationRepositoriesObserved(observed) = configured("installation_repositories", &payload)
    else {
        panic!("another event");
    };
    let names = |list: &[RepositoryRef]| {
        list.iter().map(|repository| repository.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((names(&observed.added), names(&observed.removed)), (vec!["acme/a".to_owned()], vec![]));
}

#[test]
fn a_ping_needs_nothing_else() {
    let payload =
        json!({"zen": "Keep it logically awesome.", "hook_id": 7, "hook": {"type": "App", "app_id": 77}});
    assert!(matches!(configured("ping", &payload), Event::PingObserved(ping) if ping.hook == 7));
    assert!(matches!(configured("ping", &json!({})), Event::PingObserved(ping) if ping.hook == 0));
}

#[test]
fn events_that_nobody_knows_are_dropped() {
    assert_eq!(dropped("star", &payload(json!({"action": "created"}))), "an event that is not used");
    assert_eq!(dropped("check_suite", &payload(json!({"action": "completed"}))), "an event that is not used");
}

#[test]
fn a_repository_event_without_its_repository_names_the_field() {
    let mut payload = pull_request("opened", json!({}));
    payload["repository"] = json!({"full_name": "acme/infra"});
    assert_eq!(missing("pull_request", &payload), "repository.id");
}

#[test]
fn a_form_carries_the_same_payload() {
    let json = pull_request("opened", json!({"title": "a & b = ü"})).to_string();
    let form: String = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &json).finish();
    let delivery = DeliveryId::new("guid-1");
    let by_form =
        parse("pull_request", &delivery, form.as_bytes(), Some("application/x-www-form-urlencoded")).unwrap();
    assert_eq!(by_form, parse("pull_request", &delivery, json.as_bytes(), None).unwrap());
    let empty = parse("ping", &delivery, b"a=b", Some("application/x-www-form-urlencoded; charset=utf-8"));
    assert_eq!(empty, Err(ParseError::NoPayloadField));
}

#[test]
fn what_is_no_json_object_is_refused() {
    let parse = |body: &[u8]| parse("ping", &DeliveryId::new("guid-1"), body, None);
    for body in [&b""[..], b"payload=%7B%7D", b"{\"a\":", b"\xff\xfe{}", b"{} {}"] {
        assert!(matches!(parse(body), Err(ParseError::NotJson(_))), "{body:?}");
    }
    for body in [&b"[]"[..], b"7", b"null", b" \"text\" "] {
        assert_eq!(parse(body), Err(ParseError::NotAnObject), "{body:?}");
    }
}

#[test]
fn nesting_without_end_neither_crashes_nor_fails_an_event_that_does_not_need_it() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let body = format!(r#"{{"zen":"x","hook_id":7,"more":{deep},"hook":{deep}}}"#);
    let webhook = parse("ping", &DeliveryId::new("guid-1"), body.as_bytes(), None).unwrap();
    assert_eq!(webhook.disposition, Disposition::Configuration);
}

/// JSON whose keys are those that are read, with anything behind them.
fn any_json() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "action",
        "repository",
        "installation",
        "pull_request",
        "workflow_run",
        "workflow_job",
        "workflow",
        "ref",
        "inputs",
        "merge_group",
        "release",
        "check_run",
        "issue",
        "comment",
        "head",
        "base",
        "sha",
        "id",
        "number",
        "full_name",
        "event",
        "path",
        "head_sha",
        "head_ref",
        "base_ref",
        "run_id",
        "user",
        "login",
        "tag_name",
        "updated_at",
        "default_branch",
        "after",
        "deleted",
        "hook",
        "hook_id",
        "repositories",
        "account",
        "app",
    ];
    const WORDS: &[&str] = &[
        "",
        "workflow_dispatch",
        "waiting",
        "created",
        "refs/heads/main",
        "main",
        "acme/infra",
        "/",
        "pr-",
        "ü@.yml@",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 96, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(KEYS).prop_map(str::to_owned), inner, 0..12)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(event in prop::sample::select(EVENTS), value in any_json()) {
        let _ = read(event, &value);
    }

    #[test]
    fn no_bytes_panic(event in prop::sample::select(EVENTS), body: Vec<u8>, form: bool) {
        let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let _ = parse(event, &DeliveryId::new("guid-1"), &body, Some(content_type));
    }
}
