//! A process for each role, on JetStream: what one process does, five do together.

use stackwave_e2e::{Shape, World};
use stackwave_testkit::stacks::{Graph, bodies, recorded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_goes_its_whole_way_with_a_process_for_each_role() {
    if !Shape::Apart.is_possible() {
        return;
    }
    let world = World::start(Shape::Apart).await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected-ci-opened", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "opened").await;
    world.repo.merge_pull_request(pull.number).unwrap();
    world.upload(recorded("affected-ci-merged", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "merged").await;

    let graph = Graph::of_upload(&bodies("affected-ci-opened")[0]).unwrap();
    let expected: Vec<_> = graph.stacks().cloned().collect();
    assert_eq!(world.stacks_of("tf-plan.yaml"), expected);
    assert_eq!(world.stacks_of("tf-apply.yaml"), expected);
    world.finish().await;
}
