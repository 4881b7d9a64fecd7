//! How workflow runs live.

use std::time::Duration;

use serde_json::Value;
use stackwave_github_sim::{Conclusion, Error, Outcome, Run, RunMode, RunSelector, RunStatus, SimConfig};

use crate::{DEADLINE, automatic, body, manual, start};

fn is_done(stack: &str) -> impl FnMut(&Run) -> bool {
    move |run| run.input("stack") == stack && run.is_completed()
}

#[tokio::test]
async fn a_planned_failure_hits_its_stack_once() {
    let (github, _, client) = automatic().await;
    github.fail_once("eks", "prod");
    for stack in ["dev", "prod"] {
        client.dispatch(&body("eks", stack)).send().await.unwrap();
    }
    let fine = github.wait_for_run("dev", DEADLINE, is_done("dev")).await.unwrap();
    assert_eq!(fine.conclusion, Some(Conclusion::Success));
    let failed = github.wait_for_run("prod", DEADLINE, is_done("prod")).await.unwrap();
    assert_eq!(failed.conclusion, Some(Conclusion::Failure));

    assert_eq!(github.rerun(failed.id, "octocat", None).unwrap(), 2);
    let again = github
        .wait_for_run("attempt 2", DEADLINE, |run| run.attempt == 2 && run.is_completed())
        .await
        .unwrap();
    assert_eq!((again.id, again.conclusion), (failed.id, Some(Conclusion::Success)));
    assert_eq!(
        (again.actor.login.as_str(), again.triggering_actor.login.as_str()),
        ("stackwave[bot]", "octocat")
    );
}

#[tokio::test]
async fn a_rerun_is_not_requested_again() {
    let (github, _, client) = automatic().await;
    client.dispatch(&body("eks", "prod")).send().await.unwrap();
    let run = github.wait_for_run("the run", DEADLINE, is_done("prod")).await.unwrap();
    let before = github.webhooks().len();
    github.rerun(run.id, "octocat", Some(Outcome::of(Conclusion::TimedOut))).unwrap();
    let kinds: Vec<_> = github.webhooks()[before..].iter().map(|webhook| webhook.kind()).collect();
    let expected = [
        "workflow_job.queued",
        "workflow_job.in_progress",
        "workflow_run.in_progress",
        "workflow_job.completed",
        "workflow_run.completed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(github.run(run.id).unwrap().conclusion, Some(Conclusion::TimedOut));
}

#[tokio::test]
async fn an_approval_lets_a_waiting_run_go_on_as_planned() {
    let (github, _, client) = automatic().await;
    github.plan_outcomes(
        RunSelector::stack("eks", "prod").workflow("plan.yaml"),
        [Outcome::failure().once_approved()],
    );
    client.dispatch(&body("eks", "prod")).send().await.unwrap();
    let waiting =
        github.wait_for_run("waiting", DEADLINE, |run| run.status == RunStatus::Waiting).await.unwrap();
    let last = github.webhooks().pop().unwrap();
    assert_eq!(
        (last.kind().as_str(), &last.json()["workflow_run"]["status"]),
        ("workflow_run.requested", &Value::from("waiting"))
    );
    github.approve_run(waiting.id).unwrap();
    let run = github.wait_for_run("the end", DEADLINE, is_done("prod")).await.unwrap();
    assert_eq!(run.conclusion, Some(Conclusion::Failure));
}

#[tokio::test]
async fn a_closure_decides_what_no_plan_names() {
    let (github, _, client) = automatic().await;
    github
        .decide_outcomes(|run| (run.input("component") == "rds").then(|| Outcome::of(Conclusion::Cancelled)));
    client.dispatch(&body("rds", "prod")).send().await.unwrap();
    let run = github.wait_for_run("the end", DEADLINE, is_done("prod")).await.unwrap();
    assert_eq!(run.conclusion, Some(Conclusion::Cancelled));
    assert!(run.job.started_at.is_none(), "a run cancelled in the queue has not run");
}

#[tokio::test]
async fn a_run_cannot_go_backwards() {
    let (github, _, client) = manual().await;
    client.dispatch(&body("eks", "prod")).send().await.unwrap();
    let run = github.wait_for_run("the run", DEADLINE, |_| true).await.unwrap().id;
    assert!(matches!(github.rerun(run, "octocat", None), Err(Error::Impossible { .. })));
    github.begin_run(run).unwrap();
    github.complete_run(run, Conclusion::Success).unwrap();
    assert!(matches!(github.complete_run(run, Conclusion::Failure), Err(Error::Impossible { .. })));
    assert!(matches!(github.begin_run(run), Err(Error::Impossible { .. })));
    assert!(matches!(github.begin_run(1), Err(Error::Unknown { .. })));
}

#[tokio::test]
async fn a_job_takes_its_time_and_a_test_may_end_it_sooner() {
    let runs = RunMode::Automatic { job_time: Duration::from_secs(3600) };
    let (github, _, client) = start(SimConfig { runs, ..SimConfig::default() }).await;
    client.dispatch(&body("eks", "prod")).send().await.unwrap();
    let run =
        github.wait_for_run("the start", DEADLINE, |run| run.status == RunStatus::InProgress).await.unwrap();
    github.complete_run(run.id, Conclusion::Cancelled).unwrap();
    assert_eq!(github.run(run.id).unwrap().conclusion, Some(Conclusion::Cancelled));
}

#[tokio::test]
async fn a_wait_in_vain_says_what_there_was() {
    let (github, _, client) = manual().await;
    client.dispatch(&body("eks", "prod")).send().await.unwrap();
    let error =
        github.wait_until("a second run", Duration::from_millis(10), |state| state.runs().count() == 2).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("a second run") && text.contains("plan eks/prod/none"), "{text}");
}
