//! A GitHub that fails, refuses, limits, or is an old one.

use stackwave_domain::event::{Event, FoundBy};
use stackwave_e2e::{Setup, Shape, World, workflows};
use stackwave_engine::view::Status;
use stackwave_github_sim::{Endpoint, Failure, Fate, Host, HttpFault, ListingFault, WebhookSelector};
use stackwave_testkit::stacks::{StackId, Stacks};
use std::time::Duration;

stackwave_e2e::on_both_logs! {
    an_error_after_the_acceptance_is_found_and_not_doubled,
    an_error_before_the_acceptance_is_sent_again_once,
    a_reset_before_the_acceptance_is_sent_again_once,
    a_run_that_is_listed_late_is_found_within_the_grace,
    a_secondary_rate_limit_delays_and_drops_nothing,
    an_expired_token_is_renewed,
    a_workflow_that_does_not_declare_our_id_is_started_without_it,
    an_input_that_the_workflow_does_not_declare_is_refused_with_advice,
    a_missing_workflow_is_refused_with_advice,
    an_old_enterprise_server_tells_runs_apart_by_their_titles,
    an_old_enterprise_server_without_titles_is_sent_to_one_at_a_time,
    a_github_out_of_reach_at_the_start_keeps_nobody_waiting,
    webhooks_may_arrive_before_the_answer_to_their_dispatch,
    dispatch_off_decides_and_sends_nothing,
}

stackwave_e2e::on_both_logs_at_once! {
    an_answer_that_never_comes_is_looked_for,
}

const STACKS: &str = "vpc -> a b c; a -> app";

async fn an_error_after_the_acceptance_is_found_and_not_doubled(shape: Shape) {
    let world = Setup::new(shape).with_refusals().start().await;
    for status in [500, 502] {
        world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::status(status)).after_accept());
    }
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.read(|state| state.dispatches().len()), 5, "every request was accepted");
    assert_eq!(count(&world, |event| matches!(event, Event::DispatchOutcomeUnknown(_))), 2);
    assert_eq!(count(&world, |event| matches!(event, Event::DispatchResending(_))), 0);
    world.finish().await;
}

async fn an_error_before_the_acceptance_is_sent_again_once(shape: Shape) {
    let world = Setup::new(shape).with_refusals().start().await;
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::status(502)));
    fails_before_the_acceptance(world).await;
}

async fn a_reset_before_the_acceptance_is_sent_again_once(shape: Shape) {
    let world = World::start(shape).await;
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::Reset));
    fails_before_the_acceptance(world).await;
}

async fn fails_before_the_acceptance(world: World) {
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.read(|state| state.dispatches().len()), 6, "one was sent again");
    assert_eq!(world.github.dispatches().len(), 5);
    assert_eq!(count(&world, |event| matches!(event, Event::DispatchResending(_))), 1);
    world.finish().await;
}

async fn an_answer_that_never_comes_is_looked_for(shape: Shape) {
    let world = World::start(shape).await;
    // The first request is lost, of the others one answer.
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::Hang));
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::Hang).after_accept());
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.read(|state| state.dispatches().len()), 6);
    assert_eq!(world.github.dispatches().len(), 5);
    world.finish().await;
}

async fn a_run_that_is_listed_late_is_found_within_the_grace(shape: Shape) {
    let world = Setup::new(shape).with_refusals().runs_by_hand().start().await;
    // Nothing tells of the run but the list, and that late.
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::status(500)).after_accept());
    world.github.list_late([ListingFault::After(Duration::from_secs(1))]);
    for kind in ["workflow_dispatch", "workflow_run.requested"] {
        world.github.next_webhook(WebhookSelector::kind(kind), Fate::Lost);
    }
    let number = plan(&world, "vpc").await;
    world
        .until("the run to be found", |state| {
            let dispatch = state.dispatches.values().next()?;
            (dispatch.found_by == Some(FoundBy::DispatchIdInTitle)).then_some(())
        })
        .await;
    world.complete_all("tf-plan.yaml", 1).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.read(|state| state.dispatches().len()), 1);
    world.finish().await;
}

async fn a_secondary_rate_limit_delays_and_drops_nothing(shape: Shape) {
    let world = Setup::new(shape).with_refusals().start().await;
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::secondary_limit(1)).times(2));
    world.github.fail(HttpFault::at(Endpoint::Dispatch, Failure::too_many_requests(1)));
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    assert_eq!(count(&world, |event| matches!(event, Event::DispatchOutcomeUnknown(_))), 0);
    assert!(count(&world, |event| matches!(event, Event::DispatchDelayed(_))) >= 1);
    world.finish().await;
}

