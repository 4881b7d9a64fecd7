//! Plans of a pull request.

use stackwave_e2e::{Shape, World};
use stackwave_testkit::stacks::{Graph, bodies, recorded};

stackwave_e2e::on_both_logs! {
    a_recorded_upload_is_planned_stack_by_stack_in_order,
}

async fn a_recorded_upload_is_planned_stack_by_stack_in_order(shape: Shape) {
    let world = World::start(shape).await;
    let pull = world.open_pull_request();
    world.upload(recorded("affected", &pull.head, &pull.base).remove(0)).await;

    world.until_succeeded(pull.number, "opened").await;
    let expected: Vec<_> = {
        let graph = Graph::of_upload(&bodies("affected")[0]).unwrap();
        graph.stacks().cloned().collect()
    };
    assert_eq!(world.stacks_of("tf-plan.yaml"), expected);
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
