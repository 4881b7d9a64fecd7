//! What a log has that keeps nothing but records and blobs.

use crate::{
    Aside, AsideInfo, Asides, BlobInfo, Freed, KeepLast, LogError, LogStats, SnapshotKey, Snapshots,
    StoredSnapshot, Upkeep,
};
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Digest, Position, StreamId, Timestamp};
use std::time::Duration;

/// No place for caches and bodies: they are dropped, as they may be at any time. No upkeep: it is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Absent;

fn refused() -> LogError {
    LogError::Setup("this event log has no upkeep".to_owned())
}

#[async_trait]
impl Snapshots for Absent {
    async fn put(&self, _: SnapshotKey, _: Position, _: Bytes) -> Result<(), LogError> {
        Ok(())
    }

    async fn load(&self, _: SnapshotKey) -> Result<Option<(Position, Bytes)>, LogError> {
        Ok(None)
    }

    async fn list(&self, _: StreamId) -> Result<Vec<StoredSnapshot>, LogError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Asides for Absent {
    async fn put(&self, _: Aside, _: Duration) -> Result<(), LogError> {
        Ok(())
    }

    async fn list(&self, _: &str, _: usize, _: Option<Position>) -> Result<Vec<AsideInfo>, LogError> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &str, _: &str) -> Result<Option<Aside>, LogError> {
        Ok(None)
    }
}

#[async_trait]
impl Upkeep for Absent {
    async fn purge(&self, _: StreamId, _: Position, _: KeepLast) -> Result<Freed, LogError> {
        Err(refused())
    }

    async fn list_blobs(&self) -> Result<Vec<BlobInfo>, LogError> {
        Err(refused())
    }

    async fn delete_blobs(&self, _: &[Digest], _: Timestamp) -> Result<Freed, LogError> {
        Err(refused())
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        Err(refused())
    }
}
