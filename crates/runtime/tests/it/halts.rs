//! A repository on which a process does not act any more.

use crate::world::{How, Process, REPOSITORY, STREAM, Sqlite, register};
use stackwave_domain::{Record, RecordId, Subject, record::SCHEMA_VERSION};
use stackwave_event_log::{Append, EventLog as _};
use stackwave_runtime::{Clock as _, SystemClock};
use std::{
    io,
    sync::{Arc, Mutex},
};

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn about_halts(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("is halted")).map(str::to_owned).collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_repository_that_is_halted_is_told_in_one_line_with_its_name_and_what_to_do() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The process runs in tasks of this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let sqlite = Sqlite::new();
    let log = sqlite.open();
    register(log.as_ref(), REPOSITORY).await;
    let process = Process::start(log.clone(), How::default()).await;
    process.catch_up().await;
    for id in ["newer-1", "newer-2"] {
        let mut record = Record::new(RecordId::new(id), SystemClock::default().now(), "test", Vec::new());
        record.v = SCHEMA_VERSION + 1;
        log.append(Append::any(Subject::github(STREAM, REPOSITORY, "ping"), record)).await.unwrap();
    }
    process.catch_up().await;
    let lines = lines.about_halts();
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    for part in ["ERROR", &format!("acme/infra-{REPOSITORY}"), "position=1", "schema version", "upgrade"] {
        assert!(line.contains(part), "{line}");
    }
}
