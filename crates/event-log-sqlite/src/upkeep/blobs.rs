//! Lists and removes blobs.

use crate::{schema, writer::Worker};
use rusqlite::{Connection, OptionalExtension as _};
use stackwave_domain::{Digest, Timestamp};
use stackwave_event_log::{BlobInfo, Freed};

/// All of them. Their sizes are read without their content.
pub(super) fn list(connection: &Connection) -> rusqlite::Result<Vec<BlobInfo>> {
    let sql = if schema::has(connection, "blob_times")? {
        "SELECT digest, length(bytes), stored_at FROM blobs LEFT JOIN blob_times USING (digest) WHERE digest <> ''"
    } else {
        "SELECT digest, length(bytes), NULL FROM blobs WHERE digest <> ''"
    };
    let mut statement = connection.prepare(sql)?;
    let blobs = statement.query_map([], |row| {
        Ok(BlobInfo {
            digest: Digest::from_hex(&row.get::<_, String>(0)?),
            bytes: row.get(1)?,
            stored_at: row.get::<_, Option<String>>(2)?.and_then(|time| time.parse().ok()),
        })
    })?;
    blobs.collect()
}

/// Removes those that were not stored again since.
pub(super) fn delete(
    worker: &mut Worker,
    digests: &[Digest],
    stored_before: Timestamp,
) -> rusqlite::Result<Freed> {
    let transaction = worker.connection.transaction()?;
    let mut freed = Freed::default();
    {
        // Both times are of one form, so that their texts compare as they do.
        let before = format!("{stored_before:.3}");
        let mut find = transaction.prepare_cached(
            "SELECT length(bytes) FROM blobs LEFT JOIN blob_times USING (digest)
             WHERE digest = ?1 AND coalesce(stored_at < ?2, TRUE)",
        )?;
        let mut remove = transaction.prepare_cached("DELETE FROM blobs WHERE digest = ?1")?;
        let mut forget = transaction.prepare_cached("DELETE FROM blob_times WHERE digest = ?1")?;
        for digest in digests {
            let found = find.query_row((digest.as_str(), &before), |row| row.get(0)).optional()?;
            let Some(bytes) = found else { continue };
            remove.execute([digest.as_str()])?;
            forget.execute([digest.as_str()])?;
            freed += Freed { count: 1, bytes };
        }
    }
    let mut counters = worker.counters.without_blobs(freed);
    counters.save(&transaction)?;
    if let Err(error) = transaction.commit() {
        // Nobody knows whether it went.
        worker.recover();
        return Err(error);
    }
    worker.counters = counters;
    Ok(freed)
}
