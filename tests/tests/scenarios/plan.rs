//! Plans of a pull request.

use stackwave_domain::PrNumber;
use stackwave_e2e::{Setup, Shape, World};
use stackwave_engine::view::{RunPhase, Status};
use stackwave_github_sim::{Conclusion, Outcome, RunSelector};
use stackwave_testkit::stacks::{Graph, StackId, Stacks, bodies, recorded};

stackwave_e2e::on_both_logs! {
    a_recorded_upload_is_planned_stack_by_stack_in_order,
    an_upload_before_its_webhook_waits_for_it,
    a_push_supersedes_the_plan_that_runs,
    a_failed_stack_blocks_what_is_below_it_until_its_re_run_succeeds,
    a_run_that_waits_for_approval_is_shown_and_goes_on_when_approved,
    an_empty_upload_says_that_nothing_is_affected,
    deleted_and_disabled_stacks_are_skipped_and_let_order_pass_through,
    a_cycle_is_reported_and_the_rest_runs,
    a_pull_request_that_is_closed_stops_its_plan,
    four_hundred_stacks_go_once_and_their_comment_stays_within_github_s_limit,
}

async fn a_recorded_upload_is_planned_stack_by_stack_in_order(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected", &pull.head, &pull.base).remove(0)).await;

    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.stacks_of("tf-plan.yaml"), stacks_of_recording());
    assert_eq!(world.github.dispatches().len(), 30);
    for dispatch in world.github.dispatches() {
        assert_eq!(dispatch.reference, "main");
        assert_eq!(dispatch.input("sha"), pull.head);
        assert!(!dispatch.input("atmos_pro_run_id").is_empty());
        assert_eq!(dispatch.inputs.len(), 4, "{:?}", dispatch.inputs);
    }
    world.until_comment(pull.number, "that all stacks succeeded", |text| text.contains("30 succeeded")).await;
    world.finish().await;
}

async fn an_upload_before_its_webhook_waits_for_it(shape: Shape) {
    let world = World::start(shape).await;
    world.github.set_webhook_url(None);
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until("the upload", |state| (state.uploads.len() == 1).then_some(())).await;
    world.state(|state| assert!(state.runs.is_empty(), "a run without its trigger"));

    world.hear_again();
    let opened = world.github.webhooks().into_iter().find(|webhook| webhook.kind() == "pull_request.opened");
    world.github.redeliver(&opened.unwrap().guid).unwrap();
    let run = world.until_succeeded(pull.number, "opened").await;
    world.run(&run, |view| assert!(!view.run.inferred));
    world.finish().await;
}

async fn a_push_supersedes_the_plan_that_runs(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().start().await;
    let stacks = Stacks::of("vpc -> cluster; cluster -> app");
    let pull = world.open_pull_request();
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    let old = world.until_opened(pull.number, "opened").await;
    // What waits at GitHub would be cancelled there; what runs goes on.
    let first = world.github.dispatches()[0].run_id().unwrap();
    world.github.begin_run(first).unwrap();
    world.until_status(&old, "vpc/dev", Status::Running).await;

    world.repo.push(pull.number).unwrap();
    let pushed = world.pull(pull.number);
    world.until("the old run to be superseded", |state| (!state.runs[&old].is_active()).then_some(())).await;
    // The workflow run of the old head ends well, and nothing follows from it.
    world.github.complete_run(first, Conclusion::Success).unwrap();
    world
        .until_comment(pull.number, "that the push superseded the run", |text| text.contains("superseded"))
        .await;

    world.upload(stacks.upload(&pushed.head, &pushed.base)).await;
    world.complete_all("tf-plan.yaml", 4).await;
    let new = world.until_succeeded(pull.number, "synchronize").await;
    assert_eq!(world.github.dispatches().len(), 4, "one of the old head, three of the new");
    assert!(world.github.dispatches()[1..].iter().all(|dispatch| dispatch.input("sha") == pushed.head));
    world.run(&old, |view| assert_eq!(view.status, RunPhase::Superseded));
    world.run(&new, |view| assert_eq!(view.status, RunPhase::Succeeded));
    world.until_comment(pull.number, "the new run", |text| text.contains("3 succeeded")).await;
    world.finish().await;
}

async fn a_failed_stack_blocks_what_is_below_it_until_its_re_run_succeeds(shape: Shape) {
    let world = World::start(shape).await;
    world.github.fail_once("cluster", "dev");
    let pull = world.open_pull_request();
    let stacks = Stacks::of("vpc -> cluster database; cluster -> app; app -> cdn; dns");
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "cluster/dev", Status::Failed).await;
    world.until_status(&run, "database/dev", Status::Succeeded).await;
    world.until_status(&run, "dns/dev", Status::Succeeded).await;
    for blocked in ["app/dev", "cdn/dev"] {
        world.until_status(&run, blocked, Status::Blocked).await;
    }
    world
        .until_comment(pull.number, "the failure", |text| {
            text.contains("1 failed") && text.contains("2 blocked")
        })
        .await;
    assert_eq!(world.github.dispatches().len(), 4);

    let failed =
        world.github.dispatches().into_iter().find(|dispatch| dispatch.input("component") == "cluster");
    world.github.rerun(failed.unwrap().run_id().unwrap(), "octocat", Some(Outcome::success())).unwrap();
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 6, "a re-run is GitHub's, not a dispatch of ours");
    world.until_comment(pull.number, "that all succeeded", |text| text.contains("6 succeeded")).await;
    world.finish().await;
}

