//! Applies after a merge.

use jiff::SignedDuration;
use stackwave_domain::{PrNumber, event::Successor};
use stackwave_e2e::{Shape, World};
use stackwave_engine::{state::Phase, view::Status};
use stackwave_github_sim::{Conclusion, Outcome, PullNumber, RunSelector};
use stackwave_testkit::stacks::{StackId, Stacks, recorded};
use std::time::Duration;

stackwave_e2e::on_both_logs_at_once! {
    a_merge_applies_what_the_same_bytes_had_planned,
    plan_and_apply_uploads_of_one_stack_may_be_equal_to_the_byte,
}

stackwave_e2e::on_both_logs! {
    an_apply_upload_may_come_before_the_closed_webhook,
    a_lost_closed_webhook_is_found_by_a_look,
    a_merge_supersedes_the_plan_that_runs,
    two_merges_apply_a_stack_one_after_the_other_in_merge_order,
    an_upload_from_the_push_to_main_is_the_apply_of_its_pull_request,
}

/// An upload that is this much older than the merge was meant for the plan (design §4.1: 5 s, and GitHub's times have
/// whole seconds).
const SURELY_BEFORE_THE_MERGE: Duration = Duration::from_secs(7);

async fn a_merge_applies_what_the_same_bytes_had_planned(shape: Shape) {
    let world = World::start(shape).await;
    plan_takes_long(&world);
    let pull = world.open_pull_request();
    world.upload(recorded("affected-ci-opened", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "opened").await;

    let merge_commit = world.repo.merge_pull_request(pull.number).unwrap();
    world.until_settled().await;
    assert_eq!(world.activities(pull.number), ["opened"], "an apply that nobody uploaded for");
    world.upload(recorded("affected-ci-merged", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "merged").await;

    assert_eq!(world.stacks_of("tf-apply.yaml"), world.stacks_of("tf-plan.yaml"));
    let applies = world.accepted("tf-apply.yaml");
    assert_eq!(applies.len(), 30);
    for apply in &applies {
        assert_eq!(apply.reference, "main");
        assert_eq!(apply.input("sha"), merge_commit);
        assert_eq!(apply.input("github_environment"), apply.input("stack"));
        assert_eq!(apply.inputs.len(), 5, "{:?}", apply.inputs);
    }
    assert_eq!(world.activities(pull.number), ["opened", "merged"]);
    world.until_comment(pull.number, "the applies", |text| text.contains("merged")).await;
    world.finish().await;
}

async fn an_apply_upload_may_come_before_the_closed_webhook(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let body = Stacks::of("vpc -> app").upload(&pull.head, &pull.base);
    world.upload(body.clone()).await;
    world.until_succeeded(pull.number, "opened").await;

    // Merged at GitHub; the webhook comes when the applies are over.
    world.github.set_webhook_url(None);
    world.repo.merge_pull_request(pull.number).unwrap();
    world.hear_again();
    world.upload(body).await;
    world.until_succeeded(pull.number, "merged").await;
    redeliver(&world, "pull_request.closed");
    world.until_settled().await;

    assert_eq!(world.activities(pull.number), ["opened", "merged"]);
    assert_eq!(world.stacks_of("tf-apply.yaml"), [StackId::new("app", "dev"), StackId::new("vpc", "dev")]);
    world.finish().await;
}

async fn a_lost_closed_webhook_is_found_by_a_look(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let stacks = Stacks::of("vpc -> app");
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;

    world.github.lose_next("pull_request.closed");
    world.repo.merge_pull_request(pull.number).unwrap();
    // The apply upload compares with another base: it is no repeat.
    world.upload(stacks.upload(&pull.head, &"0".repeat(40))).await;
    world.until_succeeded(pull.number, "merged").await;
    assert_eq!(world.accepted("tf-apply.yaml").len(), 2);
    world.finish().await;
}

async fn plan_and_apply_uploads_of_one_stack_may_be_equal_to_the_byte(shape: Shape) {
    let world = World::start(shape).await;
    plan_takes_long(&world);
    let pull = world.open_pull_request();
    let body = Stacks::of("vpc").upload(&pull.head, &pull.base);
    world.upload(body.clone()).await;
    world.until_opened(pull.number, "opened").await;
    // A repeat while the pull request is open: looked at, and nothing follows.
    world.upload(body.clone()).await;
    world
        .until("the look at the pull request", |state| {
            state.pulls[&PrNumber(pull.number)].spare.is_none().then_some(())
        })
        .await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.activities(pull.number), ["opened"]);

    world.repo.merge_pull_request(pull.number).unwrap();
    world.until_settled().await;
    assert_eq!(world.activities(pull.number), ["opened"], "an apply that nobody uploaded for");
    world.upload(body.clone()).await;
    world.until_succeeded(pull.number, "merged").await;
    // The CLI repeats an upload whose answer it lost.
    world.upload(body).await;
    world.until_settled().await;

    assert_eq!(world.activities(pull.number), ["opened", "merged"]);
    assert_eq!((world.accepted("tf-plan.yaml").len(), world.accepted("tf-apply.yaml").len()), (1, 1));
    world.state(|state| {
        let runs = state.runs_of_pull(PrNumber(pull.number));
        let minute = SignedDuration::from_mins(1);
        assert!(
            runs[1].opened.0.duration_since(runs[0].opened.0) < minute,
            "the scenario is about one minute"
        );
    });
    world.finish().await;
}

async fn a_merge_supersedes_the_plan_that_runs(shape: Shape) {
    let world = World::start(shape).await;
    world.github.plan_outcomes(RunSelector::any().workflow("tf-plan.yaml"), [Outcome::manual()]);
    let pull = world.open_pull_request();
    let body = Stacks::of("vpc -> app").upload(&pull.head, &pull.base);
    world.upload(body.clone()).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    let plan = world.until_opened(pull.number, "opened").await;
    // One that waits at GitHub would be cancelled there; one that runs goes on.
    let running = world.accepted("tf-plan.yaml")[0].run_id().unwrap();
    world.github.begin_run(running).unwrap();
    world.until_status(&plan, "vpc/dev", Status::Running).await;

    world.repo.merge_pull_request(pull.number).unwrap();
    world.upload(body).await;
    world.until_succeeded(pull.number, "merged").await;
    world.github.complete_run(running, Conclusion::Success).unwrap();
    world.until_settled().await;
    world.state(|state| {
        assert!(matches!(state.runs[&plan].phase, Phase::Superseded(Successor::Merge, _)));
    });
    assert_eq!((world.accepted("tf-plan.yaml").len(), world.accepted("tf-apply.yaml").len()), (1, 2));
    world.finish().await;
}

async fn two_merges_apply_a_stack_one_after_the_other_in_merge_order(shape: Shape) {
    let world = World::start(shape).await;
    world.github.decide_outcomes(|run| run.path.ends_with("tf-apply.yaml").then(Outcome::manual));
    let pulls = [world.open_pull_request(), world.open_pull_request()];
    let bodies = [
        Stacks::of("vpc -> app").upload(&pulls[0].head, &pulls[0].base),
        Stacks::of("vpc -> app; dns").upload(&pulls[1].head, &pulls[1].base),
    ];
    for (pull, body) in pulls.iter().zip(&bodies) {
        world.upload(body.clone()).await;
        world.until_succeeded(pull.number, "opened").await;
    }
    // GitHub's times have whole seconds, so the order within one second is that of the log.
    world.repo.merge_pull_request(pulls[0].number).unwrap();
    world.upload(bodies[0].clone()).await;
    let first = world.until_opened(pulls[0].number, "merged").await;
    world.until_status(&first, "vpc/dev", Status::Queued).await;
    world.repo.merge_pull_request(pulls[1].number).unwrap();
    world.upload(bodies[1].clone()).await;
    let second = world.until_opened(pulls[1].number, "merged").await;

    world.until_status(&second, "dns/dev", Status::Queued).await;
    world.until_status(&second, "vpc/dev", Status::Held).await;
    world.until_comment(pulls[1].number, "what holds it", |text| text.contains("held")).await;
    let of = |number: PullNumber, component: &str| {
        let merge = world.repo.pull_request(number).unwrap().merge_commit_sha;
        let mut accepted = world.accepted("tf-apply.yaml").into_iter();
        let found = accepted.rfind(|apply| {
            Some(apply.input("sha")) == merge.as_deref() && apply.input("component") == component
        });
        found.and_then(|apply| apply.run_id())
    };
    assert_eq!(of(pulls[1].number, "vpc"), None);
    world.github.complete_run(of(pulls[0].number, "vpc").unwrap(), Conclusion::Success).unwrap();
    world.complete_all("tf-apply.yaml", 5).await;
    world.until_succeeded(pulls[0].number, "merged").await;
    world.until_succeeded(pulls[1].number, "merged").await;

    let order: Vec<String> = world
        .accepted("tf-apply.yaml")
        .iter()
        .filter(|apply| apply.input("component") == "vpc")
        .map(|apply| apply.input("sha").to_owned())
        .collect();
    let merges = pulls.map(|pull| world.repo.pull_request(pull.number).unwrap().merge_commit_sha.unwrap());
    assert_eq!(order, merges);
    world.finish().await;
}

async fn an_upload_from_the_push_to_main_is_the_apply_of_its_pull_request(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let merge_commit = world.repo.merge_pull_request(pull.number).unwrap();
    // After the merge, on main: the merge commit as `head_sha`.
    world.upload(recorded("affected-push", &merge_commit, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "merged").await;
    assert_eq!((world.accepted("tf-plan.yaml").len(), world.accepted("tf-apply.yaml").len()), (0, 30));
    assert!(world.accepted("tf-apply.yaml").iter().all(|apply| apply.input("sha") == merge_commit));
    world.finish().await;
}

fn plan_takes_long(world: &World) {
    let plan_of_vpc = RunSelector::stack("vpc", "dev").workflow("tf-plan.yaml");
    world.github.plan_outcomes(plan_of_vpc, [Outcome::success().after(SURELY_BEFORE_THE_MERGE)]);
}

fn redeliver(world: &World, kind: &str) {
    let webhook = world.github.webhooks().into_iter().rev().find(|webhook| webhook.kind() == kind);
    world.github.redeliver(&webhook.expect("the webhook").guid).unwrap();
}
