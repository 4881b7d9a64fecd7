//! Repositories that come, are renamed, or are out of the App's reach; secrets that are renewed; comments that people
//! touch.

use stackwave_e2e::{REPOSITORY, Setup, Shape, World, workflows};
use stackwave_engine::view::Status;
use stackwave_github_sim::{ContentType, NewPullRequest, NewRepository, Outcome};
use stackwave_testkit::stacks::Stacks;

stackwave_e2e::on_both_logs! {
    a_repository_that_nobody_named_is_found_by_its_upload,
    a_repository_that_is_renamed_in_between_goes_on,
    an_app_that_is_suspended_goes_on_when_it_is_not,
    each_of_two_webhook_secrets_is_good,
    a_comment_that_somebody_deleted_is_written_again_and_once,
    a_locked_conversation_stops_no_stack,
}

async fn a_repository_that_nobody_named_is_found_by_its_upload(shape: Shape) {
    let world = World::start(shape).await;
    // It came after the start, and its webhooks are lost.
    let new = NewRepository::new("acme/second").workflow("tf-plan.yaml", workflows::PLAN);
    let second = world.github.add_repository(new);
    let number = second.open_pull_request(NewPullRequest::default()).unwrap();
    let pull = second.pull_request(number).unwrap();
    let mut body = Stacks::of("vpc").body(&pull.head_sha, &pull.base_sha);
    body["repo_name"] = "Second".into();
    body["repo_url"] = "git@github.com:acme/second.git".into();
    let answer = world.upload(body.to_string()).await;
    assert_eq!(answer.body["success"], true);
    world.until_accepted("tf-plan.yaml", 1).await;
    assert_eq!(world.github.dispatches()[0].repository.to_lowercase(), "acme/second");
    world.stop().await;
}

async fn a_repository_that_is_renamed_in_between_goes_on(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().with_refusals().start().await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    assert_eq!(world.repo.full_name(), REPOSITORY);
    world.repo.rename("renamed").unwrap();
    world.complete_all("tf-plan.yaml", 2).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 2);
    world.until_comment(pull.number, "that both succeeded", |text| text.contains("2 succeeded")).await;
    world.finish().await;
}

async fn an_app_that_is_suspended_goes_on_when_it_is_not(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().with_refusals().start().await;
    let installation = stackwave_github_sim::SimConfig::default().installation_id;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.github.suspend(installation).unwrap();
    let run = world.until_opened(pull.number, "opened").await;
    world
        .github
        .complete_run(
            world.github.dispatches()[0].run_id().unwrap(),
            stackwave_github_sim::Conclusion::Success,
        )
        .unwrap();
    world.until_status(&run, "vpc/dev", Status::Succeeded).await;
    world.until_settled_at_github().await;
    world.github.unsuspend(installation).unwrap();
    world.complete_all("tf-plan.yaml", 2).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 2);
    // While it was suspended nothing could be told.
    world.until_comment(pull.number, "that both succeeded", |text| text.contains("2 succeeded")).await;
    world.finish().await;
}

async fn each_of_two_webhook_secrets_is_good(shape: Shape) {
    let world = Setup::new(shape)
        .setting("STACKWAVE_GITHUB_WEBHOOK_SECRET", "the new secret,the old secret")
        .webhooks(ContentType::Form)
        .start()
        .await;
    world.github.set_webhook_secret("the old secret");
    let first = world.open_pull_request();
    world.upload(Stacks::of("vpc").upload(&first.head, &first.base)).await;
    world.until_succeeded(first.number, "opened").await;
    world.github.set_webhook_secret("the new secret");
    let second = world.open_pull_request();
    world.upload(Stacks::of("vpc").upload(&second.head, &second.base)).await;
    world.until_succeeded(second.number, "opened").await;
    // The answer to the newest webhook may still be on its way.
    world.until_settled_at_github().await;
    assert!(world.github.webhooks().iter().all(|webhook| webhook.was_taken()));
    world.finish().await;
}

async fn a_comment_that_somebody_deleted_is_written_again_and_once(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().with_refusals().start().await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_comment(pull.number, "something", |_| true).await;
    world.repo.delete_comment(world.repo.comments(pull.number)[0].id).unwrap();
    world.complete_all("tf-plan.yaml", 2).await;
    world.until_succeeded(pull.number, "opened").await;
    world.until_comment(pull.number, "that both succeeded", |text| text.contains("2 succeeded")).await;
    world.finish().await;
}

async fn a_locked_conversation_stops_no_stack(shape: Shape) {
    let world = Setup::new(shape).with_refusals().start().await;
    let pull = world.open_pull_request();
    world.repo.lock_conversation(pull.number, true).unwrap();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.github.dispatches().len(), 2);
    // The next news is told once the conversation is unlocked.
    world.repo.lock_conversation(pull.number, false).unwrap();
    let run = world.github.dispatches()[0].run_id().unwrap();
    world.github.rerun(run, "octocat", Some(Outcome::success())).unwrap();
    world.until_comment(pull.number, "that both succeeded", |text| text.contains("2 succeeded")).await;
    world.finish().await;
}
