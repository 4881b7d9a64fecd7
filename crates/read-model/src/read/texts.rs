//! The index of texts: which documents may contain a text. It knows runs of three characters and not their order, so each
//! document that it names is looked at.

use crate::write::ZONE_BITS;
use rusqlite::{Connection, params};

/// So many runs of three characters are asked for, the rarest; the rest of a text is looked at in the rows.
const MAX_TERMS: usize = 4;

/// So many texts tell which runs of three characters are rare.
const MAX_SAMPLE: usize = 250;

/// Some texts of the index, in lower case.
#[derive(Default)]
pub(super) struct Sample(Vec<String>);

impl Sample {
    pub(super) fn add<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        if self.0.len() < MAX_SAMPLE {
            self.0.push(texts.collect::<Vec<_>>().join("\n").to_lowercase());
        }
    }

    fn count(&self, term: &str) -> usize {
        self.0.iter().filter(|text| text.contains(term)).count()
    }
}

/// An index of texts.
#[derive(Clone, Copy)]
pub(super) struct TextIndex {
    table: &'static str,
    terms: &'static str,
}

pub(super) const RUN_TEXT: TextIndex = TextIndex { table: "run_text", terms: "run_terms" };
pub(super) const PULL_TEXT: TextIndex = TextIndex { table: "pull_text", terms: "pull_terms" };

impl TextIndex {
    /// A question for the index; none when no document can hold the text.
    pub(super) fn question(
        self,
        tables: &Connection,
        text: &str,
        sample: &Sample,
    ) -> rusqlite::Result<Option<String>> {
        let chars: Vec<char> = text.chars().collect();
        let quote = |term: String| format!("\"{}\"", term.replace('"', "\"\""));
        if chars.len() >= 3 {
            let mut terms: Vec<String> = chars.windows(3).map(|term| term.iter().collect()).collect();
            terms.sort_by_cached_key(|term| sample.count(term));
            terms.truncate(MAX_TERMS);
            return Ok(Some(terms.into_iter().map(quote).collect::<Vec<_>>().join(" AND ")));
        }
        // Every character begins a run of three, the last ones with what follows each document.
        let sql = format!("SELECT term FROM {} WHERE term >= ?1 AND term < ?2", self.terms);
        let mut statement = tables.prepare_cached(&sql)?;
        let terms = statement.query_map(params![text, format!("{text}\u{10ffff}")], |row| row.get(0))?;
        let terms: Vec<String> = terms.map(|term| term.map(quote)).collect::<Result<_, _>>()?;
        Ok((!terms.is_empty()).then(|| terms.join(" OR ")))
    }

    /// The newest documents that may hold it, at most `limit`.
    pub(super) fn documents(
        self,
        tables: &Connection,
        question: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<i64>> {
        let sql = format!("SELECT rowid FROM {0} WHERE {0} MATCH ? ORDER BY rowid DESC LIMIT ?", self.table);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = tables.prepare_cached(&sql)?;
        let documents = statement.query_map(params![question, limit], |row| row.get(0))?;
        documents.collect()
    }

    /// The documents of one zone that may hold it.
    pub(super) fn documents_in(
        self,
        tables: &Connection,
        question: &str,
        zone: i64,
    ) -> rusqlite::Result<Vec<i64>> {
        let sql = format!("SELECT rowid FROM {0} WHERE {0} MATCH ? AND rowid BETWEEN ? AND ?", self.table);
        let (first, next) = (zone << ZONE_BITS, (zone + 1) << ZONE_BITS);
        let mut statement = tables.prepare_cached(&sql)?;
        let documents = statement.query_map(params![question, first, next - 1], |row| row.get(0))?;
        documents.collect()
    }
}
