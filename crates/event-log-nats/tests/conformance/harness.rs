//! One server that syncs every write, to be stopped, killed and cut off.

use async_trait::async_trait;
use futures::StreamExt as _;
use stackwave_domain::{Position, Receipt, Subject};
use stackwave_event_log::{
    Append, AppendError, EventLog, SnapshotKey,
    conformance::{Harness, PARTITIONS, RemoteHarness, crash_append},
};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_testkit::nats::{Direction, NatsServer, Proxy};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The server is killed after so many acknowledged appends.
const ACKNOWLEDGED: usize = 500;

pub(crate) struct NatsHarness {
    server: NatsServer,
}

impl NatsHarness {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self { server: NatsServer::start().await? })
    }

    async fn connect(&self, url: String) -> Arc<NatsLog> {
        let options = NatsOptions {
            partitions: PARTITIONS,
            partition_bytes: 256 * 1024 * 1024,
            aside_bytes: 64 * 1024 * 1024,
            lease_ttl: Duration::from_secs(1),
            ..NatsOptions::new(url)
        };
        NatsLog::connect(options).await.unwrap()
    }
}

#[async_trait]
impl Harness for NatsHarness {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.connect(self.server.url()).await
    }

    async fn restart(&self) {
        self.server.stop().await;
        self.server.start_again().await;
    }

    async fn crash(&self) -> Vec<Receipt> {
        let log = self.connect(self.server.url()).await;
        let (receipts, killed) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let still_up = futures::stream::iter(0..).take_while(|_| {
            let up = !killed.load(Ordering::Relaxed);
            async move { up }
        });
        still_up
            .for_each_concurrent(32, async |number| {
                let Ok(appended) = log.append(crash_append(number)).await else { return };
                let mut receipts = receipts.lock().unwrap();
                receipts.push(appended.receipt);
                if receipts.len() == ACKNOWLEDGED {
                    self.server.kill();
                    killed.store(true, Ordering::Relaxed);
                }
            })
            .await;
        self.server.start_again().await;
        receipts.into_inner().unwrap()
    }

    async fn plant(&self, subject: &Subject, body: &[u8]) {
        self.open().await;
        let client = async_nats::connect(self.server.url()).await.unwrap();
        let jetstream = async_nats::jetstream::new(client);
        jetstream.publish(subject.as_str().to_owned(), body.to_vec().into()).await.unwrap().await.unwrap();
    }

    /// One loses its pieces, the other gets others.
    async fn damage_snapshot(&self, key: SnapshotKey, position: Position) {
        let client = async_nats::connect(self.server.url()).await.unwrap();
        let jetstream = async_nats::jetstream::new(client);
        let bucket = jetstream.get_object_store("SW_SNAPSHOTS").await.unwrap();
        let info = bucket.info(format!("{}/{}/{position}", key.stream, key.engine)).await.unwrap();
        let pieces = format!("$O.SW_SNAPSHOTS.C.{}", info.nuid);
        let stream = jetstream.get_stream("OBJ_SW_SNAPSHOTS").await.unwrap();
        assert_eq!(stream.purge().filter(&pieces).await.unwrap().purged, 1);
        if position.0.is_multiple_of(20) {
            jetstream.publish(pieces, "other".into()).await.unwrap().await.unwrap();
        }
    }
}

#[async_trait]
impl RemoteHarness for NatsHarness {
    async fn append_losing_answer(&self, append: Append) -> AppendError {
        let proxy = Proxy::before(self.server.port()).await;
        let log = self.connect(format!("nats://{}", proxy.address())).await;
        proxy.cut_before(Direction::ToClient, "\"seq\":");
        let error = log.append(append).await.unwrap_err();
        assert!(!proxy.is_armed(), "the answer should have come by");
        error
    }
}
