//! `stackwave log` on a NATS server.

use crate::support::{err, out, stackwave};
use stackwave_domain::{
    Record, RecordId, RepositoryId, RunId, StackKey, StreamId, Subject, Timestamp, event::StackReleased,
};
use stackwave_event_log::{Append, EventLog as _};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::{NatsServer, Settings};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Output, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

const PARTITIONS: u16 = 3;
const DEADLINE: Duration = Duration::from_secs(30);

async fn log(url: String) -> Arc<NatsLog> {
    let options = NatsOptions { partitions: PARTITIONS, ..NatsOptions::new(url) };
    NatsLog::connect(options).await.unwrap()
}

/// Appends one record to a partition: a stack of this run is released.
async fn release(log: &NatsLog, partition: u16, run: &str) {
    let released = StackReleased { run: RunId::new(run), key: StackKey::new("dev", "vpc"), attempt: 1 };
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let record = Record::new(RecordId::new(run), at, "test", vec![released.into()]);
    let subject = Subject::ledger(StreamId::Partition(partition), RepositoryId(partition.into()));
    log.append(Append::any(subject, record)).await.unwrap();
}

fn show(url: &str) -> Output {
    stackwave(&["log", "show", "--log", url]).output().unwrap()
}

#[tokio::test]
async fn the_records_of_all_partitions_are_shown_though_nothing_says_how_many_there_are() {
    let Some(server) = NatsServer::start().await else { return };
    let log = log(server.url()).await;
    for partition in 0..PARTITIONS {
        release(&log, partition, &format!("run-{partition}")).await;
    }
    let output = show(&server.url());
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    for partition in 0..PARTITIONS {
        assert!(out(&output).contains(&format!("run-{partition}")), "{output:?}");
    }
    assert_eq!(out(&output).lines().count(), usize::from(PARTITIONS));
}

#[tokio::test]
async fn a_record_is_printed_as_soon_as_it_is_appended() {
    let Some(server) = NatsServer::start().await else { return };
    let log = log(server.url()).await;
    release(&log, 0, "before").await;
    let tail = stackwave(&["log", "tail", "--log", &server.url()]).stdout(Stdio::piped()).spawn().unwrap();
    let tail = Tail::of(tail);
    assert!(tail.line().contains("before"));
    release(&log, 2, "meanwhile").await;
    assert!(tail.line().contains("meanwhile"));
}

#[tokio::test]
async fn where_no_log_is_one_line_says_so_and_none_is_made() {
    let Some(server) = NatsServer::start().await else { return };
    let output = show(&server.url());
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("no event log") && err(&output).lines().count() == 1, "{output:?}");
    // Whoever creates it may still choose the number of partitions.
    log(server.url()).await;
}

#[tokio::test]
async fn where_no_server_is_one_line_says_so() {
    let Some(server) = NatsServer::start().await else { return };
    server.kill();
    let output = show(&server.url());
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains(&server.url()) && err(&output).lines().count() == 1, "{output:?}");
}

#[tokio::test]
async fn a_password_in_the_url_counts_and_is_not_shown_when_it_is_wrong() {
    let settings = Settings {
        extra: "authorization { users: [{ user: reader, password: right }] }\n".to_owned(),
        ..Settings::default()
    };
    let Some(server) = NatsServer::start_with(&settings).await else { return };
    let with = |password: &str| server.url().replace("://", &format!("://reader:{password}@"));
    log(with("right")).await;
    assert_eq!(show(&with("right")).status.code(), Some(0));
    let output = show(&with("wr0ng"));
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("authorization") && err(&output).lines().count() == 1, "{output:?}");
    assert!(!err(&output).contains("wr0ng"), "{output:?}");
}

/// A `stackwave log tail`, which is ended when it is dropped.
struct Tail {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Tail {
    fn of(mut process: Child) -> Self {
        let printed = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            printed.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).unwrap()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // It has ended, or ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
