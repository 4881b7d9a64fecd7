//! Snapshots of folds, in pieces, so that appends get their turn between two of them.

use crate::SqliteLog;
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _};
use stackwave_domain::{Digest, Position, StreamId};
use stackwave_event_log::{LogError, SnapshotKey, Snapshots, StoredSnapshot, superseded};

/// The size of a piece: some milliseconds of the writer's time.
const CHUNK_BYTES: usize = 1024 * 1024;

#[async_trait]
impl Snapshots for SqliteLog {
    async fn put(&self, key: SnapshotKey, position: Position, bytes: Bytes) -> Result<(), LogError> {
        self.check_stream(key.stream).map_err(LogError::Setup)?;
        let writer = self.writer().map_err(LogError::Unavailable)?;
        let digest = crate::digest_of(bytes.clone()).await;
        let size = bytes.len();
        let id = writer
            .run(move |worker| {
                worker.connection.execute(
                    "INSERT INTO snapshots (stream, engine, position, digest, bytes, whole)
                     VALUES (?1, ?2, ?3, ?4, ?5, FALSE)",
                    (key.stream.name(), key.engine, position.0, digest.as_str(), size),
                )?;
                Ok(worker.connection.last_insert_rowid())
            })
            .await?;
        for (number, start) in (0..size).step_by(CHUNK_BYTES).enumerate() {
            let chunk = bytes.slice(start..size.min(start + CHUNK_BYTES));
            writer
                .run(move |worker| {
                    // Another put of this key that ended meanwhile has removed the snapshot; then its pieces are not kept.
                    worker
                        .connection
                        .prepare_cached(
                            "INSERT INTO snapshot_chunks SELECT id, ?2, ?3 FROM snapshots WHERE id = ?1",
                        )?
                        .execute((id, number, &chunk[..]))
                })
                .await?;
        }
        writer.run(move |worker| complete(&mut worker.connection, key, position, id)).await
    }

    async fn load(&self, key: SnapshotKey) -> Result<Option<(Position, Bytes)>, LogError> {
        self.check_stream(key.stream).map_err(LogError::Setup)?;
        for older in 0_u32.. {
            let found = self.read_addition("snapshots", None, move |connection| read(connection, key, older));
            let Some((position, digest, bytes)) = found.await? else { break };
            let bytes = Bytes::from(bytes);
            if crate::digest_of(bytes.clone()).await == digest {
                return Ok(Some((position, bytes)));
            }
            tracing::warn!(
                stream = %key.stream, engine = key.engine, %position, bytes = bytes.len(),
                "a snapshot is not what was stored; it is passed over"
            );
        }
        Ok(None)
    }

    async fn list(&self, stream: StreamId) -> Result<Vec<StoredSnapshot>, LogError> {
        self.check_stream(stream).map_err(LogError::Setup)?;
        self.read_addition("snapshots", Vec::new(), move |connection| stored(connection, stream)).await
    }
}

/// Makes a snapshot visible and removes what it supersedes.
fn complete(
    connection: &mut Connection,
    key: SnapshotKey,
    position: Position,
    id: i64,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let stream = key.stream.name();
    transaction.execute("UPDATE snapshots SET whole = TRUE WHERE id = ?1", [id])?;
    // What was broken off, and what stood here before.
    transaction.execute(
        "DELETE FROM snapshots
         WHERE stream = ?1 AND id < ?3 AND (NOT whole OR engine = ?2 AND position = ?4)",
        (&stream, key.engine, id, position.0),
    )?;
    for old in superseded(&stored(&transaction, key.stream)?, key.engine) {
        transaction.execute(
            "DELETE FROM snapshots WHERE stream = ?1 AND engine = ?2 AND position = ?3 AND id <> ?4",
            (&stream, old.engine, old.position.0, id),
        )?;
    }
    transaction
        .execute("DELETE FROM snapshot_chunks WHERE snapshot NOT IN (SELECT id FROM snapshots)", [])?;
    transaction.commit()
}

fn stored(connection: &Connection, stream: StreamId) -> rusqlite::Result<Vec<StoredSnapshot>> {
    let mut statement =
        connection.prepare_cached("SELECT engine, position FROM snapshots WHERE stream = ?1 AND whole")?;
    let rows = statement.query_map([stream.name()], |row| {
        Ok(StoredSnapshot { engine: row.get(0)?, position: Position(row.get(1)?) })
    })?;
    rows.collect()
}

/// The newest snapshot but `older`, as it is.
fn read(
    connection: &Connection,
    key: SnapshotKey,
    older: u32,
) -> rusqlite::Result<Option<(Position, Digest, Vec<u8>)>> {
    // One view of the file: a put may remove a snapshot at any time.
    let view = connection.unchecked_transaction()?;
    let found = view
        .prepare_cached(
            "SELECT id, position, digest FROM snapshots
             WHERE stream = ?1 AND engine = ?2 AND whole ORDER BY position DESC, id DESC LIMIT 1 OFFSET ?3",
        )?
        .query_row((key.stream.name(), key.engine, older), |row| {
            Ok((row.get::<_, i64>(0)?, Position(row.get(1)?), row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((id, position, digest)) = found else { return Ok(None) };
    let mut chunks =
        view.prepare_cached("SELECT bytes FROM snapshot_chunks WHERE snapshot = ?1 ORDER BY number")?;
    let mut rows = chunks.query([id])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.extend_from_slice(row.get_ref(0)?.as_bytes().unwrap_or_default());
    }
    Ok(Some((position, Digest::from_hex(&digest), bytes)))
}
