//! Runs.

use super::{Writer, insert_at};
use crate::{changes::RunChange, codec, rows::RunRow, schema::Word};
use rusqlite::params;

/// The number of the documents of one zone is 2 to the power of this.
pub(crate) const ZONE_BITS: u32 = 12;

/// Bits of `runs.flags`.
pub(crate) const INFERRED: i64 = 1;
/// See [`INFERRED`].
pub(crate) const MUTATING: i64 = 2;

impl Writer<'_> {
    pub(super) fn put_run(&mut self, change: &RunChange) -> rusqlite::Result<()> {
        let row = &change.row;
        let key = match self.run_key(&row.id)? {
            Some(key) => {
                self.update_run(key, change)?;
                key
            }
            None => self.insert_run(change)?,
        };
        let place = self.place(row.repository, &row.workspace, row.stream)?;
        for (index, stack) in &change.stacks {
            self.put_stack(key, place, *index, stack)?;
        }
        Ok(())
    }

    fn update_run(&self, key: i64, change: &RunChange) -> rusqlite::Result<()> {
        let row = &change.row;
        let (at, status) = (codec::number(change.at.0), i64::from(codec::phase_number(row.status)));
        let changed = self
            .tables
            .prepare_cached(
                "UPDATE runs SET at = ?2, stopped = ?3, reason = ?4, totals = ?5 WHERE key = ?1 AND at <= ?2",
            )?
            .execute(params![
                key,
                at,
                row.stopped_at.map(codec::ms),
                row.reason,
                codec::pack_totals(&row.totals)
            ])?;
        if changed > 0 {
            // Apart, since three indices hang on it.
            self.tables
                .prepare_cached("UPDATE runs SET status = ?2 WHERE key = ?1 AND status <> ?2")?
                .execute([key, status])?;
        }
        Ok(())
    }

    fn insert_run(&mut self, change: &RunChange) -> rusqlite::Result<i64> {
        let row = &change.row;
        let place = self.place(row.repository, &row.workspace, row.stream)?;
        let workspace = self.word(Word::Workspace, row.workspace.as_str())?;
        let event = self.word(Word::Event, &row.trigger.event)?;
        let activity = self.word(Word::Event, &row.trigger.activity)?;
        let git_ref = self.word(Word::Ref, row.git_ref.as_str())?;
        let flags = if row.inferred { INFERRED } else { 0 } | if row.mutating { MUTATING } else { 0 };
        let sha = (row.sha != row.head_sha).then(|| codec::pack(row.sha.as_str()));
        let head_sha = codec::pack(row.head_sha.as_str());
        let totals = codec::pack_totals(&row.totals);
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO runs (key, id, at, place, workspace, status, pull, event, activity, flags, generation,
                               position, stopped, head_sha, sha, git_ref, upload, totals, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        )?;
        let key = codec::key(row.opened_at, row.opened, codec::hash8(row.id.as_str()));
        let key = insert_at(key, |key| {
            let inserted = insert.execute(params![
                key,
                row.id.as_str(),
                codec::number(change.at.0),
                place,
                workspace,
                codec::phase_number(row.status),
                row.pull_request.map(|number| codec::number(number.0)),
                event,
                activity,
                flags,
                row.generation,
                codec::number(row.opened.0),
                row.stopped_at.map(codec::ms),
                head_sha,
                sha,
                git_ref,
                change.upload,
                totals,
                row.reason,
            ])?;
            Ok(inserted > 0)
        })?;
        self.remember_run(&row.id, key);
        self.index_run(key, row)?;
        self.count_run(key, row)?;
        Ok(key)
    }

    fn index_run(&self, key: i64, row: &RunRow) -> rusqlite::Result<()> {
        self.tables.prepare_cached("INSERT INTO run_docs (run) VALUES (?)")?.execute([key])?;
        let doc = self.tables.last_insert_rowid();
        self.tables
            .prepare_cached("INSERT INTO run_text (rowid, text) VALUES (?, ?)")?
            .execute(params![doc, search_text(&texts(row))])?;
        self.tables
            .prepare_cached(
                "INSERT INTO run_zones (zone, newest) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET newest = max(newest, excluded.newest)",
            )?
            .execute([doc >> ZONE_BITS, key])?;
        Ok(())
    }

    fn count_run(&self, key: i64, row: &RunRow) -> rusqlite::Result<()> {
        let Some(number) = row.pull_request else { return Ok(()) };
        self.tables
            .prepare_cached(
                "INSERT INTO pull_runs (repository, number, runs, latest) VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT DO UPDATE SET runs = runs + 1, latest = max(latest, excluded.latest)",
            )?
            .execute([codec::number(row.repository.0), codec::number(number.0), key])?;
        Ok(())
    }
}

/// What of a run is searched, beside its repository's name.
pub(crate) fn texts(row: &RunRow) -> Vec<&str> {
    let mut texts = vec![row.id.as_str(), row.head_sha.as_str()];
    if row.sha != row.head_sha {
        texts.push(row.sha.as_str());
    }
    texts.push(row.git_ref.as_str());
    texts.extend(row.head_ref.as_ref().map(|head_ref| head_ref.as_str()));
    texts
}

/// Texts as one document. The index knows runs of three characters, so a short text that ends the document is found only
/// if something follows it.
pub(crate) fn search_text(texts: &[&str]) -> String {
    let mut text = texts.join("\n").to_lowercase();
    text.push_str("\n\n");
    text
}
