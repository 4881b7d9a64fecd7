//! `docs/operations.md` as it is written: a backup that is taken while the log is served, a migration that is killed, and
//! a section for each alert.

use crate::support::{err, out, stackwave};
use futures::future::join_all;
use stackwave_domain::{
    Record, RecordId, RepositoryId, StreamId, Subject, Timestamp, event::PushObserved, event::Source,
};
use stackwave_event_log::{Append, EventLog as _};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_testkit::{
    nats::NatsServer,
    process::{Environment, ServeProcess},
};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
};

/// Enough for a migration to take a while.
const MORE: usize = 4_000;

/// What a call that ends well prints.
fn prints(arguments: &[&str]) -> String {
    let output = stackwave(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
    out(&output)
}

/// The log of a demo, and its runs.
fn demo(path: &Path) -> (String, BTreeSet<String>) {
    let log = format!("sqlite:{}", path.display());
    prints(&["demo", "--stacks", "4", "--job-time", "50ms", "--log", &log]);
    let runs = prints(&["log", "show", "--log", &log, "--json"])
        .lines()
        .filter(|line| line.contains("\"run_opened\""))
        .filter_map(|line| Some(line.split_once("\"run\":\"")?.1.split_once('"')?.0.to_owned()))
        .collect::<BTreeSet<_>>();
    assert_eq!(runs.len(), 2, "{runs:?}");
    (log, runs)
}

/// Both logs print, verify and export the same.
fn are_equal(one: &str, other: &str, runs: &BTreeSet<String>) {
    let records = |log: &str| prints(&["log", "show", "--log", log, "--json"]);
    assert!(records(one) == records(other), "the records differ");
    for run in runs {
        assert!(prints(&["replay", "--run", run, "--log", other, "--verify"]).starts_with("verified "));
        let export = |log: &str| prints(&["export", "--run", run, "--log", log]);
        assert!(export(one) == export(other), "the exports of {run} differ");
    }
}

/// Appends records of another repository.
async fn append_more(path: &Path) {
    let log = SqliteLog::open(path, 1).unwrap();
    let append = |number: usize| {
        let push = PushObserved {
            source: Source::Webhook { delivery: format!("delivery-{number}").into() },
            git_ref: "main".into(),
            before: "a".into(),
            after: "b".into(),
        };
        let id = RecordId::new(format!("push-{number}"));
        let record = Record::new(
            id,
            Timestamp::from_second(1_800_000_000).unwrap(),
            "webhook-receiver",
            vec![push.into()],
        );
        log.append(Append::any(Subject::github(StreamId::Partition(0), RepositoryId(7), "push"), record))
    };
    for appended in join_all((0..MORE).map(append)).await {
        appended.unwrap();
    }
}

fn query(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_backup_of_a_sqlite_log_that_is_served_is_restored_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("stackwave.db"), folder.path().join("backup.db"));
    let (log, runs) = demo(&path);
    let settings = |log: &str| {
        Environment::from([
            ("STACKWAVE_LOG".to_owned(), log.to_owned()),
            ("STACKWAVE_ADMIN_TOKEN".to_owned(), "correct-horse".to_owned()),
            ("STACKWAVE_DISPATCH".to_owned(), "off".to_owned()),
        ])
    };
    let process = ServeProcess::start(&["admin"], &settings(&log)).await;
    query(&path, &format!("VACUUM INTO '{}'", backup.display()));
    process.stop().await;
    let restored = format!("sqlite:{}", backup.display());
    are_equal(&log, &restored, &runs);
    let process = ServeProcess::start(&["admin"], &settings(&restored)).await;
    process.stop().await;
    are_equal(&log, &restored, &runs);
}

#[tokio::test]
async fn a_migration_that_is_killed_goes_on_when_it_is_called_again_and_ends_byte_for_byte() {
    let Some(server) = NatsServer::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stackwave.db");
    let (log, runs) = demo(&path);
    append_more(&path).await;
    let (file, url) = (path.display().to_string(), server.url());
    let migrate = ["migrate", "--from", &file, "--to", &url];

    let mut killed = stackwave(&migrate).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(killed.stderr.take().unwrap()).lines();
    let copied = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("SW_CONFIG: copied")));
    assert!(copied.is_some());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let early = stackwave(&[&migrate[..], &["--verify-only"]].concat()).output().unwrap();
    assert_eq!(early.status.code(), Some(1), "{early:?}");
    assert!(err(&early).contains("was not finished: call `stackwave migrate` again"), "{}", err(&early));
    let settings = Environment::from([("STACKWAVE_LOG".to_owned(), url.clone())]);
    let refused = ServeProcess::run_to_its_end(&["admin"], &settings).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("run `stackwave migrate` again"), "{}", err(&refused));

    assert!(prints(&migrate).contains("everything lies in"));
    assert!(prints(&[&migrate[..], &["--verify-only"]].concat()).contains("both logs hold the same"));
    assert!(prints(&migrate).contains("already"), "who is not sure calls it again");
    are_equal(&log, &url, &runs);
}

#[tokio::test]
async fn a_log_that_went_on_is_no_target_of_a_migration_any_more() {
    let Some(server) = NatsServer::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stackwave.db");
    drop(SqliteLog::open(&path, 1).unwrap());
    append_more(&path).await;
    let (file, url) = (path.display().to_string(), server.url());
    // As other commands name it.
    let named = format!("sqlite:{file}");
    prints(&["migrate", "--from", &named, "--to", &url]);
    let settings = Environment::from([
        ("STACKWAVE_LOG".to_owned(), url.clone()),
        ("STACKWAVE_BOOTSTRAP_API_KEY".to_owned(), "an-api-key-of-a-workflow".to_owned()),
    ]);
    ServeProcess::start(&["ingest-api"], &settings).await.stop().await;
    let output = stackwave(&["migrate", "--from", &file, "--to", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("has records already"), "{}", err(&output));
}

#[test]
fn each_alert_has_its_section_in_the_operations_guide_and_leads_to_it() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let guide = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let sections: BTreeSet<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|it| it.starts_with("Stackwave"))
        .collect();
    let file = std::fs::read_to_string(root.join("deploy/prometheus/alerts.yaml")).unwrap();
    let rules: serde_json::Value = serde_norway::from_str(&file).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let alerts: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert["alert"].as_str().unwrap()).collect();
    assert_eq!(names, sections);
    for alert in alerts {
        let anchor = alert["alert"].as_str().unwrap().to_lowercase();
        let url = alert["annotations"]["runbook_url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/docs/operations.md#{anchor}")), "{url}");
    }
}
