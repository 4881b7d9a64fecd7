//! Operations on the whole log.

use crate::{NatsLog, purge, stats};
use async_trait::async_trait;
use stackwave_domain::{Digest, Position, StreamId, Timestamp};
use stackwave_event_log::{BlobInfo, Freed, KeepLast, LogError, LogStats, Upkeep};

#[async_trait]
impl Upkeep for NatsLog {
    async fn purge(
        &self,
        stream: StreamId,
        through: Position,
        keep_last: KeepLast,
    ) -> Result<Freed, LogError> {
        purge::purge(self, stream, through, keep_last).await
    }

    async fn list_blobs(&self) -> Result<Vec<BlobInfo>, LogError> {
        self.blobs.list().await
    }

    async fn delete_blobs(&self, digests: &[Digest], stored_before: Timestamp) -> Result<Freed, LogError> {
        self.check_writable().map_err(LogError::Unavailable)?;
        self.blobs.delete(digests, stored_before).await
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        stats::of(self).await
    }
}
