//! Processes over one JetStream log that can be killed: each has a runtime of its own.

use crate::world::{How, Process};
use stackwave_event_log::EventLog;
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::NatsServer;
use std::{ops::Deref, sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// A server with a log.
pub(crate) struct Nats {
    server: NatsServer,
    partitions: u16,
}

impl Nats {
    /// None when the test is to be skipped.
    pub(crate) async fn start(partitions: u16) -> Option<Self> {
        Some(Self { server: NatsServer::start().await?, partitions })
    }

    fn options(&self) -> NatsOptions {
        NatsOptions {
            partitions: self.partitions,
            partition_bytes: 64 << 20,
            config_bytes: 64 << 20,
            lease_ttl: Duration::from_secs(2),
            ..NatsOptions::new(self.server.url())
        }
    }

    /// Nobody reaches the server any more.
    pub(crate) fn cut(&self) {
        self.server.kill();
    }

    /// It is there again, with what it held.
    pub(crate) async fn mend(&self) {
        self.server.start_again().await;
    }

    /// A connection of the test's own.
    pub(crate) async fn log(&self) -> Arc<dyn EventLog> {
        NatsLog::connect(self.options()).await.unwrap()
    }

    /// A process that can be killed.
    pub(crate) async fn process(&self) -> Killable {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = self.options();
        let process = runtime
            .spawn(async { Process::start(NatsLog::connect(options).await.unwrap(), How::default()).await })
            .await
            .unwrap();
        Killable { process: Some(process), runtime: Some(runtime) }
    }
}

/// A process with all its tasks.
pub(crate) struct Killable {
    process: Option<Process>,
    runtime: Option<Runtime>,
}

impl Killable {
    /// Everything that it does ends at once: nothing is given back, nothing said.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// It drains, as at a signal.
    pub(crate) async fn stop(mut self) {
        let process = self.process.take().unwrap();
        self.runtime.as_ref().unwrap().spawn(process.stop()).await.unwrap();
    }
}

impl Deref for Killable {
    type Target = Process;

    fn deref(&self) -> &Process {
        self.process.as_ref().unwrap()
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
