//! The words of `stackwave log`, for whoever streams records elsewhere.

use super::{index::Index, line, words::words};
use stackwave_domain::{Entry, Event, RunId};

/// Tells records in words, and knows which run they belong to, as far as it has seen them.
#[derive(Default)]
pub(crate) struct LogNarrator {
    index: Index,
}

impl stackwave_admin::Narrator for LogNarrator {
    fn add(&mut self, entry: &Entry) {
        self.index.add(entry);
    }

    fn summary(&self, entry: &Entry, event: &Event) -> String {
        line::clean(&words(self.index.links(entry.subject.repository()), event))
    }

    fn is_about(&self, entry: &Entry, event: &Event, run: &RunId) -> bool {
        self.index.links(entry.subject.repository()).about(event).runs.contains(run)
    }
}
