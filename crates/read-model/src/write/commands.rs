//! Commands.

use super::{Writer, insert_at};
use crate::{changes::At, codec, rows::CommandRow, schema::Word};
use rusqlite::{OptionalExtension as _, params};

impl Writer<'_> {
    pub(super) fn put_command(&mut self, change: &At<CommandRow>) -> rusqlite::Result<()> {
        let row = &change.row;
        let at = codec::number(change.at.0);
        let status = codec::command_status_number(row.status);
        let stored: Option<(i64, i64)> = self
            .tables
            .prepare_cached("SELECT key, at FROM commands WHERE id = ?")?
            .query_row([row.id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((key, stored)) = stored {
            if stored <= at {
                self.tables
                    .prepare_cached("UPDATE commands SET at = ?2, status = ?3, outcome = ?4 WHERE key = ?1")?
                    .execute(params![key, at, status, row.outcome])?;
            }
            return Ok(());
        }
        let kind = self.word(Word::Event, &row.kind)?;
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO commands (key, id, at, stream, position, repository, kind, status, actor, run, component,
                                   stack, dispatch, reason, outcome)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        )?;
        let key = codec::key(row.at, row.record, codec::hash8(row.id.as_str()));
        insert_at(key, |key| {
            let inserted = insert.execute(params![
                key,
                row.id.as_str(),
                at,
                codec::stream(row.stream),
                codec::number(row.record.0),
                codec::number(row.repository.0),
                kind,
                status,
                row.actor,
                row.run.as_ref().map(|run| run.as_str()),
                row.key.as_ref().map(|key| key.component.as_str()),
                row.key.as_ref().map(|key| key.stack.as_str()),
                row.dispatch.as_ref().map(|dispatch| dispatch.as_str()),
                row.reason,
                row.outcome,
            ])?;
            Ok(inserted > 0)
        })?;
        Ok(())
    }
}
