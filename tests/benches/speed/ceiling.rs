//! What the simulated GitHubs can do at most, with a bare client: no measurement above tells more than this.

use crate::{hook::Payloads, shapes::WORKFLOW, sink::Sink};
use anyhow::{Context as _, Result, ensure};
use secrecy::SecretString;
use serde_json::json;
use stackwave_domain::RepositoryName;
use stackwave_github::port::Repositories as _;
use stackwave_github_client::{ClientConfig, GitHubClient};
use stackwave_github_sim::{GitHub, NewRepository, RunMode, SimConfig};
use stackwave_runtime::Clock as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::task::JoinSet;

const REQUESTS: usize = 5_000;
const IN_FLIGHT: usize = 50;

/// Dispatches per second that the benchmark's GitHub answers.
pub(crate) async fn of_sink(payloads: &Payloads) -> Result<f64> {
    let (sink, _arrivals) = Sink::start(payloads.known.clone()).await?;
    flood(&sink.url, "ghs_benchmark").await
}

/// Dispatches per second that `github-sim` answers.
pub(crate) async fn of_simulator() -> Result<f64> {
    let config = SimConfig { runs: RunMode::Manual, hourly_limit: u32::MAX, ..SimConfig::default() };
    let app = config.app.id;
    let github = GitHub::start(config).await?;
    github.add_repository(NewRepository::new("acme/landing-zone").workflow("tf-plan.yaml", WORKFLOW));
    let token = token(&github, app).await?;
    let speed = flood(github.url(), &token).await;
    github.shutdown().await;
    speed
}

/// An installation token, as the App gets one.
async fn token(github: &GitHub, app: u64) -> Result<String> {
    let clock = stackwave_runtime::SystemClock::default();
    let mut config = ClientConfig::new(github.url(), Arc::new(move || clock.now()));
    config.app_id = Some(app.to_string());
    config.private_key = Some(SecretString::from(github.private_key_pem()));
    GitHubClient::new(config)?.by_name(&RepositoryName::new("acme", "landing-zone")).await?;
    github.read(|state| state.issued_tokens().next().map(str::to_owned)).context("no token was issued")
}

async fn flood(url: &str, token: &str) -> Result<f64> {
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let url = format!("{url}/repos/acme/landing-zone/actions/workflows/tf-plan.yaml/dispatches");
    let sent = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (client, url, sent, token) = (client.clone(), url.clone(), Arc::clone(&sent), token.to_owned());
        senders.spawn(async move {
            while sent.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                let body = json!({
                    "ref": "main", "return_run_details": true,
                    "inputs": { "component": "vpc", "stack": "prod", "sha": "a", "atmos_pro_run_id": "b" },
                });
                let request = client.post(&url).bearer_auth(&token).header("user-agent", "stackwave-bench");
                let answer = request.json(&body).send().await?;
                ensure!(answer.status().is_success(), "a dispatch was answered with {}", answer.status());
                answer.bytes().await?;
            }
            Ok(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    Ok(f64::from(u32::try_from(REQUESTS)?) / began.elapsed().as_secs_f64())
}
