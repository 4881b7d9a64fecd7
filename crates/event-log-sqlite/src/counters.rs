//! How much the streams and the blobs hold, without reading them.
//!
//! The writer counts along in memory. Now and then, and whenever something is removed, it stores what it has counted and
//! up to where; at the start what lies after that is counted.

use crate::{heads, schema};
use rusqlite::{Connection, OptionalExtension as _};
use stackwave_domain::StreamId;
use stackwave_event_log::{Freed, StoreStats};
use std::collections::BTreeMap;

/// So many additions are not stored at most: what a start after a kill counts.
const UNSAVED: u64 = 10_000;
/// The blobs' name among the counters.
const BLOBS: &str = "blobs";
/// What a stream's name has after it where its subjects are counted.
const SUBJECTS: &str = " subjects";

fn of_subjects(stream: StreamId) -> String {
    format!("{}{SUBJECTS}", stream.name())
}

/// Counts by the stream's name, and those of the blobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    counts: BTreeMap<String, StoreStats>,
    unsaved: u64,
}

impl Counters {
    /// Reads what is stored and counts the rest.
    pub(crate) fn load(connection: &Connection, partitions: u16) -> rusqlite::Result<Self> {
        let mut this = Self::default();
        for stream in heads::streams(partitions) {
            let name = stream.name();
            let (through, stored) = stored(connection, &name)?;
            // `octet_length` reads no content.
            let more = connection
                .prepare_cached(
                    "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM records
                     WHERE stream = ?1 AND position > ?2",
                )?
                .query_row((&name, through), |row| Ok((row.get(0)?, row.get(1)?)))?;
            this.note(name, stored, more);
        }
        this.load_subjects(connection, partitions)?;
        let (through, stored) = stored(connection, BLOBS)?;
        let more = connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM blobs WHERE rowid > ?1 AND digest <> ''",
            )?
            .query_row([through], |row| Ok((row.get(0)?, row.get(1)?)))?;
        this.note(BLOBS.to_owned(), stored, more);
        Ok(this)
    }

    fn load_subjects(&mut self, connection: &Connection, partitions: u16) -> rusqlite::Result<()> {
        let mut all = None;
        for stream in heads::streams(partitions) {
            let name = of_subjects(stream);
            let (through, stored) = stored(connection, &name)?;
            let more = if through > 0 {
                heads::count_subjects_after(connection, stream, through)?
            } else {
                // Nothing was stored: of an old file, each subject is looked at once.
                let all = match &mut all {
                    Some(all) => all,
                    None => all.insert(heads::count_subjects(connection)?),
                };
                all.get(&stream).copied().unwrap_or_default()
            };
            self.note(name, stored, (more, 0));
        }
        Ok(())
    }

    fn note(&mut self, name: String, stored: StoreStats, (count, bytes): (u64, u64)) {
        self.unsaved += count;
        let total = StoreStats { count: stored.count + count, bytes: stored.bytes + bytes };
        self.counts.insert(name, total);
    }

    pub(crate) fn stream(&self, stream: StreamId) -> StoreStats {
        self.counts.get(&stream.name()).copied().unwrap_or_default()
    }

    pub(crate) fn blobs(&self) -> StoreStats {
        self.counts.get(BLOBS).copied().unwrap_or_default()
    }

    /// How many subjects a stream has.
    pub(crate) fn subjects(&self, stream: StreamId) -> u64 {
        self.counts.get(&of_subjects(stream)).map_or(0, |total| total.count)
    }

    /// A record was committed; `is_first` when it is its subject's first.
    pub(crate) fn add_record(&mut self, stream: StreamId, bytes: usize, is_first: bool) {
        self.add(&stream.name(), bytes);
        if is_first {
            self.add(&of_subjects(stream), 0);
        }
    }

    /// A blob was committed.
    pub(crate) fn add_blob(&mut self, bytes: usize) {
        self.add(BLOBS, bytes);
    }

    fn add(&mut self, name: &str, bytes: usize) {
        let total = self.counts.entry(name.to_owned()).or_default();
        total.count += 1;
        total.bytes += u64::try_from(bytes).unwrap_or(0);
        self.unsaved += 1;
    }

    /// These counts without the records that are removed, with which so many subjects go.
    pub(crate) fn without_records(&self, stream: StreamId, freed: Freed, subjects: u64) -> Self {
        let less = self.without(&stream.name(), freed);
        less.without(&of_subjects(stream), Freed { count: subjects, bytes: 0 })
    }

    /// These counts without the blobs that are removed.
    pub(crate) fn without_blobs(&self, freed: Freed) -> Self {
        self.without(BLOBS, freed)
    }

    fn without(&self, name: &str, freed: Freed) -> Self {
        let mut less = self.clone();
        let total = less.counts.entry(name.to_owned()).or_default();
        total.count = total.count.saturating_sub(freed.count);
        total.bytes = total.bytes.saturating_sub(freed.bytes);
        less
    }

    /// Whether it is time to store them.
    pub(crate) fn are_due(&self) -> bool {
        self.unsaved >= UNSAVED
    }

    /// Stores the counts, which are those of everything that the connection sees.
    pub(crate) fn save(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (name, total) in &self.counts {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO counters VALUES (?1, CASE ?1
                        WHEN 'blobs' THEN (SELECT coalesce(max(rowid), 0) FROM blobs)
                        ELSE (SELECT coalesce(max(position), 0) FROM records WHERE stream = ?4)
                     END, ?2, ?3)",
                )?
                .execute((name, total.count, total.bytes, name.strip_suffix(SUBJECTS).unwrap_or(name)))?;
        }
        self.unsaved = 0;
        Ok(())
    }
}

fn stored(connection: &Connection, name: &str) -> rusqlite::Result<(u64, StoreStats)> {
    if !schema::has(connection, "counters")? {
        return Ok((0, StoreStats::default()));
    }
    let found = connection
        .prepare_cached("SELECT through, count, bytes FROM counters WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, StoreStats { count: row.get(1)?, bytes: row.get(2)? })))
        .optional()?;
    Ok(found.unwrap_or_default())
}
