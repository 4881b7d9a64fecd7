//! Every command that asks a server.

use super::{call, create, expired, revoked};
use crate::{
    support::{err, out, stackwave},
    telemetry::serving::{ADMIN_TOKEN, Serving},
};
use std::collections::BTreeSet;

/// The roles that are too weak.
const NONE: &[&str] = &[];
const VIEWER: &[&str] = &["viewer"];
const OPERATOR: &[&str] = &["viewer", "operator"];

/// Every command that asks a server, with what it needs to be typed, and the roles that are too weak for it.
const VERBS: &[(&str, &str, &[&str])] = &[
    ("runs list", "", NONE),
    ("runs show", "r1", NONE),
    ("stacks list", "", NONE),
    ("prs list", "", NONE),
    ("uploads list", "", NONE),
    ("dispatches list", "", NONE),
    ("dispatches show", "d1", NONE),
    ("deliveries list", "", NONE),
    ("explain", "r1", NONE),
    ("retry", "r1", VIEWER),
    ("cancel", "r1", VIEWER),
    ("resync", "acme/infra", VIEWER),
    ("resolve", "d1 --not-happened --reason looked", VIEWER),
    ("commands list", "", NONE),
    ("commands show", "c1", NONE),
    ("events", "--run r1", NONE),
    ("events show", "SW_00:1", NONE),
    ("keys create", "ci", OPERATOR),
    ("keys list", "", OPERATOR),
    ("keys revoke", "key_1", OPERATOR),
    ("tokens create", "alice --role viewer", OPERATOR),
    ("tokens list", "", OPERATOR),
    ("tokens revoke", "tok_1", OPERATOR),
    ("whoami", "", NONE),
    ("workspaces list", "", NONE),
    ("workspaces create", "payments", OPERATOR),
    ("repositories list", "", NONE),
    ("repositories show", "acme/infra", NONE),
    ("repositories assign", "acme/infra default", OPERATOR),
    ("installations list", "", NONE),
    ("system status", "", NONE),
    ("system log", "", NONE),
    ("system partitions", "", NONE),
    ("system leases", "", NONE),
    ("system budget", "", NONE),
    ("read-model show", "", NONE),
    ("read-model rebuild", "", OPERATOR),
];

/// What `--help` says of a command.
fn help(path: &str) -> String {
    let words = path.split_whitespace().chain(["--help"]).collect::<Vec<_>>();
    out(&stackwave(&words).output().unwrap())
}

/// Every command below this one that takes `--server`, as the executable itself tells it.
fn asking(path: &str, found: &mut BTreeSet<String>) {
    let text = help(path);
    let below = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let below: Vec<&str> = below
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    for name in &below {
        asking(format!("{path} {name}").trim_start(), found);
    }
    // A noun alone does what one of its verbs does; a verb that has others below it does something of its own.
    let stands_alone =
        below.is_empty() || text.lines().any(|line| line.starts_with("Usage:") && line.contains('<'));
    if stands_alone && text.contains("--server <URL>") {
        found.insert(path.to_owned());
    }
}

#[test]
fn every_command_that_asks_a_server_is_in_the_walk() {
    let mut found = BTreeSet::new();
    asking("", &mut found);
    let walked: BTreeSet<String> = VERBS.iter().map(|(verb, _, _)| (*verb).to_owned()).collect();
    assert_eq!(found, walked, "a command is missing in `VERBS`, or is no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_refuses_a_missing_wrong_revoked_expired_or_too_weak_token() {
    let serving = Serving::start(&[]).await;
    let viewer = create(&serving, "tokens", "bob", "--role viewer").await;
    let operator = create(&serving, "tokens", "carol", "--role operator").await;
    let key = create(&serving, "keys", "ci", "").await;
    let revoked = revoked(&serving, "tokens", "--role admin").await;
    let expired = expired(&serving, "tokens", "--role admin").await;
    for (verb, rest, too_weak) in VERBS {
        let line = format!("{verb} {rest}");
        let mut refused = vec![
            (None, "TOKEN_MISSING"),
            (Some("wrong"), "TOKEN_UNKNOWN"),
            // An API key opens uploads, and nothing else.
            (Some(key.as_str()), "TOKEN_UNKNOWN"),
            (Some(&viewer[..viewer.len() - 1]), "TOKEN_MALFORMED"),
            (Some(revoked.as_str()), "TOKEN_REVOKED"),
            (Some(expired.as_str()), "TOKEN_EXPIRED"),
        ];
        for role in *too_weak {
            let token = if *role == "viewer" { &viewer } else { &operator };
            refused.push((Some(token.as_str()), "ROLE_TOO_WEAK"));
        }
        for (token, reason) in refused {
            let output = call(&serving, token, line.trim_end()).await;
            let why = err(&output);
            assert_eq!(output.status.code(), Some(4), "`{line}` with {token:?}: {why}");
            assert!(why.contains(reason), "`{line}` with {token:?}: {why}");
            assert_eq!(out(&output), "", "`{line}` with {token:?} printed something");
        }
    }
    // What is refused above is refused for its credential: the first admin's is taken.
    assert_eq!(call(&serving, Some(ADMIN_TOKEN), "runs list").await.status.code(), Some(0));
}
