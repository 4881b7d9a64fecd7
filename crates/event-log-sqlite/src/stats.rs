//! The file's figures.

use crate::{Access, SqliteLog, counters::Counters, heads, schema};
use rusqlite::Connection;
use stackwave_domain::Position;
use stackwave_event_log::{EngineStats, LogError, LogStats, StoreStats, StreamStats};
use std::path::{Path, PathBuf};

/// What only the writer knows, or whoever reads everything.
struct Counted {
    counters: Counters,
    synchronous: Option<String>,
}

/// Gathers them. From a file that is open for reading only, what was not stored is counted.
pub(crate) async fn of(log: &SqliteLog) -> Result<LogStats, LogError> {
    let partitions = log.partitions;
    let counted = match &log.access {
        Access::Serve { writer, .. } => {
            writer
                .run(move |worker| {
                    let level =
                        worker.connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
                    Ok(Counted {
                        counters: worker.counters.clone(),
                        synchronous: Some(synchronous(level).to_owned()),
                    })
                })
                .await?
        }
        Access::ReadOnly => {
            let count = move |connection: &Connection| {
                Ok(Counted { counters: Counters::load(connection, partitions)?, synchronous: None })
            };
            log.reader.query(count).await?
        }
    };
    let path = log.reader.path().to_owned();
    log.reader.query(move |connection| gather(connection, &path, partitions, counted)).await
}

fn gather(
    connection: &Connection,
    path: &Path,
    partitions: u16,
    counted: Counted,
) -> rusqlite::Result<LogStats> {
    let mut streams = Vec::new();
    for stream in heads::streams(partitions) {
        let (first, last): (Option<u64>, Option<u64>) = connection
            .prepare_cached(
                "SELECT (SELECT min(position) FROM records WHERE stream = ?1),
                        (SELECT max(position) FROM records WHERE stream = ?1)",
            )?
            .query_row([stream.name()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let total = counted.counters.stream(stream);
        streams.push(StreamStats {
            stream: stream.name(),
            first: first.map(Position),
            last: last.map_or(Position::START, Position),
            records: total.count,
            bytes: total.bytes,
            max_bytes: None,
            subjects: counted.counters.subjects(stream),
        });
    }
    // The configuration comes first.
    streams.rotate_right(1);
    Ok(LogStats {
        engine: engine(connection, path, counted.synchronous)?,
        streams,
        blobs: counted.counters.blobs(),
        snapshots: sum(connection, "snapshots", "bytes")?,
        asides: sum(connection, "asides", "size")?,
        disk_bytes: disk_bytes(path),
        clock: None,
        round_trip_micros: None,
    })
}

fn engine(
    connection: &Connection,
    path: &Path,
    synchronous: Option<String>,
) -> rusqlite::Result<EngineStats> {
    let number = |pragma: &str| -> rusqlite::Result<u64> {
        connection.pragma_query_value(None, pragma, |row| row.get(0))
    };
    Ok(EngineStats::Sqlite {
        version: rusqlite::version().to_owned(),
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        page_size: number("page_size")?,
        free_pages: number("freelist_count")?,
        journal_mode: connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
        synchronous,
    })
}

/// Rows and their size; none in a file that has no such table.
fn sum(connection: &Connection, table: &str, size: &str) -> rusqlite::Result<StoreStats> {
    if !schema::has(connection, table)? {
        return Ok(StoreStats::default());
    }
    connection
        .prepare_cached(&format!("SELECT count(*), coalesce(sum({size}), 0) FROM {table}"))?
        .query_row([], |row| Ok(StoreStats { count: row.get(0)?, bytes: row.get(1)? }))
}

/// The file and those that SQLite has beside it.
fn disk_bytes(path: &Path) -> u64 {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    [path.to_owned(), beside("-wal"), beside("-shm")]
        .iter()
        .filter_map(|file| std::fs::metadata(file).ok())
        .map(|file| file.len())
        .sum()
}

/// The levels of `PRAGMA synchronous`.
fn synchronous(level: u8) -> &'static str {
    match level {
        0 => "off",
        1 => "normal",
        2 => "full",
        _ => "extra",
    }
}
