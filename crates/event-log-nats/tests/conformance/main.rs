//! The suite of the port, against a real nats-server.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

mod harness;

use harness::NatsHarness;
use stackwave_event_log::conformance;

stackwave_event_log::conformance_tests!(NatsHarness::start().await);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_survives_the_restart_of_its_server() {
    let Some(harness) = NatsHarness::start().await else { return };
    conformance::a_follower_survives_the_restart_of_its_server(&harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_unknown_and_the_record_is_found() {
    let Some(harness) = NatsHarness::start().await else { return };
    conformance::a_lost_answer_is_unknown_and_the_record_is_found(&harness).await;
}
