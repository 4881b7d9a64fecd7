//! Pull requests.

use super::{Writer, insert_at, runs::search_text};
use crate::{changes::At, codec, rows::PullRow, schema::Word};
use rusqlite::{OptionalExtension as _, params};

impl Writer<'_> {
    pub(super) fn put_pull(&mut self, change: &At<PullRow>) -> rusqlite::Result<()> {
        let row = &change.row;
        let base_ref = self.word(Word::Ref, row.base_ref.as_str())?;
        let stored: Option<(i64, i64, Option<String>, Option<String>)> = self
            .tables
            .prepare_cached("SELECT id, at, title, head_ref FROM pulls WHERE repository = ? AND number = ?")?
            .query_row([codec::number(row.repository.0), codec::number(row.number.0)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((id, at, title, head_ref)) = stored else {
            let id = self.insert_pull(change, base_ref)?;
            return self.index_pull(id, row);
        };
        if at > codec::number(change.at.0) {
            return Ok(());
        }
        self.tables
            .prepare_cached(
                "UPDATE pulls SET at = ?2, updated = ?3, open = ?4, merged = ?5, head_sha = ?6, base_ref = ?7,
                   head_ref = ?8, title = ?9 WHERE id = ?1",
            )?
            .execute(params![
                id,
                codec::number(change.at.0),
                codec::ms(row.updated_at),
                row.open,
                row.merged,
                codec::pack(row.head_sha.as_str()),
                base_ref,
                row.head_ref.as_ref().map(|head_ref| head_ref.as_str()),
                row.title,
            ])?;
        if title != row.title || head_ref.as_deref() != row.head_ref.as_ref().map(|it| it.as_str()) {
            self.index_pull(id, row)?;
        }
        Ok(())
    }

    fn insert_pull(&self, change: &At<PullRow>, base_ref: i64) -> rusqlite::Result<i64> {
        let row = &change.row;
        let (repository, number) = (codec::number(row.repository.0), codec::number(row.number.0));
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO pulls (id, repository, number, at, updated, open, merged, head_sha, base_ref, head_ref, title)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )?;
        // The same everywhere, so that lists agree where two were changed at one moment.
        let id = codec::hash63(&[&row.repository.to_string(), &row.number.to_string()]) >> 1;
        insert_at(id, |id| {
            let inserted = insert.execute(params![
                id,
                repository,
                number,
                codec::number(change.at.0),
                codec::ms(row.updated_at),
                row.open,
                row.merged,
                codec::pack(row.head_sha.as_str()),
                base_ref,
                row.head_ref.as_ref().map(|head_ref| head_ref.as_str()),
                row.title,
            ])?;
            Ok(inserted > 0)
        })
    }

    /// A text that was changed gets another document; what the older one finds is looked at before it is shown.
    fn index_pull(&self, id: i64, row: &PullRow) -> rusqlite::Result<()> {
        self.tables.prepare_cached("INSERT INTO pull_docs (pull) VALUES (?)")?.execute([id])?;
        let doc = self.tables.last_insert_rowid();
        self.tables
            .prepare_cached("INSERT INTO pull_text (rowid, text) VALUES (?, ?)")?
            .execute(params![doc, search_text(&texts(row))])?;
        Ok(())
    }
}

/// What of a pull request is searched, beside its number.
pub(crate) fn texts(row: &PullRow) -> Vec<&str> {
    let head_ref = row.head_ref.as_ref().map(|head_ref| head_ref.as_str());
    row.title.as_deref().into_iter().chain(head_ref).collect()
}
