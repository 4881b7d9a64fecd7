//! The verbs that ask a running server: the executable on both ends, and a simulated GitHub.

use crate::{
    support::{err, out, stackwave},
    telemetry::serving::{ADMIN_TOKEN, Serving},
};
use serde_json::Value;
use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// What is waited for comes within this.
const DEADLINE: Duration = Duration::from_secs(30);
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A person with a token.
struct Person {
    server: String,
    token: String,
}

impl Person {
    fn admin(serving: &Serving) -> Self {
        Self { server: format!("http://{}", serving.grpc), token: ADMIN_TOKEN.to_owned() }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = stackwave(&line.split(' ').collect::<Vec<_>>());
        command.env("STACKWAVE_SERVER", &self.server).env("STACKWAVE_TOKEN", &self.token);
        command
    }

    /// Calls the executable in a thread of its own: the simulation answers meanwhile.
    async fn call(&self, line: &str) -> Output {
        let mut command = self.command(line);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What it prints for people.
    async fn says(&self, line: &str) -> String {
        let output = self.call(line).await;
        assert_eq!(output.status.code(), Some(0), "`{line}`: {}", err(&output));
        out(&output)
    }

    /// What it prints for programs.
    async fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.says(&format!("{line} -o json")).await).unwrap()
    }

    /// Asks until the answer is as it has to become.
    async fn json_once(&self, line: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.json(line).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(start.elapsed() < DEADLINE, "`{line}`: {answer}");
        }
    }

    /// Why it is not done, and the exit code.
    async fn refused(&self, line: &str) -> (String, Option<i32>) {
        let output = self.call(line).await;
        assert_eq!(out(&output), "", "`{line}`");
        (err(&output), output.status.code())
    }
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let text = |one: &Value| one[field].as_str().unwrap_or_default().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_explained_and_proven_from_its_list_to_its_records() {
    let serving = Serving::start(&[]).await;
    serving.plan_two_stacks(TRACE).await;
    let admin = Person::admin(&serving);

    let runs = admin.json_once("runs list", |list| list["runs"][0]["status"] == "RUN_STATUS_SUCCEEDED").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let shown = admin.says(&format!("runs show {run}")).await;
    for part in
        [run, "succeeded", "acme/infra #1", "Wave 1: 1 stack", "vpc/dev *", "Wave 2: 1 stack", "app/dev"]
    {
        assert!(shown.contains(part), "`{part}`: {shown}");
    }
    let opened = admin.json(&format!("events --run {run} --name run_opened")).await;
    let position = opened["position"]["position"].as_u64().unwrap();
    let past = admin.json(&format!("runs show {run} --at {position}")).await;
    assert_eq!(past["run"]["status"], "RUN_STATUS_RUNNING");

    let stacks = admin.json(&format!("stacks list --run {run}")).await;
    assert_eq!(stacks["stacks"].as_array().unwrap().len(), 2);
    assert_eq!(admin.json("prs list --open").await["pull_requests"][0]["number"], 1);
    assert_eq!(admin.json("uploads list").await["uploads"][0]["stack_count"], 2);
    let deliveries = admin.json("deliveries list --event pull_request").await;
    assert_eq!(texts(&deliveries["deliveries"], "action"), ["opened"]);

    let dispatches = admin.json(&format!("dispatches list --run {run}")).await;
    let ids = texts(&dispatches["dispatches"], "id");
    assert_eq!(ids.len(), 2);
    assert!(admin.says(&format!("dispatches show {}", ids[0])).await.contains("proven"));
    let evidence = admin.says(&format!("explain {run} app/dev --dispatch")).await;
    assert!(evidence.contains("app/dev") && evidence.contains("happened once"), "{evidence}");
    let all = admin.says(&format!("explain {run} --dispatch")).await;
    assert!(all.contains("2 of 2 dispatches are proven"), "{all}");
    assert!(admin.says(&format!("explain {run}")).await.contains("succeeded"));

    let lines = admin.says(&format!("events --run {run}")).await;
    for event in ["run_opened", "stack_released", "dispatch_claimed", "workflow_run_observed", "run_ended"] {
        assert!(lines.contains(event), "`{event}`: {lines}");
    }
    let record = admin.json(&format!("events show SW_00:{position}")).await;
    assert_eq!(record["events"][0]["name"], "run_opened");
    assert_eq!(record["events"][0]["data"]["run"], run);
    let first = admin.says("events --repository acme/infra --follow --since 1h --limit 1 -o json").await;
    assert_eq!(first.lines().count(), 1);

    let (why, code) = admin.refused(&format!("retry {run} app/dev --reason again")).await;
    assert_eq!(code, Some(1), "{why}");
    let done = admin.says("resync acme/infra --reason look --wait").await;
    assert!(done.contains("done"), "{done}");
    let commands = admin.json("commands list --repository acme/infra").await;
    assert_eq!(texts(&commands["commands"], "kind"), ["resync"]);
    let command = commands["commands"][0]["id"].as_str().unwrap();
    assert!(admin.says(&format!("commands show {command}")).await.contains("look"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_made_listed_and_revoked_and_too_weak_ones_are_refused() {
    let serving = Serving::start(&[]).await;
    let admin = Person::admin(&serving);
    assert_eq!(admin.json("whoami").await["token"]["id"], "bootstrap");

    admin.says("workspaces create payments --description theirs").await;
    admin
        .json_once("workspaces list", |list| texts(&list["workspaces"], "name").contains(&"payments".into()))
        .await;
    let key = admin.says("keys create ci --workspace payments --valid-for 90d --quiet").await;
    assert_eq!(key.lines().count(), 1);
    let keys =
        admin.json_once("keys list --workspace payments", |list| list["keys"][0]["name"] == "ci").await;
    assert!(!keys.to_string().contains(key.trim()), "a list holds a key");
    let id = keys["keys"][0]["id"].as_str().unwrap();
    assert!(admin.says(&format!("keys revoke {id} --reason over")).await.contains("revoked"));

    let token = admin.says("tokens create alice --role viewer --quiet").await.trim().to_owned();
    let alice = Person { server: admin.server.clone(), token };
    alice.json_once("whoami", |me| me["token"]["name"] == "alice").await;
    alice.says("runs list").await;
    let (why, code) = alice.refused("keys list").await;
    assert!(why.contains("`admin`") && why.contains("`viewer`"), "{why}");
    assert_eq!(code, Some(4));

    let tokens = admin.json("tokens list").await;
    let listed = tokens["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "alice").unwrap();
    admin.says(&format!("tokens revoke {}", listed["id"].as_str().unwrap())).await;
    let start = Instant::now();
    while alice.call("whoami").await.status.code() != Some(4) {
        assert!(start.elapsed() < DEADLINE, "a revoked token goes on");
    }
    assert!(alice.refused("whoami").await.0.contains("revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_room_and_what_there_is_are_shown() {
    let serving = Serving::start(&[]).await;
    serving.plan_two_stacks(TRACE).await;
    let admin = Person::admin(&serving);
    let status = admin.says("system status").await;
    assert!(status.contains(env!("CARGO_PKG_VERSION")) && status.contains("dispatcher"), "{status}");
    let log = admin.json("system log").await;
    assert_eq!(log["engine"], "sqlite");
    assert!(texts(&log["streams"], "name").contains(&"SW_00".to_owned()), "{log}");
    let partitions = admin.json_once("system partitions", |all| all["partitions"][0]["lag"] == 0).await;
    assert_eq!(partitions["partitions"][0]["stream"], "SW_00");
    admin.says("system leases").await;
    admin.says("system budget").await;
    admin.says("read-model rebuild").await;

    let repositories =
        admin.json_once("repositories list --query infra", |list| list["repositories"][0].is_object()).await;
    assert_eq!(texts(&repositories["repositories"], "name"), ["acme/infra"]);
    assert!(admin.says("repositories show Acme/Infra").await.contains("default"));
    admin.says("installations list").await;
    admin.says("workspaces create payments").await;
    let moved = admin.json("repositories assign acme/infra payments").await;
    assert_eq!(moved["repository"]["workspace"], "payments");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_to_do_about_a_failure() {
    let serving = Serving::start(&[]).await;
    let admin = Person::admin(&serving);
    let (why, code) = admin.refused("runs show pr7-no-such-run").await;
    assert!(why.contains("`pr7-no-such-run`"), "{why}");
    assert_eq!(code, Some(1));
    for line in ["runs list --repository acme", "events --stream SW_99", "runs list --page-token made-up"] {
        let (why, code) = admin.refused(line).await;
        assert_eq!(code, Some(2), "`{line}`: {why}");
    }
    let stranger = Person { server: admin.server.clone(), token: "made-up".to_owned() };
    let (why, code) = stranger.refused("runs list").await;
    assert!(why.contains("STACKWAVE_TOKEN") && !why.contains("made-up"), "{why}");
    assert_eq!(code, Some(4));
    // What answers there is the HTTP of uploads and webhooks.
    let lost = Person { server: serving.http.clone(), token: ADMIN_TOKEN.to_owned() };
    let (why, code) = lost.refused("runs list").await;
    assert!(why.contains("STACKWAVE_GRPC_ADDR"), "{why}");
    assert_eq!(code, Some(3));
}

#[test]
fn without_a_server_it_is_told_where_one_was_looked_for() {
    let output = stackwave(&["runs", "list"]).env("STACKWAVE_GRPC_ADDR", "127.0.0.1:9").output().unwrap();
    let why = err(&output);
    for part in ["http://127.0.0.1:9", "STACKWAVE_GRPC_ADDR", "stackwave serve", "--server"] {
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_failure() {
    let serving = Serving::start(&[]).await;
    let admin = Person::admin(&serving);
    let mut child =
        admin.command("system status").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
