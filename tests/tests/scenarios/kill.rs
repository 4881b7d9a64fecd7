//! `kill -9` at the worst moments: the one process on SQLite, each role's process on JetStream.
//!
//! On JetStream a new process takes a claim over 30 s after it has seen it, so those worlds run side by side.

use futures::future::{FutureExt as _, LocalBoxFuture, join_all};
use stackwave_e2e::{Pull, Shape, World};
use stackwave_github_sim::{DispatchPhase, Failure, Then};
use stackwave_testkit::stacks::{Graph, Stacks, bodies, recorded};

/// Six side by side after one, and two below them.
const FAN_OUT: &str = "vpc -> a b c d e f; a b -> app; app -> cdn";
const FAN_OUT_STACKS: usize = 9;

mod on_sqlite {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_before_github_accepts_sends_again_and_once() {
        dies_in_a_dispatch(
            Shape::Sqlite,
            "dispatcher",
            4,
            DispatchPhase::BeforeAccept,
            Then::Fail(Failure::Reset),
        )
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_after_github_accepted_finds_the_run_and_does_not_double_it() {
        dies_in_a_dispatch(Shape::Sqlite, "dispatcher", 3, DispatchPhase::AfterAccept, Then::Proceed).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_before_it_reads_the_answer_finds_the_run() {
        dies_in_a_dispatch(Shape::Sqlite, "dispatcher", 7, DispatchPhase::BeforeAnswer, Then::Proceed).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_right_after_it_answered_an_upload_has_kept_it() {
        dies_after_an_upload(Shape::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_right_after_it_answered_a_webhook_has_kept_it() {
        dies_after_a_webhook(Shape::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_when_its_comment_was_created_finds_it_again() {
        dies_in_its_comment(Shape::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_is_asked_to_stop_ends_what_is_under_way() {
        is_stopped_in_a_fan_out(Shape::Sqlite, &["all"]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_that_dies_again_and_again_plans_the_recorded_upload_once_and_in_order() {
        let world = World::start(Shape::Sqlite).await;
        let pull = world.open_pull_request();
        let moments = [
            (3, DispatchPhase::BeforeAccept, Then::Fail(Failure::Reset)),
            (2, DispatchPhase::AfterAccept, Then::Proceed),
            (5, DispatchPhase::BeforeAnswer, Then::Fail(Failure::Reset)),
            (1, DispatchPhase::BeforeAccept, Then::Proceed),
        ];
        let mut body = Some(recorded("affected", &pull.head, &pull.base).remove(0));
        for (nth, phase, then) in moments {
            let killed = world.kill_in_dispatch("dispatcher", nth, phase, then);
            if let Some(body) = body.take() {
                world.upload(body).await;
            } else {
                world.start_again("dispatcher").await;
            }
            killed.happened().await;
        }
        world.start_again("dispatcher").await;
        world.until_succeeded(pull.number, "opened").await;
        let graph = Graph::of_upload(&bodies("affected")[0]).unwrap();
        assert_eq!(world.stacks_of("tf-plan.yaml"), graph.stacks().cloned().collect::<Vec<_>>());
        world.until_comment(pull.number, "that all succeeded", |text| text.contains("30 succeeded")).await;
        world.finish().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_second_process_on_the_same_file_is_refused() {
        let world = World::start(Shape::Sqlite).await;
        let output = world.try_second_process().await;
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("JetStream"), "it should tell what to use: {text}");
        world.finish().await;
    }
}

mod on_jetstream {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_role_may_die_at_its_worst_moment() {
        if !Shape::Apart.is_possible() {
            return;
        }
        let apart = Shape::Apart;
        let deaths: Vec<LocalBoxFuture<'_, ()>> = vec![
            dies_in_a_dispatch(
                apart,
                "dispatcher",
                4,
                DispatchPhase::BeforeAccept,
                Then::Fail(Failure::Reset),
            )
            .boxed_local(),
            dies_in_a_dispatch(apart, "dispatcher", 3, DispatchPhase::AfterAccept, Then::Proceed)
                .boxed_local(),
            dies_in_a_dispatch(Shape::JetStream, "dispatcher", 5, DispatchPhase::BeforeAnswer, Then::Proceed)
                .boxed_local(),
            dies_in_a_dispatch(apart, "orchestrator", 2, DispatchPhase::BeforeAccept, Then::Proceed)
                .boxed_local(),
            dies_in_a_dispatch(apart, "webhook-receiver", 2, DispatchPhase::BeforeAccept, Then::Proceed)
                .boxed_local(),
            dies_after_an_upload(apart).boxed_local(),
            dies_after_a_webhook(apart).boxed_local(),
            dies_in_its_comment(apart).boxed_local(),
            is_stopped_in_a_fan_out(Shape::JetStream, &["all"]).boxed_local(),
        ];
        join_all(deaths).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_nats_server_may_die_in_the_middle_of_a_fan_out() {
        if !Shape::JetStream.is_possible() {
            return;
        }
        let world = World::start(Shape::JetStream).await;
        let pull = begin(&world).await;
        world.until_accepted("tf-plan.yaml", 3).await;
        world.kill_nats();
        world.start_nats_again().await;
        end(world, &pull).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_arrives_while_the_nats_server_is_down_is_kept_when_it_is_back() {
        if !Shape::JetStream.is_possible() {
            return;
        }
        let world = World::start(Shape::JetStream).await;
        world.kill_nats();
        let pull = world.open_pull_request();
        let body = Stacks::of(FAN_OUT).upload(&pull.head, &pull.base);
        let (answer, ()) = tokio::join!(world.try_upload(body), world.start_nats_again());
        assert_eq!(answer.map(|answer| answer.status), Some(200));
        end(world, &pull).await;
    }
}

/// The process with this role dies while GitHub works at a dispatch in the middle of a fan-out, and is started again.
async fn dies_in_a_dispatch(shape: Shape, role: &'static str, nth: u64, phase: DispatchPhase, then: Then) {
    let world = World::start(shape).await;
    let killed = world.kill_in_dispatch(role, nth, phase, then);
    let pull = begin(&world).await;
    killed.happened().await;
    world.start_again(role).await;
    end(world, &pull).await;
}

/// The upload was answered with 200: it is in the log.
async fn dies_after_an_upload(shape: Shape) {
    let world = World::start(shape).await;
    let pull = begin(&world).await;
    world.kill("ingest-api").await;
    world.start_again("ingest-api").await;
    end(world, &pull).await;
}

/// Each webhook that the run waits for was answered with 202: it is in the log.
async fn dies_after_a_webhook(shape: Shape) {
    let world = World::start(shape).await;
    let pull = begin(&world).await;
    for (kind, count) in [("pull_request.opened", 1), ("workflow_run.completed", 1)] {
        world
            .until_github(kind, |state| {
                let taken =
                    state.deliveries().iter().filter(|webhook| webhook.kind() == kind && webhook.was_taken());
                taken.count() >= count
            })
            .await;
        world.kill("webhook-receiver").await;
        world.start_again("webhook-receiver").await;
    }
    end(world, &pull).await;
}

/// The comment stands at GitHub and the log does not say so: there will be no second one.
async fn dies_in_its_comment(shape: Shape) {
    let world = World::start(shape).await;
    let killed = world.kill_in_comment("commenter");
    let pull = begin(&world).await;
    killed.happened().await;
    world.start_again("commenter").await;
    end(world, &pull).await;
}

/// Asked to end in the middle of a fan-out, every process ends what is under way and says so with its exit code.
async fn is_stopped_in_a_fan_out(shape: Shape, roles: &[&str]) {
    let world = World::start(shape).await;
    let pull = begin(&world).await;
    world.until_accepted("tf-plan.yaml", 3).await;
    world.stop().await;
    for role in roles {
        world.start_again(role).await;
    }
    end(world, &pull).await;
}

async fn begin(world: &World) -> Pull {
    let pull = world.open_pull_request();
    world.upload(Stacks::of(FAN_OUT).upload(&pull.head, &pull.base)).await;
    pull
}

/// Everything went once and in order, whatever happened in between.
async fn end(world: World, pull: &Pull) {
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), FAN_OUT_STACKS);
    let totals = format!("{FAN_OUT_STACKS} succeeded");
    world.until_comment(pull.number, "that all succeeded", |text| text.contains(&totals)).await;
    world.finish().await;
}
