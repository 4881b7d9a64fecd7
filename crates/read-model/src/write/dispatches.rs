//! Dispatches.

use super::{Writer, insert_at, stacks};
use crate::{changes::DispatchChange, codec, schema::Word};
use rusqlite::{OptionalExtension as _, params, types::Value};
use stackwave_domain::DispatchId;

/// How every id of ours begins; what follows is hex.
const PREFIX: &str = "swd_";

/// An id of ours becomes bytes; any other stays as it is.
pub(crate) fn pack_id(id: &DispatchId) -> Value {
    match id.as_str().strip_prefix(PREFIX).map(codec::pack) {
        Some(bytes @ Value::Blob(_)) => bytes,
        Some(_) | None => Value::Text(id.as_str().to_owned()),
    }
}

/// The id of [`pack_id`].
pub(crate) fn unpack_id(value: rusqlite::types::ValueRef<'_>) -> DispatchId {
    let text = codec::unpack(value);
    match value.data_type() {
        rusqlite::types::Type::Blob => DispatchId::new(format!("{PREFIX}{text}")),
        _ => DispatchId::new(text),
    }
}

impl Writer<'_> {
    pub(super) fn put_dispatch(&mut self, change: &DispatchChange) -> rusqlite::Result<()> {
        let row = &change.row;
        let Some(run) = self.run_key(&row.run)? else { return Ok(()) };
        let id = pack_id(&row.id);
        let at = codec::number(change.at.0);
        let stored: Option<(i64, i64)> = self
            .tables
            .prepare_cached("SELECT key, at FROM dispatches WHERE id = ?")?
            .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if stored.is_some_and(|(_, stored)| stored > at) {
            return Ok(());
        }
        let status = codec::dispatch_status_number(row.status);
        let workflow_run = row.workflow_run.as_ref();
        let url = match workflow_run {
            Some(workflow_run) => self.url(workflow_run.html_url.as_deref(), workflow_run.id.0)?,
            None => None,
        };
        let run_id = workflow_run.map(|run| codec::number(run.id.0));
        let run_attempt = workflow_run.map(|run| run.attempt);
        if let Some((key, _)) = stored {
            self.tables
                .prepare_cached(
                    "UPDATE dispatches SET at = ?2, epoch = ?3, status = ?4, workflow_run = ?5, run_attempt = ?6,
                       url = ?7, reason = ?8 WHERE key = ?1",
                )?
                .execute(params![key, at, row.epoch, status, run_id, run_attempt, url, row.reason])?;
            return Ok(());
        }
        let place: i64 = self
            .tables
            .prepare_cached("SELECT place FROM runs WHERE key = ?")?
            .query_row([run], |row| row.get(0))?;
        let workflow = self.word(Word::Workflow, row.workflow.as_str())?;
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO dispatches (key, id, at, run, ord, place, attempt, epoch, status, position, workflow,
                                     workflow_run, run_attempt, url, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        )?;
        let key = codec::key(row.claimed_at, row.claim, codec::hash8(row.id.as_str()));
        insert_at(key, |key| {
            let inserted = insert.execute(params![
                key,
                id,
                at,
                run,
                stacks::ord(change.stack),
                place,
                row.attempt,
                row.epoch,
                status,
                codec::number(row.claim.0),
                workflow,
                run_id,
                run_attempt,
                url,
                row.reason,
            ])?;
            Ok(inserted > 0)
        })?;
        Ok(())
    }
}
