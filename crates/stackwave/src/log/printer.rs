//! From a record to its lines.

use super::{Index, Selection, json, line};
use stackwave_domain::Entry;
use stackwave_event_log::EventLog;
use stackwave_runtime::stow;
use std::sync::Arc;

/// Knows what is printed, and how.
pub(super) struct Printer {
    selection: Selection,
    json: bool,
}

impl Printer {
    pub(super) const fn new(selection: Selection, json: bool) -> Self {
        Self { selection, json }
    }

    /// The lines of those events that are wanted, each with its end.
    pub(super) async fn lines(&self, index: &Index, log: &Arc<dyn EventLog>, entry: Entry) -> Vec<String> {
        if !self.selection.admits(&entry) {
            return Vec::new();
        }
        // JSON shows what the log holds, and that is a reference where the content is large.
        let stored = self.json.then(|| entry.record.events.clone());
        let mut entries = [entry];
        if !self.json || self.selection.looks_inside() {
            // A blob that is missing costs a detail of the line, not the line.
            if let Err(error) = stow::hydrate(log, &mut entries).await {
                tracing::warn!(%error, position = %entries[0].position, "a part of a record cannot be read");
            }
        }
        let [entry] = &entries;
        let events = stored.as_ref().unwrap_or(&entry.record.events);
        entry
            .record
            .events
            .iter()
            .zip(events)
            .filter(|(event, _)| self.selection.holds(index, entry, event))
            .map(|(_, event)| {
                if self.json {
                    json::render(index, entry, event)
                } else {
                    line::render(index, entry, event, !self.selection.names_repository())
                }
            })
            .collect()
    }
}
