//! Triggers beside the usual ones, and what `settings.pro` can say.

use serde_json::json;
use stackwave_domain::PrNumber;
use stackwave_e2e::{Setup, Shape, World};
use stackwave_engine::view::{RunPhase, Status};
use stackwave_github_sim::{Conclusion, NewRelease, Outcome, RunSelector};
use stackwave_testkit::stacks::{Stacks, recorded};

stackwave_e2e::on_both_logs! {
    a_release_applies_at_its_tag,
    a_pull_request_that_is_opened_again_is_planned_again,
    a_stack_with_two_workflows_succeeds_when_both_do,
    templates_are_filled_where_they_can_be_and_told_where_not,
    a_cancelled_workflow_run_blocks_what_is_below_it,
    a_re_run_in_a_superseded_run_releases_nothing,
}

async fn a_release_applies_at_its_tag(shape: Shape) {
    let world = World::start(shape).await;
    let main = world.repo.resolve("main").unwrap();
    let release = world.repo.publish_release(NewRelease::new("v1.0.0")).unwrap();
    let tagged = world.repo.resolve(&release.tag).unwrap();
    assert_eq!(tagged, main);
    world.upload(recorded("affected-one-stack", &tagged, &main).remove(0)).await;
    let run = world
        .until("the end of the release's run", |state| {
            let mut runs = state.runs.values().filter(|run| run.trigger.event == "release");
            runs.find(|run| !run.is_active()).map(|run| run.id.clone())
        })
        .await;
    world.run(&run, |view| {
        assert_eq!(view.status, RunPhase::Succeeded);
        assert_eq!(view.run.trigger.activity, "released");
    });
    assert_eq!(world.accepted("tf-apply.yaml").len(), 10);
    for apply in world.accepted("tf-apply.yaml") {
        assert_eq!((apply.reference.as_str(), apply.input("sha")), ("main", tagged.as_str()));
    }
    world.finish().await;
}

async fn a_pull_request_that_is_opened_again_is_planned_again(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().start().await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.repo.close_pull_request(pull.number).unwrap();
    world
        .until("the run to be closed", |state| {
            let runs = state.runs_of_pull(PrNumber(pull.number));
            runs.first().is_some_and(|run| !run.is_active()).then_some(())
        })
        .await;
    // GitHub's times have whole seconds, and the order of a close and a reopen is told by them.
    world.github.advance_clock(std::time::Duration::from_secs(2));
    world.repo.reopen_pull_request(pull.number).unwrap();
    world.until_opened(pull.number, "reopened").await;
    world.complete_all("tf-plan.yaml", 3).await;
    world.until_succeeded(pull.number, "reopened").await;
    assert_eq!(world.activities(pull.number), ["opened", "reopened"]);
    world.finish().await;
}

async fn a_stack_with_two_workflows_succeeds_when_both_do(shape: Shape) {
    let world = Setup::new(shape)
        .runs_by_hand()
        .workflow("tf-lint.yaml", &stackwave_e2e::workflows::PLAN.replace("name: plan", "name: lint"))
        .start()
        .await;
    let inputs = json!({ "inputs": { "component": "vpc", "stack": "dev" } });
    let both = json!({ "workflows": { "tf-plan.yaml": inputs, "tf-lint.yaml": inputs } });
    let settings = json!({ "pro": { "pull_request": { "opened": both } } });
    let pull = world.open_pull_request();
    world
        .upload(Stacks::of("vpc -> app").with_settings("vpc", &settings).upload(&pull.head, &pull.base))
        .await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.until_accepted("tf-lint.yaml", 1).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.complete_all("tf-lint.yaml", 1).await;
    world.until_settled().await;
    world.until_status(&run, "vpc/dev", Status::Queued).await;
    world.run(&run, |view| {
        let app = view.stacks.iter().find(|stack| stack.key.to_string() == "app/dev").unwrap();
        assert_eq!(app.status, Status::Waiting, "one of two workflows is not enough");
    });
    world.complete_all("tf-plan.yaml", 2).await;
    world.until_succeeded(pull.number, "opened").await;
    world.finish().await;
}

async fn templates_are_filled_where_they_can_be_and_told_where_not(shape: Shape) {
    let world = World::start(shape).await;
    let settings = |stack: &str| {
        let inputs = json!({ "component": "{{ .atmos_component }}", "stack": stack });
        json!({ "pro": { "pull_request": { "opened": { "workflows": { "tf-plan.yaml": { "inputs": inputs } } } } } })
    };
    let stacks = Stacks::of("vpc; dns")
        .with_settings("vpc", &settings("{{ .atmos_stack }}"))
        .with_settings("dns", &settings("{{ .vars.stage }}"));
    let pull = world.open_pull_request();
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::Succeeded).await;
    world.until_status(&run, "dns/dev", Status::CannotRun).await;
    let dispatches = world.github.dispatches();
    assert_eq!(dispatches.len(), 1);
    assert_eq!((dispatches[0].input("component"), dispatches[0].input("stack")), ("vpc", "dev"));
    world.until_comment(pull.number, "the template", |text| text.contains(".vars.stage")).await;
    world.finish().await;
}

async fn a_cancelled_workflow_run_blocks_what_is_below_it(shape: Shape) {
    let world = World::start(shape).await;
    world.github.plan_outcomes(RunSelector::stack("vpc", "dev"), [Outcome::of(Conclusion::Cancelled)]);
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::Cancelled).await;
    world.until_status(&run, "app/dev", Status::Blocked).await;
    world
        .github
        .rerun(world.github.dispatches()[0].run_id().unwrap(), "octocat", Some(Outcome::success()))
        .unwrap();
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 2);
    world.finish().await;
}

async fn a_re_run_in_a_superseded_run_releases_nothing(shape: Shape) {
    let world = World::start(shape).await;
    world.github.fail_once("vpc", "dev");
    let stacks = Stacks::of("vpc -> app");
    let pull = world.open_pull_request();
    world.upload(stacks.upload(&pull.head, &pull.base)).await;
    let old = world.until_opened(pull.number, "opened").await;
    world.until_status(&old, "vpc/dev", Status::Failed).await;
    world.repo.push(pull.number).unwrap();
    let pushed = world.pull(pull.number);
    world.upload(stacks.upload(&pushed.head, &pushed.base)).await;
    world.until_succeeded(pull.number, "synchronize").await;

    world
        .github
        .rerun(world.github.dispatches()[0].run_id().unwrap(), "octocat", Some(Outcome::success()))
        .unwrap();
    world.until_status(&old, "vpc/dev", Status::Succeeded).await;
    world.until_settled().await;
    assert_eq!(
        world.github.dispatches().len(),
        3,
        "a re-run there changes what is shown and releases nothing"
    );
    world.finish().await;
}
