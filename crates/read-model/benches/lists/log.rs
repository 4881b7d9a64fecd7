//! That history as an event log which can only be read.

use crate::history::{History, STREAM};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use stackwave_domain::{
    Digest, Entry, Position, Record, RecordId, RepositoryId, RepositoryName, StreamId, Subject, Timestamp,
    WorkspaceId, event::RepositoryRegistered,
};
use stackwave_event_log::{
    Append, AppendError, Appended, Entries, EventLog, Filter, Leases, LocalLeases, LogError, RawRecord,
};

pub(crate) struct MadeUp {
    pub(crate) history: History,
    pub(crate) leases: LocalLeases,
}

impl MadeUp {
    /// Every repository with its name.
    fn config(&self) -> Vec<Entry> {
        let registered = |number: u64| RepositoryRegistered {
            repository: RepositoryId(1_000_000 + number),
            name: RepositoryName::new("acme", format!("infra-{number}")),
            default_branch: "main".into(),
            installation: None,
            workspace: WorkspaceId::default_workspace(),
        };
        let record = |number: u64| {
            let id = RecordId::new(format!("c{number}"));
            Record::new(id, Timestamp::UNIX_EPOCH, "bench", vec![registered(number).into()])
        };
        let entry = |number: u64| Entry {
            position: Position(number + 1),
            subject: Subject::config("repository", &number.to_string()),
            record: record(number),
        };
        (0..crate::history::REPOSITORIES).map(entry).collect()
    }
}

fn nothing<T>() -> Result<T, LogError> {
    Err(LogError::Unavailable("the benchmark has no such thing".to_owned()))
}

#[async_trait]
impl EventLog for MadeUp {
    async fn append(&self, _: Append) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable("the benchmark appends nothing".to_owned()))
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        match stream {
            StreamId::Config => {
                Ok(self.config().into_iter().filter(|entry| entry.position >= from).take(limit).collect())
            }
            StreamId::Partition(_) => Ok(self.history.read(from, limit)),
        }
    }

    async fn read_of(&self, _: StreamId, _: &Filter, _: Position, _: usize) -> Result<Vec<Entry>, LogError> {
        nothing()
    }

    async fn read_raw(&self, _: StreamId, _: Position, _: usize) -> Result<Vec<RawRecord>, LogError> {
        nothing()
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        let there = self.read(stream, from, usize::MAX).await?;
        let there = futures::stream::iter((!there.is_empty()).then_some(Ok(there)));
        Ok(there.chain(futures::stream::pending()).boxed())
    }

    async fn last(&self, _: &Subject) -> Result<Option<Entry>, LogError> {
        nothing()
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        Ok(if stream == STREAM { self.history.last() } else { Position(crate::history::REPOSITORIES) })
    }

    async fn first_position(&self, _: StreamId) -> Result<Option<Position>, LogError> {
        Ok(Some(Position(1)))
    }

    async fn put_blob(&self, _: Bytes) -> Result<Digest, LogError> {
        nothing()
    }

    async fn get_blob(&self, _: &Digest) -> Result<Option<Bytes>, LogError> {
        Ok(None)
    }

    fn partitions(&self) -> u16 {
        1
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn leases(&self) -> &dyn Leases {
        &self.leases
    }
}