async fn a_run_that_waits_for_approval_is_shown_and_goes_on_when_approved(shape: Shape) {
    let world = World::start(shape).await;
    let selector = RunSelector::stack("vpc", "dev");
    world.github.plan_outcomes(selector.clone(), [Outcome::success().once_approved()]);
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::AwaitingApproval).await;
    world
        .until_comment(pull.number, "what is waited for", |text| text.contains("waiting for approval"))
        .await;

    world.github.approve_run(world.github.dispatches()[0].run_id().unwrap()).unwrap();
    world.until_succeeded(pull.number, "opened").await;
    world.finish().await;
}

async fn an_empty_upload_says_that_nothing_is_affected(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected-empty", &pull.head, &pull.base).remove(0)).await;
    let run = world.until_succeeded(pull.number, "opened").await;
    world.run(&run, |view| assert_eq!(view.status, RunPhase::NothingAffected));
    world
        .until_comment(pull.number, "that nothing is affected", |text| {
            let text = text.to_lowercase();
            text.contains("nothing is affected") || text.contains("no stack is affected")
        })
        .await;
    assert!(world.github.dispatches().is_empty());
    world.finish().await;
}

async fn deleted_and_disabled_stacks_are_skipped_and_let_order_pass_through(shape: Shape) {
    let world = World::start(shape).await;
    world.github.plan_outcomes(RunSelector::stack("vpc", "dev"), [Outcome::manual()]);
    let pull = world.open_pull_request();
    let stacks = Stacks::of("vpc -> gap; gap -> app; old")
        .with_settings("gap", &serde_json::json!(null))
        .deleted("old");
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::Queued).await;
    world.run(&run, |view| {
        let status = |name: &str| view.stacks.iter().find(|s| s.key.to_string() == name).unwrap().status;
        assert_eq!((status("gap/dev"), status("old/dev")), (Status::Skipped, Status::Skipped));
        assert_eq!(status("app/dev"), Status::Waiting, "order passes through what is skipped");
    });
    world.github.complete_run(world.github.dispatches()[0].run_id().unwrap(), Conclusion::Success).unwrap();
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.stacks_of("tf-plan.yaml"), [StackId::new("app", "dev"), StackId::new("vpc", "dev")]);
    world.until_comment(pull.number, "what was deleted", |text| text.contains("deleted")).await;
    world.finish().await;

    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected-deleted", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "opened").await;
    assert!(world.github.dispatches().is_empty());
    world.until_comment(pull.number, "what was deleted", |text| text.contains("11 skipped")).await;
    world.finish().await;
}

async fn a_cycle_is_reported_and_the_rest_runs(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let mut body = Stacks::of("dns; vpc -> a; a -> b; b -> below").body(&pull.head, &pull.base);
    // `a` once more among the dependents of `b`: no CLI would end, but somebody may write it.
    let again = serde_json::json!({ "component": "a", "stack": "dev" });
    let vpc = body["stacks"].as_array_mut().unwrap().iter_mut().find(|entry| entry["component"] == "vpc");
    vpc.unwrap()["dependents"][0]["dependents"][0]["dependents"].as_array_mut().unwrap().push(again);
    world.upload(body.to_string()).await;
    let run = world.until_opened(pull.number, "opened").await;
    for (stack, status) in [
        ("dns/dev", Status::Succeeded),
        ("vpc/dev", Status::Succeeded),
        ("a/dev", Status::CannotRun),
        ("b/dev", Status::CannotRun),
        ("below/dev", Status::Blocked),
    ] {
        world.until_status(&run, stack, status).await;
    }
    world.until_comment(pull.number, "the cycle", |text| text.contains("cycle")).await;
    assert_eq!(world.stacks_of("tf-plan.yaml"), [StackId::new("dns", "dev"), StackId::new("vpc", "dev")]);
    world.finish().await;
}

async fn a_pull_request_that_is_closed_stops_its_plan(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().start().await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.repo.close_pull_request(pull.number).unwrap();
    world
        .until("the run to be closed", |state| {
            let run = state.runs_of_pull(PrNumber(pull.number)).into_iter().next()?;
            (!run.is_active()).then_some(())
        })
        .await;
    world
        .until_github("the plan that waits to be cancelled", |state| {
            state.runs().any(|run| run.conclusion == Some(Conclusion::Cancelled))
        })
        .await;
    world.until_comment(pull.number, "that it was closed", |text| text.contains("closed")).await;
    world.until_settled().await;
    assert_eq!(world.github.dispatches().len(), 1);
    world.finish().await;
}

fn stacks_of_recording() -> Vec<StackId> {
    Graph::of_upload(&bodies("affected")[0]).unwrap().stacks().cloned().collect()
}

async fn four_hundred_stacks_go_once_and_their_comment_stays_within_github_s_limit(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let side_by_side: String =
        (0..398).map(|number| format!(" a-stack-with-a-rather-long-name-{number}")).collect();
    let stacks = Stacks::of(&format!("vpc ->{side_by_side}; a-stack-with-a-rather-long-name-7 -> last"));
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 400);
    let all =
        world.until_comment(pull.number, "that all succeeded", |text| text.contains("400 succeeded")).await;
    assert!(all.chars().count() <= 65_536, "{} characters", all.chars().count());
    world.finish().await;
}
