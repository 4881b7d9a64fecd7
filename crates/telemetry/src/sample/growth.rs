//! What the log takes, and by how much it grows for each stack.

use crate::metrics::{Metrics, clamped};
use stackwave_domain::{Position, StreamId};
use stackwave_event_log::LogStats;
use std::collections::BTreeMap;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Growth {
    /// The bytes at the first look.
    first: Option<u64>,
    /// The newest snapshots, and since when they are.
    snapshots: BTreeMap<StreamId, (Position, Instant)>,
}

impl Growth {
    pub(super) fn look_at_snapshot(&mut self, stream: StreamId, newest: Position, metrics: &Metrics) {
        let now = Instant::now();
        let known = self.snapshots.entry(stream).or_insert((newest, now));
        if known.0 != newest {
            *known = (newest, now);
        }
        let labels = vec![("partition", stream.to_string())];
        metrics.snapshot_position.get_or_create(&labels).set(clamped(newest.0));
        metrics.snapshot_age.get_or_create(&labels).set((now - known.1).as_secs_f64());
    }

    pub(super) fn look(&mut self, stats: &LogStats, metrics: &Metrics) {
        let mut all = stats.blobs.bytes;
        for stream in &stats.streams {
            let labels = vec![("stream", stream.stream.clone())];
            all += stream.bytes;
            metrics.log_bytes.get_or_create(&labels).set(clamped(stream.bytes));
            metrics.log_records.get_or_create(&labels).set(clamped(stream.records));
            metrics.log_position.get_or_create(&labels).set(clamped(stream.last.0));
            metrics.log_limit.get_or_create(&labels).set(clamped(stream.max_bytes.unwrap_or(0)));
        }
        for (store, stats) in
            [("blobs", stats.blobs), ("snapshots", stats.snapshots), ("asides", stats.asides)]
        {
            metrics.log_stores.get_or_create(&vec![("store", store.to_owned())]).set(clamped(stats.bytes));
        }
        metrics.log_disk.get_or_create(&Vec::new()).set(clamped(stats.disk_bytes));
        // A purge makes it smaller: then growth is counted anew.
        let first = self.first.filter(|first| *first <= all).unwrap_or(all);
        self.first = Some(first);
        let stacks = metrics.stacks_planned.get_or_create(&Vec::new()).get();
        if stacks > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a mean of bytes")]
            let mean = (all - first) as f64 / stacks as f64;
            metrics.log_per_stack.get_or_create(&Vec::new()).set(mean);
        }
    }
}
