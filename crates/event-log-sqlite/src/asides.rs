//! Bodies kept aside, in a table that is swept whenever one is added.

use crate::SqliteLog;
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row};
use stackwave_domain::{Position, Timestamp};
use stackwave_event_log::{Aside, AsideInfo, Asides, LogError, MAX_ASIDE_BYTES};
use std::time::Duration;

/// So many expired bodies go at most with each that is added: more than come, so that a backlog shrinks.
const SWEPT: u32 = 16;
/// The longest list.
const LISTED: usize = 1000;

#[async_trait]
impl Asides for SqliteLog {
    async fn put(&self, aside: Aside, ttl: Duration) -> Result<(), LogError> {
        if aside.bytes.len() > MAX_ASIDE_BYTES {
            return Err(LogError::Setup(format!(
                "the body of {} has {} bytes, more than the {MAX_ASIDE_BYTES} that are kept aside",
                aside.id,
                aside.bytes.len()
            )));
        }
        self.writer().map_err(LogError::Unavailable)?.put_aside(aside, ttl).await
    }

    async fn list(
        &self,
        kind: &str,
        limit: usize,
        before: Option<Position>,
    ) -> Result<Vec<AsideInfo>, LogError> {
        let kind = kind.to_owned();
        let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
        self.read_addition("asides", Vec::new(), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT position, id, at, note, size FROM asides
                 WHERE kind = ?1 AND position < ?2 AND expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
                 ORDER BY position DESC LIMIT ?3",
            )?;
            let rows = statement.query_map((&kind, before, limit.min(LISTED)), |row| {
                Ok(AsideInfo {
                    position: Position(row.get(0)?),
                    kind: kind.clone(),
                    id: row.get(1)?,
                    at: timestamp(row, 2)?,
                    note: row.get(3)?,
                    bytes: row.get(4)?,
                })
            })?;
            rows.collect()
        })
        .await
    }

    async fn get(&self, kind: &str, id: &str) -> Result<Option<Aside>, LogError> {
        let (kind, id) = (kind.to_owned(), id.to_owned());
        self.read_addition("asides", None, move |connection| {
            connection
                .prepare_cached(
                    "SELECT at, note, bytes FROM asides
                     WHERE kind = ?1 AND id = ?2 AND expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
                     ORDER BY position DESC LIMIT 1",
                )?
                .query_row((&kind, &id), |row| {
                    Ok(Aside {
                        kind: kind.clone(),
                        id: id.clone(),
                        at: timestamp(row, 0)?,
                        note: row.get(1)?,
                        bytes: row.get::<_, Vec<u8>>(2).map(Bytes::from)?,
                    })
                })
                .optional()
        })
        .await
    }
}

/// Adds a body, and removes some that have expired at `now`.
pub(crate) fn insert(
    connection: &Connection,
    aside: &Aside,
    ttl: Duration,
    now: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM asides WHERE position IN
                (SELECT position FROM asides WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute((now, SWEPT))?;
    connection
        .prepare_cached(
            "INSERT INTO asides (kind, id, at, note, size, expires_at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%fZ', ?6, '+' || ?7 || ' seconds'), ?8)",
        )?
        .execute((
            &aside.kind,
            &aside.id,
            aside.at.to_string(),
            &aside.note,
            aside.bytes.len(),
            now,
            ttl.as_secs().max(1),
            &aside.bytes[..],
        ))?;
    Ok(())
}

/// A time as it is written here; one that was changed by hand is the earliest.
fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(row.get::<_, String>(column)?.parse().unwrap_or(Timestamp::MIN))
}
