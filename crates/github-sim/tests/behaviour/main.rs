//! What the simulation does, over its own HTTP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
#[path = "../support/client.rs"]
mod client;
mod dispatch;
mod faults;
mod lists;
#[path = "../support/receiver.rs"]
mod receiver;
mod runs;
mod webhooks;

use std::time::Duration;

use client::Client;
use receiver::Receiver;
use serde_json::{Value, json};
use stackwave_github_sim::{GitHub, NewRepository, Repo, RunMode, SimConfig};

/// Long enough for a loaded machine; no test waits for it to pass.
const DEADLINE: Duration = Duration::from_secs(20);

const PLAN: &str = "
name: plan
run-name: plan ${{ inputs.component }}/${{ github.event.inputs.stack }}/${{ inputs.id || 'none' }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true }
      stack: { required: true }
      id: {}
      level: { type: choice, options: [low, high], default: low }
";

/// `acme/infra` with `plan.yaml`, whose runs stay where they are.
async fn manual() -> (GitHub, Repo, Client) {
    start(SimConfig { runs: RunMode::Manual, ..SimConfig::default() }).await
}

/// The same, whose runs succeed at once.
async fn automatic() -> (GitHub, Repo, Client) {
    start(SimConfig::default()).await
}

async fn start(config: SimConfig) -> (GitHub, Repo, Client) {
    let github = GitHub::start(config).await.unwrap();
    let repo = github.add_repository(NewRepository::new("acme/infra").workflow("plan.yaml", PLAN));
    let client = Client::of(&github).await;
    (github, repo, client)
}

/// A simulation with a receiver of its webhooks.
async fn with_receiver(config: SimConfig) -> (GitHub, Repo, Client, Receiver) {
    let receiver = Receiver::start().await;
    let (github, repo, client) = start(config).await;
    github.set_webhook_url(Some(&receiver.url));
    (github, repo, client, receiver)
}

/// A dispatch of one stack that asks for the run's id.
fn body(component: &str, stack: &str) -> Value {
    json!({ "ref": "main", "inputs": { "component": component, "stack": stack }, "return_run_details": true })
}
