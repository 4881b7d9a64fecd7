//! Filling a new log with the records of another one.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use stackwave_domain::{Position, StreamId, Subject, codec};
use stackwave_event_log::{
    Append, AppendError, EventLog as _, LogError, RawRecord,
    conformance::{ledger, partition, record},
};
use stackwave_event_log_nats::{ImportError, NatsLog, NatsOptions};
use stackwave_testkit::nats::NatsServer;
use std::{collections::HashMap, sync::Arc};

fn options(server: &NatsServer) -> NatsOptions {
    NatsOptions { partition_bytes: 64 * 1024 * 1024, ..NatsOptions::new(server.url()) }
}

fn raw(subject: &Subject, position: u64) -> RawRecord {
    RawRecord {
        position: Position(position),
        subject: subject.to_string(),
        stored_at: None,
        body: codec::encode(&record(position.to_string())).unwrap().into(),
    }
}

/// Of a log that was purged: it begins at 5, and has gaps.
fn records() -> Vec<RawRecord> {
    let positions = [5, 6, 9].into_iter().chain(1000..1700).chain([2500]);
    positions.map(|position| raw(&ledger(position % 3), position)).collect()
}

async fn start(server: &NatsServer) -> Result<Arc<NatsLog>, LogError> {
    let first = HashMap::from([(partition(), Position(5))]);
    NatsLog::connect_for_import(options(server), &first).await
}

fn refusal(result: Result<Arc<NatsLog>, LogError>) -> String {
    match result {
        Err(LogError::Setup(message)) => message,
        other => panic!("expected a refusal, got {:?}", other.map(drop)),
    }
}

async fn last(log: &NatsLog) -> Position {
    log.last_position(partition()).await.unwrap()
}

#[tokio::test]
async fn records_lie_where_they_lay_and_appends_go_on_from_there() {
    let Some(server) = NatsServer::start().await else { return };
    let (records, config) = (records(), [raw(&Subject::config("repository", "1"), 1)]);
    let log = start(&server).await.unwrap();
    assert_eq!(last(&log).await, Position(4));
    // Broken off after the first hundred, and started again with what overlaps.
    log.import(partition(), &records[..100]).await.unwrap();
    drop(log);
    let log = start(&server).await.unwrap();
    assert_eq!(last(&log).await, records[99].position);
    log.import(partition(), &records[50..]).await.unwrap();
    log.import(partition(), &records).await.unwrap();
    log.import(StreamId::Config, &config).await.unwrap();
    log.verify_import(partition(), Position::START, &records).await.unwrap();
    log.verify_import(partition(), records[9].position, &records[10..]).await.unwrap();

    let message = refusal(NatsLog::connect(options(&server)).await);
    assert!(message.contains("has not ended") && message.contains("stackwave migrate"), "{message}");
    assert!(log.is_importing().await.unwrap());
    log.finish_import().await.unwrap();
    log.finish_import().await.unwrap();
    assert!(!log.is_importing().await.unwrap());
    drop(log);

    let log = NatsLog::connect(options(&server)).await.unwrap();
    assert_eq!(log.read_raw(StreamId::Config, Position(1), 9).await.unwrap()[0].body, config[0].body);
    let mut found: Vec<RawRecord> = Vec::new();
    loop {
        let from = found.last().map_or(Position(1), |last| last.position.next());
        let page = log.read_raw(partition(), from, usize::MAX).await.unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|record| RawRecord { stored_at: None, ..record }));
    }
    assert!(found == records, "{} records", found.len());
    log.verify_import(partition(), Position::START, &records).await.unwrap();
    assert_eq!(log.first_position(partition()).await.unwrap(), Some(Position(5)));
    let subject = ledger(2500 % 3);
    let stale = log.append(Append::after(subject.clone(), record("a"), Position(1699))).await;
    assert!(matches!(stale, Err(AppendError::Conflict { .. })), "{stale:?}");
    let next = log.append(Append::after(subject, record("a"), Position(2500))).await.unwrap();
    assert_eq!(next.receipt.position, Position(2501));
}

#[tokio::test]
async fn a_log_that_was_used_is_never_filled() {
    let Some(server) = NatsServer::start().await else { return };
    let log = NatsLog::connect(options(&server)).await.unwrap();
    log.append(Append::any(ledger(1), record("a"))).await.unwrap();
    let message = refusal(start(&server).await);
    assert!(message.contains("has records already"), "{message}");
    NatsLog::connect(options(&server)).await.unwrap();
}

#[tokio::test]
async fn a_log_that_was_made_and_never_used_is_filled() {
    let Some(server) = NatsServer::start().await else { return };
    drop(NatsLog::connect(options(&server)).await.unwrap());
    let log = start(&server).await.unwrap();
    log.import(partition(), &records()[..4]).await.unwrap();
    log.verify_import(partition(), Position::START, &records()[..4]).await.unwrap();
    refusal(NatsLog::connect(options(&server)).await);
    log.finish_import().await.unwrap();
    let log = NatsLog::connect(options(&server)).await.unwrap();
    assert_eq!(log.first_position(partition()).await.unwrap(), Some(Position(5)));
}

#[tokio::test]
async fn a_difference_is_named() {
    let Some(server) = NatsServer::start().await else { return };
    let records = records();
    let log = start(&server).await.unwrap();
    log.import(partition(), &records[..10]).await.unwrap();
    let mut other = records.clone();
    other[7].body = "{}".into();
    let mut elsewhere = records.clone();
    elsewhere[3].position = Position(999);
    for (expected, part) in [
        (&other[..10], "position 1004: the record has other content"),
        (&elsewhere[..10], "position 999: the records have other positions"),
        (&records[..11], "position 1007: the record is missing"),
    ] {
        let error = log.verify_import(partition(), Position::START, expected).await.unwrap_err();
        assert!(matches!(error, ImportError::Differs { .. }) && error.to_string().contains(part), "{error}");
    }
}
