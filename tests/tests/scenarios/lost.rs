//! Webhooks that are lost, late, repeated or out of order.

use futures::future::join_all;
use stackwave_domain::PrNumber;
use stackwave_e2e::{Pull, Setup, Shape, World};
use stackwave_engine::view::RunPhase;
use stackwave_github_sim::{Conclusion, WebhookFaults};
use stackwave_testkit::stacks::{Graph, Stacks, bodies, recorded};
use std::time::Duration;

stackwave_e2e::on_both_logs! {
    late_repeated_and_overtaking_webhooks_change_neither_order_nor_number,
}

stackwave_e2e::on_both_logs_at_once! {
    what_webhooks_did_not_tell_is_found_by_looking,
    lost_webhooks_cost_time_and_nothing_else,
}

async fn late_repeated_and_overtaking_webhooks_change_neither_order_nor_number(shape: Shape) {
    join_all([3, 14, 159].map(|seed| disturbed(shape, seed))).await;
}

async fn disturbed(shape: Shape, seed: u64) {
    let world = Setup::new(shape).seed(seed).start().await;
    let chances = WebhookFaults {
        lost: 0.0,
        late: 0.2,
        late_by: Duration::from_millis(150),
        repeated: 0.2,
        overtaken: 0.2,
    };
    world.github.disturb_webhooks(chances);
    let pull = world.open_pull_request();
    world.upload(recorded("affected", &pull.head, &pull.base).remove(0)).await;
    world.until_succeeded(pull.number, "opened").await;
    let graph = Graph::of_upload(&bodies("affected")[0]).unwrap();
    let expected: Vec<_> = graph.stacks().cloned().collect();
    assert_eq!(world.stacks_of("tf-plan.yaml"), expected, "with seed {seed}");
    world.finish().await;
}

async fn lost_webhooks_cost_time_and_nothing_else(shape: Shape) {
    let world = Setup::new(shape).seed(26).patience(Duration::from_secs(120)).start().await;
    let chances = WebhookFaults {
        lost: 0.15,
        late: 0.15,
        late_by: Duration::from_millis(200),
        repeated: 0.15,
        overtaken: 0.15,
    };
    world.github.disturb_webhooks(chances);
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> a b c d e f g h; a b c -> app").upload(&pull.head, &pull.base)).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), 10);
    world.finish().await;
}

async fn what_webhooks_did_not_tell_is_found_by_looking(shape: Shape) {
    let world = Setup::new(shape).runs_by_hand().start().await;
    // A pull request whose `opened` is lost.
    world.github.lose_next("pull_request.opened");
    let never_opened = world.open_pull_request();
    world.upload(Stacks::of("one").upload(&never_opened.head, &never_opened.base)).await;
    // One whose push is lost.
    let pushed = world.open_pull_request();
    world.until("the pull request", |state| state.pulls.get(&PrNumber(pushed.number)).map(|_| ())).await;
    world.github.lose_next("pull_request.synchronize");
    world.repo.push(pushed.number).unwrap();
    let pushed = world.pull(pushed.number);
    world.upload(Stacks::of("two").upload(&pushed.head, &pushed.base)).await;
    // One whose workflow run ends unheard.
    let silent = world.open_pull_request();
    world.upload(Stacks::of("three -> four").upload(&silent.head, &silent.base)).await;
    world.until_accepted("tf-plan.yaml", 1).await;
    world.github.lose_next("workflow_run.completed");
    world.github.complete_run(world.github.dispatches()[0].run_id().unwrap(), Conclusion::Success).unwrap();

    world.complete_all("tf-plan.yaml", 4).await;
    let runs = [
        ended(&world, &never_opened, "opened").await,
        ended(&world, &pushed, "synchronize").await,
        ended(&world, &silent, "opened").await,
    ];
    assert_eq!(runs, [true, true, false], "what is inferred from a look is marked");
    world.finish().await;
}

/// Whether the trigger of the run was inferred.
async fn ended(world: &World, pull: &Pull, activity: &str) -> bool {
    let run = world.until_succeeded(pull.number, activity).await;
    world.run(&run, |view| {
        assert_eq!(view.status, RunPhase::Succeeded);
        view.run.inferred
    })
}
