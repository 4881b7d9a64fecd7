//! Removing what is no longer needed, a little at a time, so that appends get their turn.

mod blobs;
mod purge;
mod vacuum;

use crate::{SqliteLog, writer::Writer};
use async_trait::async_trait;
use stackwave_domain::{Digest, Position, StreamId, Timestamp};
use stackwave_event_log::{BlobInfo, Freed, KeepLast, LogError, LogStats, Upkeep};
use std::sync::Arc;

/// So many blobs are removed at once: a blob may be large.
const BLOBS_AT_ONCE: usize = 64;

#[async_trait]
impl Upkeep for SqliteLog {
    async fn purge(
        &self,
        stream: StreamId,
        through: Position,
        keep_last: KeepLast,
    ) -> Result<Freed, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        let writer = self.writer().map_err(LogError::Unavailable)?;
        let mut freed = Freed::default();
        let mut next = Some(Position::START);
        while let Some(after) = next {
            let step = writer.run(move |worker| purge::step(worker, stream, after, through, keep_last));
            let (more, then) = step.await?;
            freed += more;
            next = then;
        }
        shrink(writer).await?;
        Ok(freed)
    }

    async fn list_blobs(&self) -> Result<Vec<BlobInfo>, LogError> {
        self.reader.query(blobs::list).await
    }

    async fn delete_blobs(&self, digests: &[Digest], stored_before: Timestamp) -> Result<Freed, LogError> {
        let writer = self.writer().map_err(LogError::Unavailable)?;
        let mut freed = Freed::default();
        for some in digests.chunks(BLOBS_AT_ONCE) {
            let some: Arc<[Digest]> = some.into();
            freed += writer.run(move |worker| blobs::delete(worker, &some, stored_before)).await?;
        }
        shrink(writer).await?;
        Ok(freed)
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        crate::stats::of(self).await
    }
}

/// Gives free pages back to the file system.
async fn shrink(writer: &Writer) -> Result<(), LogError> {
    while writer.run(|worker| vacuum::step(&worker.connection)).await? == vacuum::More::Yes {}
    Ok(())
}
