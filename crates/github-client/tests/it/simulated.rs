//! The client against the simulated GitHub, whose answers and webhooks are held against GitHub's own schemas.

use crate::support::{claim, now};
use stackwave_domain::{
    CommitSha, DeliveryId, Event, GitRef, PrNumber, RepositoryName, WorkflowFile, WorkflowRunId,
    workflow::{Conclusion, RunStatus},
};
use stackwave_github::{
    port::{
        CallError, CancelOutcome, Cancels, Comments, DispatchError, Dispatches, Pulls, Repositories,
        RepositoryFound, Runs, Target, Workflows,
    },
    webhook::{self, Disposition, Own},
};
use stackwave_github_client::{ClientConfig, GitHubClient};
use stackwave_github_sim::{
    App, Clock, GitHub, Host, NewPullRequest, NewRelease, NewRepository, Outcome, Repo, SimConfig,
};
use std::{sync::Arc, time::Duration};

const PLAN: &str = "run-name: plan ${{ inputs.stack }}\non:\n  workflow_dispatch:\n    inputs:\n      stack: {required: true}\n";

async fn start(host: Host) -> (GitHub, Repo, GitHubClient) {
    let config = SimConfig { host, clock: Clock::from_fn(now), ..SimConfig::default() };
    let github = GitHub::start(config).await.unwrap();
    let repo = github.add_repository(NewRepository::new("acme/infra").workflow("tf-plan.yaml", PLAN));
    // The simulation's URL holds the prefix of its host, as the setting does.
    let mut config = ClientConfig::new(github.url(), Arc::new(now));
    config.app_id = Some(App::default().id.to_string());
    config.private_key = Some(github.private_key_pem().into());
    (github, repo, GitHubClient::new(config).unwrap())
}

fn target(found: &RepositoryFound) -> Target {
    Target { id: found.id, name: found.name.clone(), installation: found.installation }
}

async fn found(client: &GitHubClient) -> Target {
    target(&client.by_name(&RepositoryName::new("acme", "infra")).await.unwrap())
}

#[tokio::test]
async fn every_port_works_on_both_kinds_of_host() {
    for host in [Host::Dotcom, Host::OldGhes] {
        let (github, repo, client) = start(host).await;
        let all = client.all().await.unwrap();
        let by_name = client.by_name(&RepositoryName::new("acme", "infra")).await.unwrap();
        assert_eq!(all, [by_name]);
        let target = target(&all[0]);

        let (plan, main) = (WorkflowFile::new("tf-plan.yaml"), GitRef::new("main"));
        let definition = client.definition(&target, &plan, &main).await.unwrap();
        assert_eq!(definition.declared.unwrap().into_iter().collect::<Vec<_>>(), ["stack"]);
        assert_eq!(definition.run_name.as_deref(), Some("plan ${{ inputs.stack }}"));

        assert!(client.budget(target.installation, 3).await >= 1);
        // Both of our own inputs are undeclared, and dropped.
        let answer = client.dispatch(&target, &claim(&["stack", "sha", "atmos_pro_run_id"])).await.unwrap();
        assert_eq!(answer.workflow_run.is_some(), host == Host::Dotcom);
        github.wait_until_quiet(Duration::from_secs(10)).await.unwrap();
        let runs = client.of_workflow(&target, &plan, now() - Duration::from_secs(60)).await.unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!(client.of_repository(&target, now() - Duration::from_secs(60), 1).await.unwrap(), runs);
        let run = client.run(&target, runs[0].run).await.unwrap();
        assert_eq!((run.title.as_str(), run.workflow), ("plan stack-value", plan));
        assert_eq!((run.status, run.conclusion), (RunStatus::Completed, Some(Conclusion::Success)));

        let number =
            PrNumber(repo.open_pull_request(NewPullRequest::default()).unwrap().to_string().parse().unwrap());
        let pull = client.pull_request(&target, number).await.unwrap();
        assert!(pull.open && !pull.merged);
        assert_eq!(client.of_commit(&target, &pull.head_sha).await, Ok(vec![pull]));
        let tip = client.commit_of_ref(&target, &main).await.unwrap();
        assert_eq!(Some(tip.as_str().to_owned()), repo.resolve("main").map(|sha| sha.to_string()));
        assert_eq!(client.of_commit(&target, &CommitSha::new("0".repeat(40))).await.unwrap(), []);
        let gone = client.commit_of_ref(&target, &GitRef::new("gone")).await;
        assert!(matches!(gone, Err(CallError::NotFound(_))), "{gone:?}");

        let marker = "<!-- stackwave:v1 default -->";
        assert_eq!(client.find(&target, number, marker).await.unwrap(), None);
        let comment = client.create(&target, number, &format!("{marker}\none")).await.unwrap();
        client.update(&target, comment, &format!("{marker}\ntwo")).await.unwrap();
        let own = client.find(&target, number, marker).await.unwrap().unwrap();
        assert_eq!((own.id, own.body), (comment, format!("{marker}\ntwo")));
        github.shutdown().await;
    }
}

