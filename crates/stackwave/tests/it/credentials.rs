//! Every endpoint and every command that asks a server, against every credential that must not open it. The methods of
//! the admin API have their own walk, in the tests of `stackwave-admin`.

mod http;
mod verbs;

use crate::{
    support::{err, out, stackwave},
    telemetry::serving::{ADMIN_TOKEN, Serving},
};
use std::{
    process::Output,
    time::{Duration, Instant},
};

/// What is waited for comes within this.
const DEADLINE: Duration = Duration::from_secs(30);

/// Calls the executable, with this token or none.
async fn call(serving: &Serving, token: Option<&str>, line: &str) -> Output {
    let mut command = stackwave(&line.split(' ').collect::<Vec<_>>());
    command.env("STACKWAVE_SERVER", format!("http://{}", serving.grpc));
    command.envs(token.map(|token| ("STACKWAVE_TOKEN", token)));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What the first admin is answered.
async fn says(serving: &Serving, line: &str) -> String {
    let output = call(serving, Some(ADMIN_TOKEN), line).await;
    assert_eq!(output.status.code(), Some(0), "`{line}`: {}", err(&output));
    out(&output).trim().to_owned()
}

/// Makes a credential of a noun, `keys` or `tokens`, and returns its secret.
async fn create(serving: &Serving, noun: &str, name: &str, rest: &str) -> String {
    says(serving, format!("{noun} create {name} --quiet {rest}").trim_end()).await
}

/// Makes one, and revokes it.
async fn revoked(serving: &Serving, noun: &str, rest: &str) -> String {
    let secret = create(serving, noun, "revoked", rest).await;
    let listed = says(serving, &format!("{noun} list --output json")).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let all = listed[noun].as_array().unwrap();
    let id = all.iter().find(|one| one["name"] == "revoked").unwrap()["id"].as_str().unwrap();
    says(serving, &format!("{noun} revoke {id}")).await;
    secret
}

/// Makes one whose time is over.
async fn expired(serving: &Serving, noun: &str, rest: &str) -> String {
    let rest = format!("{rest} --valid-for 1s");
    let secret = create(serving, noun, "expired", rest.trim_start()).await;
    let start = Instant::now();
    while !has_expired(&says(serving, &format!("{noun} list")).await) {
        assert!(start.elapsed() < DEADLINE, "it does not expire");
    }
    secret
}

/// Whether a list says of the credential `expired` that it is.
fn has_expired(list: &str) -> bool {
    list.lines().any(|line| line.split_whitespace().filter(|word| *word == "expired").count() == 2)
}