async fn an_expired_token_is_renewed(shape: Shape) {
    let world = Setup::new(shape).with_refusals().runs_by_hand().start().await;
    let number = plan(&world, STACKS).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.github.expire_tokens();
    world.complete_all("tf-plan.yaml", 5).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    world.finish().await;
}

async fn a_workflow_that_does_not_declare_our_id_is_started_without_it(shape: Shape) {
    let world = Setup::new(shape).workflow("tf-plan.yaml", workflows::PLAN_WITHOUT_ID).start().await;
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    for dispatch in world.github.dispatches() {
        let names: Vec<&str> = dispatch.inputs.keys().map(String::as_str).collect();
        assert_eq!(names, ["component", "sha", "stack"]);
    }
    world.finish().await;
}

async fn an_input_that_the_workflow_does_not_declare_is_refused_with_advice(shape: Shape) {
    let world = Setup::new(shape).with_refusals().start().await;
    let inputs = serde_json::json!({ "component": "a", "stack": "dev", "colour": "green" });
    let plan_of_a = serde_json::json!({ "workflows": { "tf-plan.yaml": { "inputs": inputs } } });
    let settings = serde_json::json!({ "pro": { "pull_request": { "opened": plan_of_a } } });
    let pull = world.open_pull_request();
    world.upload(Stacks::of(STACKS).with_settings("a", &settings).upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "a/dev", Status::DispatchRefused).await;
    world.until_status(&run, "app/dev", Status::Blocked).await;
    world.until_status(&run, "c/dev", Status::Succeeded).await;
    world
        .until_comment(pull.number, "what is wrong", |text| {
            text.contains("colour") && text.contains("Declare the input") && text.contains("1 blocked")
        })
        .await;
    assert_eq!(world.github.dispatches().len(), 3);
    world.finish().await;
}

async fn a_missing_workflow_is_refused_with_advice(shape: Shape) {
    let world = Setup::new(shape).with_refusals().without_workflow("tf-plan.yaml").start().await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::DispatchRefused).await;
    world
        .until_comment(pull.number, "what to do", |text| {
            text.contains("tf-plan.yaml") && text.contains("default branch") && text.contains("1 blocked")
        })
        .await;
    assert!(world.github.dispatches().is_empty());
    world.finish().await;
}

async fn an_old_enterprise_server_tells_runs_apart_by_their_titles(shape: Shape) {
    let world = Setup::new(shape).with_refusals().host(Host::OldGhes).start().await;
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    world.finish().await;
}

async fn an_old_enterprise_server_without_titles_is_sent_to_one_at_a_time(shape: Shape) {
    let world = Setup::new(shape)
        .with_refusals()
        .host(Host::OldGhes)
        .workflow("tf-plan.yaml", workflows::PLAN_WITHOUT_ID)
        .start()
        .await;
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    let stacks: Vec<StackId> = ["a", "app", "b", "c", "vpc"].map(|name| StackId::new(name, "dev")).into();
    assert_eq!(world.stacks_of("tf-plan.yaml"), stacks);
    world.finish().await;
}

async fn a_github_out_of_reach_at_the_start_keeps_nobody_waiting(shape: Shape) {
    let world = Setup::new(shape).without_github().start().await;
    let ready = world.send(world.get("ingest-api", "/readyz")).await.unwrap();
    assert_eq!(ready.status, 200, "{}", ready.body);
    // The repository is not known to anybody: the upload is stored all the same.
    let pull = world.open_pull_request();
    let answer = world.upload(Stacks::of(STACKS).upload(&pull.head, &pull.base)).await;
    assert_eq!(answer.body["success"], true);
    world.github.set_reachable(true);
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    world.finish().await;
}

async fn webhooks_may_arrive_before_the_answer_to_their_dispatch(shape: Shape) {
    let world = World::start(shape).await;
    world.github.send_webhooks_first(true);
    let number = plan(&world, STACKS).await;
    world.until_succeeded(number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 5);
    world.finish().await;
}

async fn dispatch_off_decides_and_sends_nothing(shape: Shape) {
    let world = Setup::new(shape).setting("STACKWAVE_DISPATCH", "off").start().await;
    let number = plan(&world, "vpc -> app").await;
    let run = world.until_opened(number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::Released).await;
    world.until_comment(number, "that nothing is sent", |text| text.contains("STACKWAVE_DISPATCH")).await;
    assert!(world.github.dispatches().is_empty());
    world.finish().await;
}

async fn plan(world: &World, stacks: &str) -> u64 {
    let pull = world.open_pull_request();
    world.upload(Stacks::of(stacks).upload(&pull.head, &pull.base)).await;
    pull.number
}

/// How many such events the log holds.
fn count(world: &World, is_one: impl Fn(&Event) -> bool) -> usize {
    world.journal().read(|replica| replica.events().filter(|event| is_one(event)).count())
}
