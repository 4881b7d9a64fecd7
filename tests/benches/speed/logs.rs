//! What a log holds after a run: its size, and how fast it is folded.

use crate::service::LogPlace;
use anyhow::{Result, bail};
use stackwave_domain::{Entry, Position, StreamId, codec};
use stackwave_engine::State;
use stackwave_event_log::MAX_BATCH;
use std::time::{Duration, Instant};

/// A log's records, with their blobs in place.
pub(crate) struct Content {
    entries: Vec<Entry>,
    /// Bytes of JSON: records and blobs.
    pub(crate) bytes: u64,
}

/// How fast a log is folded.
pub(crate) struct FoldSpeed {
    pub(crate) records_per_second: f64,
    pub(crate) events_per_record: f64,
}

impl Content {
    pub(crate) async fn read(place: &LogPlace) -> Result<Self> {
        let log = place.open(false).await?;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut next = Position::START.next();
        loop {
            let mut page = log.read(StreamId::Partition(0), next, MAX_BATCH).await?;
            let Some(last) = page.last() else { break };
            next = last.position.next();
            for entry in &page {
                bytes += codec::encode(&entry.record)?.len() as u64;
                bytes += entry.record.missing_blobs().iter().map(|blob| blob.bytes).sum::<u64>();
            }
            stackwave_runtime::stow::hydrate(&log, &mut page).await?;
            entries.extend(page);
        }
        if entries.is_empty() {
            bail!("the log is empty");
        }
        Ok(Self { entries, bytes })
    }

    /// The same events, each in a record of its own.
    pub(crate) fn one_by_one(&self) -> Self {
        let mut entries = Vec::new();
        for entry in &self.entries {
            for event in &entry.record.events {
                let position = Position(entries.len() as u64 + 1);
                let mut single = Entry { position, ..entry.clone() };
                single.record.events = vec![event.clone()];
                single.record.cause = None;
                entries.push(single);
            }
        }
        Self { entries, bytes: self.bytes }
    }

    /// Folds them from the start, again and again for a second, and takes the fastest time.
    pub(crate) fn fold_speed(&self) -> FoldSpeed {
        let mut best = Duration::MAX;
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            let mut state = State::default();
            let began = Instant::now();
            for entry in &self.entries {
                std::hint::black_box(state.apply(entry));
            }
            best = best.min(began.elapsed());
        }
        let events: usize = self.entries.iter().map(|entry| entry.record.events.len()).sum();
        let (records, events) = (count(self.entries.len()), count(events));
        FoldSpeed { records_per_second: records / best.as_secs_f64(), events_per_record: events / records }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
