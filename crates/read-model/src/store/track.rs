//! How far each stream is in the tables.
//!
//! The live loop begins at some place of a stream, and the catch-up comes to that place from behind. Only when both have
//! met is everything up to the live loop's own place done.

use crate::codec;
use rusqlite::{Connection, params};
use stackwave_domain::{Position, RecordId, StreamId};
use std::collections::BTreeMap;

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) position: Position,
    /// Its name, which tells one log from another; none before the first record, and where nobody knows it.
    pub(crate) record: Option<RecordId>,
}

/// One stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// Everything up to here is in the tables.
    pub(crate) done: Mark,
    /// The live loop takes over after this; none before it is known.
    pub(crate) from: Option<Position>,
    /// The live loop has come up to here.
    to: Mark,
    /// What `done` was when the file was opened.
    began: Position,
}

/// All streams.
#[derive(Debug, Default)]
pub(crate) struct Tracks(BTreeMap<StreamId, Track>);

impl Tracks {
    pub(super) fn read(tables: &Connection) -> rusqlite::Result<Self> {
        let mut statement = tables.prepare("SELECT stream, done, record FROM streams")?;
        let streams = statement.query_map([], |row| {
            let done = Mark {
                position: Position(codec::unsigned(row.get(1)?)),
                record: row.get::<_, Option<String>>(2)?.map(Into::into),
            };
            let began = done.position;
            Ok((codec::stream_of(row.get(0)?), Track { done, began, ..Track::default() }))
        })?;
        Ok(Self(streams.collect::<Result<_, _>>()?))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Track {
        self.0.get(&stream).cloned().unwrap_or_default()
    }

    /// How far every stream is done.
    pub(crate) fn done(&self) -> Vec<(StreamId, Mark)> {
        self.0.iter().map(|(stream, track)| (*stream, track.done.clone())).collect()
    }

    /// The live loop takes over after this position.
    pub(crate) fn begin(&mut self, stream: StreamId, from: Position) {
        let track = self.0.entry(stream).or_default();
        track.from.get_or_insert(from);
    }

    /// The live loop came to this record.
    pub(super) fn lived(&mut self, stream: StreamId, mark: Mark) {
        let track = self.0.entry(stream).or_default();
        if mark.position > track.to.position {
            track.to = mark;
        }
        track.meet();
    }

    /// The catch-up came to this record.
    pub(super) fn caught_up(&mut self, stream: StreamId, mark: Mark) {
        let track = self.0.entry(stream).or_default();
        if mark.position > track.done.position {
            track.done = mark;
        }
        track.meet();
    }
}

impl Track {
    fn meet(&mut self) {
        let met = self.from.is_some_and(|from| self.done.position >= from);
        if met && self.to.position > self.done.position {
            self.done = self.to.clone();
        }
    }

    /// The catch-up has nothing to do any more.
    pub(crate) fn is_met(&self) -> bool {
        self.from.is_some_and(|from| self.done.position >= from)
    }

    /// How many of how many records are read.
    pub(crate) fn progress(&self, last: Position) -> (u64, u64) {
        let goal = self.from.map_or(last, |from| from.max(last)).0.saturating_sub(self.began.0);
        let done = self.done.position.0.saturating_sub(self.began.0);
        (done.min(goal), goal)
    }
}

/// Notes in the tables how far a stream is done.
pub(super) fn write(tables: &Connection, stream: StreamId, done: &Mark) -> rusqlite::Result<()> {
    tables
        .prepare_cached("INSERT OR REPLACE INTO streams (stream, done, record) VALUES (?1, ?2, ?3)")?
        .execute(params![
            codec::stream(stream),
            codec::number(done.position.0),
            done.record.as_ref().map(|record| record.as_str())
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamId = StreamId::Partition(0);

    fn at(position: u64) -> Mark {
        Mark { position: Position(position), record: Some(format!("r{position}").into()) }
    }

    #[test]
    fn what_lives_is_done_once_the_catch_up_has_come_to_it() {
        let mut tracks = Tracks::default();
        tracks.begin(STREAM, Position(10));
        tracks.lived(STREAM, at(12));
        assert_eq!(tracks.get(STREAM).done, Mark::default());
        tracks.caught_up(STREAM, at(9));
        assert_eq!(tracks.get(STREAM).done, at(9));
        assert!(!tracks.get(STREAM).is_met());
        tracks.caught_up(STREAM, at(10));
        assert_eq!(tracks.get(STREAM).done, at(12));
        tracks.lived(STREAM, at(13));
        assert_eq!(tracks.get(STREAM).done, at(13));
    }
}
