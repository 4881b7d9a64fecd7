//! `serve` as a process of its own beside a simulated GitHub, which has a pull request to plan.

use crate::support::stackwave;
use serde_json::{Value, json};
use stackwave_github_sim::{GitHub, NewPullRequest, NewRepository, Repo, RunMode, SimConfig, WebhookConfig};
use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

pub(crate) const API_KEY: &str = "the-tests-api-key";
pub(crate) const ADMIN_TOKEN: &str = "the-tests-admin-token";
const SECRET: &str = "the-tests-webhook-secret";
const DEADLINE: Duration = Duration::from_secs(60);

const WORKFLOW: &str = "\
name: plan
run-name: plan ${{ inputs.component }} ${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
      traceparent: { required: false, type: string }
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - run: atmos terraform plan
";

/// A process that serves, and its GitHub.
pub(crate) struct Serving {
    pub(crate) github: GitHub,
    pub(crate) http: String,
    pub(crate) grpc: String,
    repo: Repo,
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    _folder: tempfile::TempDir,
}

impl Serving {
    /// Starts all roles, with these settings beside the necessary.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        // It can fail only when another test did it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = SimConfig {
            runs: RunMode::Automatic { job_time: Duration::from_millis(20) },
            webhooks: WebhookConfig { secret: SECRET.to_owned(), ..WebhookConfig::default() },
            ..SimConfig::default()
        };
        let app_id = config.app.id.to_string();
        let github = GitHub::start(config).await.unwrap();
        let repo = github.add_repository(NewRepository::new("acme/infra").workflow("tf-plan.yaml", WORKFLOW));
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("app.pem");
        std::fs::write(&key, github.private_key_pem()).unwrap();
        // Released again at once; nobody else is likely to take it within the moment.
        let grpc = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = stackwave(&["serve"]);
        command
            .env("STACKWAVE_HTTP_ADDR", "127.0.0.1:0")
            .env("STACKWAVE_GRPC_ADDR", &grpc)
            .env("STACKWAVE_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("STACKWAVE_LOG", format!("sqlite:{}", folder.path().join("log.db").display()))
            .env("STACKWAVE_GITHUB_API_URL", github.url())
            .env("STACKWAVE_GITHUB_APP_ID", app_id)
            .env("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &key)
            .env("STACKWAVE_GITHUB_WEBHOOK_SECRET", SECRET)
            .env("STACKWAVE_GITHUB_WRITES_PER_MINUTE", "6000")
            .env("STACKWAVE_BOOTSTRAP_API_KEY", API_KEY)
            .env("STACKWAVE_LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (serving, served) = mpsc::channel();
        let (stderr, kept) = (child.stderr.take().unwrap(), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "no json": line }));
                if line["message"] == "serving" {
                    let _ = serving.send(line["http_addr"].as_str().unwrap_or_default().to_owned());
                }
                kept.lock().unwrap().push(line);
            }
        });
        let address = served.recv_timeout(DEADLINE);
        let address = address.unwrap_or_else(|_| panic!("it does not serve: {:?}", lines.lock().unwrap()));
        github.set_webhook_url(Some(&format!("http://{address}/webhooks/github")));
        Self { github, http: format!("http://{address}"), grpc, repo, child, lines, _folder: folder }
    }

    /// Opens a pull request of two stacks, one after the other, uploads it, and returns once its comment says that both
    /// were planned. The upload carries this `traceparent`.
    pub(crate) async fn plan_two_stacks(&self, traceparent: &str) {
        let new = NewPullRequest { title: Some("two stacks".to_owned()), ..NewPullRequest::default() };
        let number = self.repo.open_pull_request(new).unwrap();
        let pull = self.repo.pull_request(number).unwrap();
        let body = upload(&pull.head_sha, &pull.base_sha);
        let request = reqwest::Client::new().post(format!("{}/api/v1/affected-stacks", self.http));
        let request = request.bearer_auth(API_KEY).header("traceparent", traceparent).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let id = self.repo.id();
        let told = self.github.wait_until("both stacks are planned", DEADLINE, |state| {
            state.comments(id, number).any(|comment| comment.body.contains("2 succeeded"))
        });
        let told = told.await;
        let comments: Vec<String> =
            self.repo.comments(number).into_iter().map(|comment| comment.body).collect();
        assert!(told.is_ok(), "{comments:?}\n{:?}", self.lines.lock().unwrap());
    }

    /// Everything that it wrote to standard error so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    /// What `/metrics` answers once it holds this line.
    pub(crate) async fn metrics_with(&self, line: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = self.metrics().await;
            if text.lines().any(|exposed| exposed == line) {
                return text;
            }
            assert!(Instant::now() < deadline, "`{line}` does not come to be exposed:\n{text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What `/metrics` answers.
    pub(crate) async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("{}/metrics", self.http)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two stacks, of which the second depends on the first.
fn upload(head_sha: &str, base_sha: &str) -> Value {
    let entry = |component: &str, dependents: Vec<Value>| {
        let plan = json!({ "workflows": { "tf-plan.yaml": { "inputs": { "component": component } } } });
        json!({
            "component": component, "component_type": "terraform", "component_path": "", "stack": "dev",
            "stack_slug": "", "included_in_dependents": false, "dependents": dependents,
            "settings": { "pro": { "enabled": true, "pull_request": { "opened": plan } } },
        })
    };
    let child = entry("app", vec![]);
    let mut root = entry("vpc", vec![child]);
    root["affected"] = json!("stack.vars");
    json!({
        "head_sha": head_sha, "base_sha": base_sha, "repo_url": "https://github.com/acme/infra.git",
        "repo_name": "infra", "repo_owner": "acme", "repo_host": "github.com", "stacks": [root],
    })
}
