//! `replay`, `export` and `diff` as people call them: a run under faults, from the log, and from its file elsewhere.

use crate::support::{err, out, stackwave};
use stackwave_domain::{
    Entry, Position, Record, RecordId, RepositoryId, StreamId, Subject, event::PushObserved, event::Source,
};
use stackwave_event_log::{Append, EventLog as _};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_replay::Recording;
use std::path::Path;

fn incident() -> Recording {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/incident.jsonl");
    stackwave_replay::read(std::fs::File::open(path).unwrap()).unwrap()
}

/// The log that the incident was exported from, as far as its repository goes.
async fn written(folder: &Path) -> String {
    let recording = incident();
    let log = SqliteLog::open(folder.join("stackwave.db"), 1).unwrap();
    let append = async |entry: &Entry| {
        log.append(Append::any(entry.subject.clone(), entry.record.clone())).await.unwrap().receipt.position
    };
    for entry in &recording.config {
        append(entry).await;
    }
    for blob in recording.blobs.values() {
        log.put_blob(blob.clone().into_bytes().into()).await.unwrap();
    }
    let mut position = Position::START;
    for entry in &recording.entries {
        // What lies between is another repository's.
        while position.next() < entry.position {
            position = append(&others(position)).await;
        }
        position = append(entry).await;
        assert_eq!(position, entry.position);
    }
    format!("sqlite:{}", folder.join("stackwave.db").display())
}

fn others(position: Position) -> Entry {
    let push = PushObserved {
        source: Source::Webhook { delivery: "d".into() },
        git_ref: "main".into(),
        before: "a".into(),
        after: "b".into(),
    };
    let record = Record::new(
        RecordId::new(format!("other-{position}")),
        "2026-11-24T10:00:00Z".parse().unwrap(),
        "webhook-receiver",
        vec![push.into()],
    );
    Entry { position, subject: Subject::github(StreamId::Partition(0), RepositoryId(7), "push"), record }
}

/// What a call that ends well prints.
fn prints(arguments: &[&str]) -> String {
    let output = stackwave(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
    out(&output)
}

#[tokio::test]
async fn a_run_that_went_wrong_is_exported_and_seen_elsewhere_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(folder.path()).await;
    let run = incident().about.run.unwrap().to_string();
    let file = folder.path().join("incident.jsonl.gz").display().to_string();
    prints(&["export", "--run", &run, "--log", &log, "-o", &file]);
    let again = prints(&["export", "--run", &run, "--log", &log]);
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/incident.jsonl"));
    assert_eq!(again, committed.unwrap(), "the same bytes for the same records");
    let positions: Vec<String> =
        incident().entries.iter().step_by(9).map(|it| it.position.to_string()).collect();
    for position in &positions {
        for output in ["text", "json"] {
            let there = prints(&[
                "replay", "--run", &run, "--log", &log, "--whole", "--at", position, "--output", output,
            ]);
            let here = prints(&["replay", &file, "--at", position, "--output", output]);
            assert_eq!(here, there, "at {position}");
        }
    }
    let verified = prints(&["replay", &file, "--verify"]);
    assert_eq!(verified, prints(&["replay", "--run", &run, "--log", &log, "--verify"]));
    let records = incident().entries.len();
    assert!(
        verified.starts_with("verified ") && verified.ends_with(&format!("{records} records\n")),
        "{verified}"
    );
    let explained = prints(&["replay", &file, "--explain", "--dispatch"]);
    assert_eq!(
        explained,
        prints(&["replay", "--run", &run, "--log", &log, "--whole", "--explain", "--dispatch"])
    );
    assert!(explained.contains("it happened once"), "{explained}");
    // The log is as it was.
    assert!(SqliteLog::open(folder.path().join("stackwave.db"), 1).is_ok());
}

#[tokio::test]
async fn two_runs_of_one_file_differ_and_one_does_not_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(folder.path()).await;
    let second = incident().about.run.unwrap().to_string();
    let opened =
        incident().entries.iter().flat_map(|it| it.record.events.clone()).find_map(|event| match event {
            stackwave_domain::Event::RunOpened(opened) => Some(opened.run.to_string()),
            _ => None,
        });
    let first = opened.unwrap();
    let differ = stackwave(&["diff", &first, &second, "--log", &log]).output().unwrap();
    assert_eq!(differ.status.code(), Some(1), "{}", err(&differ));
    assert!(out(&differ).contains("+ cache/dev"), "{}", out(&differ));
    assert!(prints(&["diff", &second, &second, "--log", &log]).ends_with("do not differ\n"));
    let file = folder.path().join("b.jsonl").display().to_string();
    prints(&["export", "--run", &second, "--log", &log, "-o", &file]);
    let mixed = stackwave(&["diff", &first, &file, "--log", &log, "--output", "json"]).output().unwrap();
    assert_eq!(mixed.status.code(), Some(1));
    let changes: serde_json::Value = serde_json::from_str(&out(&mixed)).unwrap();
    assert!(!changes["changes"].as_array().unwrap().is_empty());
    let trouble = stackwave(&["diff", &first, "no-such-run", "--log", &log]).output().unwrap();
    assert_eq!(trouble.status.code(), Some(2));
    assert!(err(&trouble).contains("`no-such-run`"), "{}", err(&trouble));
}

#[tokio::test]
async fn a_decision_that_does_not_follow_ends_with_one_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let mut recording = incident();
    let index =
        recording.entries.iter().position(|it| it.record.events[0].name() == "stack_released").unwrap();
    let position = recording.entries[index].position;
    recording.entries[index].record.events.pop();
    let path = folder.path().join("wrong.jsonl");
    stackwave_replay::write(&recording, std::fs::File::create(&path).unwrap(), false).unwrap();
    let output = stackwave(&["replay", &path.display().to_string(), "--verify"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).starts_with(&format!("difference at {position}: ")), "{}", out(&output));
    assert_eq!(err(&output), "");
}

#[test]
fn what_cannot_be_read_is_named() {
    let cases = [
        (&["replay", "no/such.jsonl"][..], 1, "`no/such.jsonl`"),
        (&["replay"][..], 2, "--run"),
        (&["replay", "--run", "x", "--at", "noon"][..], 2, "2026-11-24T10:02:00Z"),
        (&["replay", "--run", "x", "--log", "sqlite:no/such.db"][..], 1, "no/such.db"),
        (&["export", "--log", "sqlite:no/such.db"][..], 1, "name what to export"),
        (&["export", "--pr", "7"][..], 2, "--repository"),
    ];
    for (arguments, code, names) in cases {
        let output = stackwave(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(names), "{arguments:?}: {}", err(&output));
    }
}

#[tokio::test]
async fn events_are_exported_as_cloud_events() {
    let folder = tempfile::tempdir().unwrap();
    let log = written(folder.path()).await;
    let events = prints(&["export", "--repository", "acme/infra", "--log", &log, "--format", "cloudevents"]);
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&event["specversion"], &event["source"].is_string()), (&"1.0".into(), &true));
    }
}
