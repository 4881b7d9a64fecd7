//! What people command, given by the command line to a server that runs.

use stackwave_e2e::{Setup, Shape, World};
use stackwave_engine::view::{RunPhase, Status};
use stackwave_github_sim::Conclusion;
use stackwave_testkit::{process::executable, stacks::Stacks};
use std::net::TcpListener;
use tokio::process::Command;

stackwave_e2e::on_both_logs! {
    a_failed_stack_is_retried_and_what_it_blocked_goes_on,
    a_cancelled_run_is_cancelled_at_github_and_sends_nothing_more,
}

const TOKEN: &str = "an-admin-token-of-this-test";

/// A world whose server takes commands, and where.
async fn commanded(setup: Setup) -> (World, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let setup = setup.setting("STACKWAVE_GRPC_ADDR", &address).setting("STACKWAVE_ADMIN_TOKEN", TOKEN);
    (setup.start().await, format!("http://{address}"))
}

/// Gives a command and waits until it is done.
async fn order(server: &str, arguments: &[&str]) {
    let output = Command::new(executable())
        .args(arguments)
        .args(["--server", server, "--wait", "--reason", "a test wants it"])
        .env("STACKWAVE_TOKEN", TOKEN)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
}

async fn a_failed_stack_is_retried_and_what_it_blocked_goes_on(shape: Shape) {
    let (world, server) = commanded(Setup::new(shape)).await;
    world.github.fail_once("vpc", "dev");
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app; dns").upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_status(&run, "vpc/dev", Status::Failed).await;
    world.until_status(&run, "app/dev", Status::Blocked).await;
    order(&server, &["retry", run.as_str(), "vpc/dev"]).await;
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), 4, "vpc went twice");
    world.run(&run, |view| {
        let vpc = view.stacks.iter().find(|stack| stack.key.to_string() == "vpc/dev").unwrap();
        let reason = vpc.reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with("attempt 2, asked for by "), "{reason}");
    });
    world.finish().await;
}

async fn a_cancelled_run_is_cancelled_at_github_and_sends_nothing_more(shape: Shape) {
    let (world, server) = commanded(Setup::new(shape).runs_by_hand()).await;
    let pull = world.open_pull_request();
    world.upload(Stacks::of("vpc -> app; dns").upload(&pull.head, &pull.base)).await;
    let run = world.until_opened(pull.number, "opened").await;
    world.until_accepted("tf-plan.yaml", 2).await;
    world.until_status(&run, "dns/dev", Status::Queued).await;
    order(&server, &["cancel", run.as_str()]).await;
    world
        .until_github("both to be cancelled", |state| {
            state.runs().filter(|run| run.conclusion == Some(Conclusion::Cancelled)).count() == 2
        })
        .await;
    world.until_status(&run, "app/dev", Status::Stopped).await;
    world.until_status(&run, "dns/dev", Status::Cancelled).await;
    world.run(&run, |view| assert_eq!(view.status, RunPhase::Cancelled));
    world.until_comment(pull.number, "that it was cancelled", |text| text.contains("cancelled by")).await;
    assert_eq!(world.github.dispatches().len(), 2);
    world.finish().await;
}
