//! The ways in which uploads arrive.

use stackwave_domain::PrNumber;
use stackwave_e2e::{Setup, Shape, World};
use stackwave_engine::view::RunPhase;
use stackwave_github_sim::MergeGroupEnd;
use stackwave_testkit::stacks::{Stacks, recorded};

stackwave_e2e::on_both_logs! {
    chunks_in_any_order_and_number_are_one_upload,
    an_upload_that_the_cli_repeats_is_one_run,
    a_merge_group_is_planned_at_its_own_commit,
    a_merge_group_that_is_destroyed_stops,
    an_upload_of_a_workflow_that_ran_again_with_another_graph_is_a_new_run,
}

async fn chunks_in_any_order_and_number_are_one_upload(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let chunks = recorded("affected-chunked", &pull.head, &pull.base);
    assert_eq!(chunks.len(), 3);
    for index in [2, 0, 2, 0] {
        world.upload(chunks[index].clone()).await;
    }
    world.until("two chunks", |state| (state.batches.len() == 1).then_some(())).await;
    world.state(|state| assert!(state.runs.is_empty(), "a run of a part of its upload"));
    for index in [1, 1, 0] {
        world.upload(chunks[index].clone()).await;
    }
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), 30);
    assert_eq!(world.activities(pull.number), ["opened"]);
    world.state(|state| assert!(state.batches.is_empty(), "chunks are left over"));
    world.finish().await;
}

async fn an_upload_that_the_cli_repeats_is_one_run(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let bodies = recorded("affected-retried", &pull.head, &pull.base);
    assert!(bodies.len() == 3 && bodies[0] == bodies[1] && bodies[1] == bodies[2]);
    let uploads = bodies.into_iter().map(|body| world.upload(body));
    futures::future::join_all(uploads).await;
    world.until_succeeded(pull.number, "opened").await;
    world.until_settled().await;
    assert_eq!(world.activities(pull.number), ["opened"]);
    assert_eq!(world.accepted("tf-plan.yaml").len(), 30);
    world.state(|state| assert_eq!(state.uploads.len(), 1));
    world.finish().await;
}

async fn a_merge_group_is_planned_at_its_own_commit(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    let group = world.repo.create_merge_group(pull.number).unwrap();
    world.upload(recorded("affected-ci-merge-group", &group.head_sha, &group.base_sha).remove(0)).await;
    let run = world
        .until("the end of the merge group's run", |state| {
            let mut runs = state.runs.values().filter(|run| run.trigger.event == "merge_group");
            runs.find(|run| !run.is_active()).map(|run| run.id.clone())
        })
        .await;
    world.run(&run, |view| {
        assert_eq!(view.status, RunPhase::Succeeded);
        assert_eq!(view.run.pull_request, Some(PrNumber(pull.number)));
    });
    assert_eq!(world.accepted("tf-plan.yaml").len(), 30);
    for plan in world.accepted("tf-plan.yaml") {
        assert_eq!((plan.reference.as_str(), plan.input("sha")), ("main", group.head_sha.as_str()));
    }

    // Merged by the queue: the apply comes as after any other merge.
    world.repo.destroy_merge_group(&group.head_sha, MergeGroupEnd::Merged).unwrap();
    world.upload(recorded("affected-ci-merged", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "merged").await;
    assert_eq!(world.accepted("tf-apply.yaml").len(), 30);
    world.finish().await;
}

async fn a_merge_group_that_is_destroyed_stops(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().start().await;
    let pull = world.open_pull_request();
    let group = world.repo.create_merge_group(pull.number).unwrap();
    world.upload(Stacks::of("vpc -> app").upload(&group.head_sha, &group.base_sha)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.repo.destroy_merge_group(&group.head_sha, MergeGroupEnd::Dequeued).unwrap();
    world
        .until("the run to be closed", |state| {
            let run = state.runs.values().find(|run| run.trigger.event == "merge_group")?;
            (!run.is_active()).then_some(())
        })
        .await;
    world.complete_all("tf-plan.yaml", 1).await;
    world.until_settled().await;
    assert_eq!(world.github.dispatches().len(), 1);
    world.finish().await;
}

async fn an_upload_of_a_workflow_that_ran_again_with_another_graph_is_a_new_run(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app").upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;
    world.upload(Stacks::of("vpc -> app; dns").upload(&pull.head, &pull.base)).await;
    world
        .until("a second run that succeeded", |state| {
            let runs = state.runs_of_pull(PrNumber(pull.number));
            (runs.len() == 2 && runs.iter().all(|run| !run.is_active())).then_some(())
        })
        .await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), 5);
    world.finish().await;
}
