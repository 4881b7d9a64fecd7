//! Three processes with all roles over one log: the one that acts is killed, and the others do what it did.

use stackwave_e2e::{Setup, Shape};
use stackwave_testkit::stacks::{Graph, bodies, recorded};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_goes_its_whole_way_although_two_of_three_replicas_are_killed() {
    if !Shape::Replicas.is_possible() {
        return;
    }
    let world = Setup::new(Shape::Replicas)
        .setting("STACKWAVE_DISPATCH_GRACE", "5s")
        .job_time(Duration::from_millis(300))
        .patience(Duration::from_secs(240))
        .start()
        .await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected-ci-opened", &pull.head, &pull.base).remove(0)).await;
    world.until_accepted("tf-plan.yaml", 2).await;
    let first = world.lose_acting().await;
    world.until_succeeded(pull.number, "opened").await;

    world.repo.merge_pull_request(pull.number).unwrap();
    world.upload(recorded("affected-ci-merged", &pull.head, &pull.base).remove(0)).await;
    world.until_accepted("tf-apply.yaml", 1).await;
    let second = world.lose_acting().await;
    assert_ne!(first, second);
    world.until_succeeded(pull.number, "merged").await;

    // Nothing was dispatched twice, and nothing forgotten.
    let graph = Graph::of_upload(&bodies("affected-ci-opened")[0]).unwrap();
    let expected: Vec<_> = graph.stacks().cloned().collect();
    assert_eq!(world.stacks_of("tf-plan.yaml"), expected);
    assert_eq!(world.stacks_of("tf-apply.yaml"), expected);
    world.finish().await;
}