#[tokio::test]
async fn a_workflow_run_is_cancelled_once_and_then_it_is_too_late() {
    let (github, _repo, client) = start(Host::Dotcom).await;
    github.decide_outcomes(|_| Some(Outcome::manual()));
    let target = found(&client).await;
    let run = client.dispatch(&target, &claim(&["stack"])).await.unwrap().workflow_run.unwrap();
    client.pay_cancel(target.installation).await;
    assert_eq!(client.cancel(&target, run).await, Ok(CancelOutcome::Accepted));
    github.wait_until_quiet(Duration::from_secs(10)).await.unwrap();
    let cancelled = client.run(&target, run).await.unwrap();
    assert_eq!((cancelled.status, cancelled.conclusion), (RunStatus::Completed, Some(Conclusion::Cancelled)));
    assert_eq!(client.cancel(&target, run).await, Ok(CancelOutcome::TooLate));
    let unknown = client.cancel(&target, WorkflowRunId(1)).await;
    assert!(matches!(unknown, Err(CallError::NotFound(_))), "{unknown:?}");
    github.shutdown().await;
}

#[tokio::test]
async fn what_the_simulation_refuses_has_its_reason() {
    let (_github, _repo, client) = start(Host::Dotcom).await;
    let target = found(&client).await;
    let refused = client.dispatch(&target, &claim(&["stack", "surprise"])).await;
    assert!(matches!(refused, Err(DispatchError::Refused { status: 422, .. })), "{refused:?}");
    let missing = client.by_name(&RepositoryName::new("acme", "nothing")).await;
    assert!(matches!(missing, Err(CallError::NotFound(_))), "{missing:?}");
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed() {
    let (github, _repo, client) = start(Host::Dotcom).await;
    let target = found(&client).await;
    client.of_repository(&target, now(), 1).await.unwrap();
    github.expire_tokens();
    client.dispatch(&target, &claim(&["stack"])).await.unwrap();
}

#[tokio::test]
async fn every_webhook_of_the_simulation_can_be_read() {
    let (github, repo, client) = start(Host::Dotcom).await;
    let target = found(&client).await;
    github.ping();
    github.announce_installation(target.installation.0).unwrap();
    let number = repo.open_pull_request(NewPullRequest::default()).unwrap();
    repo.push(number).unwrap();
    client.dispatch(&target, &claim(&["stack"])).await.unwrap();
    github.wait_until_quiet(Duration::from_secs(10)).await.unwrap();
    let pull = PrNumber(number.to_string().parse().unwrap());
    client.create(&target, pull, "ours").await.unwrap();
    repo.merge_pull_request(number).unwrap();
    let queued = repo.open_pull_request(NewPullRequest::default()).unwrap();
    repo.create_merge_group(queued).unwrap();
    repo.publish_release(NewRelease::new("v1.0.0")).unwrap();
    github.wait_until_quiet(Duration::from_secs(10)).await.unwrap();

    let mut names = std::collections::BTreeSet::new();
    let (id, client_id) = (App::default().id.to_string(), App::default().client_id);
    let owns = [id, client_id].map(|app| Own::new(Some(&app)));
    for (delivery, own) in
        github.webhooks().iter().flat_map(|delivery| owns.iter().map(move |own| (delivery, own)))
    {
        let read =
            webhook::parse_as(own, delivery.event, &DeliveryId::new(&delivery.guid), &delivery.payload, None);
        let read = read.unwrap_or_else(|error| panic!("{}: {error}", delivery.kind()));
        if read.disposition == Disposition::Repository {
            assert_eq!(read.repository.as_ref().map(|repository| repository.id), Some(target.id));
            assert_eq!(read.installation, Some(target.installation));
        }
        for event in &read.events {
            names.insert(event.name().to_owned());
            if let Event::WorkflowDispatchObserved(dispatch) = event {
                assert_eq!((dispatch.workflow.as_str(), dispatch.git_ref.as_str()), ("tf-plan.yaml", "main"));
                assert_eq!(dispatch.inputs.get("stack"), Some("stack-value"));
            }
            assert!(!matches!(event, Event::IssueCommentObserved(_)), "what we wrote ourselves is dropped");
        }
    }
    let expected = [
        "installation_observed",
        "merge_group_observed",
        "ping_observed",
        "pull_request_observed",
        "push_observed",
        "release_observed",
        "workflow_dispatch_observed",
        "workflow_run_observed",
    ];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
