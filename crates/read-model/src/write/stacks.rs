//! Stacks of runs, and for each stack of a repository its newest run.

use super::Writer;
use crate::{changes::At, codec, rows::StackRow, schema::Word};
use rusqlite::{OptionalExtension as _, params};

/// The place of a stack in its run's list: the list goes down.
pub(crate) fn ord(index: usize) -> i64 {
    -i64::try_from(index).unwrap_or(i64::MAX)
}

impl Writer<'_> {
    pub(super) fn put_stack(
        &mut self,
        run: i64,
        place: i64,
        index: usize,
        change: &At<StackRow>,
    ) -> rusqlite::Result<()> {
        let row = &change.row;
        let (ord, at) = (ord(index), codec::number(change.at.0));
        let status = i64::from(codec::status_number(row.status));
        let stored: Option<(i64, i64)> = self
            .tables
            .prepare_cached("SELECT at, status FROM stacks WHERE run = ? AND ord = ?")?
            .query_row([run, ord], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if stored.is_some_and(|(stored, _)| stored > at) {
            return Ok(());
        }
        let name = self.name(row.repository, &row.key, run, ord, status)?;
        let workflow_run = row.workflow_run.as_ref();
        let workflow =
            self.maybe_word(Word::Workflow, workflow_run.map(|workflow_run| workflow_run.workflow.as_str()))?;
        let url = match workflow_run {
            Some(workflow_run) => self.url(workflow_run.html_url.as_deref(), workflow_run.id.0)?,
            None => None,
        };
        let sql = match stored {
            None => {
                "INSERT INTO stacks (run, ord, at, attempt, released, started, concluded, workflow_run, workflow,
                                     run_attempt, url, reason, name, place, component, stack, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
            }
            Some((_, stored)) if stored == status => {
                "UPDATE stacks SET at = ?3, attempt = ?4, released = ?5, started = ?6, concluded = ?7,
                   workflow_run = ?8, workflow = ?9, run_attempt = ?10, url = ?11, reason = ?12
                 WHERE run = ?1 AND ord = ?2 AND ?13 + ?14 + ?15 + ?16 + ?17 IS NOT NULL"
            }
            Some(_) => {
                "UPDATE stacks SET at = ?3, attempt = ?4, released = ?5, started = ?6, concluded = ?7,
                   workflow_run = ?8, workflow = ?9, run_attempt = ?10, url = ?11, reason = ?12, status = ?17
                 WHERE run = ?1 AND ord = ?2 AND ?13 + ?14 + ?15 + ?16 IS NOT NULL"
            }
        };
        self.tables.prepare_cached(sql)?.execute(params![
            run,
            ord,
            at,
            row.attempt,
            row.released_at.map(codec::ms),
            row.started_at.map(codec::ms),
            row.concluded_at.map(codec::ms),
            workflow_run.map(|run| codec::number(run.id.0)),
            workflow,
            workflow_run.map(|run| run.attempt),
            url,
            row.reason,
            name.id,
            place,
            name.component,
            name.stack,
            status,
        ])?;
        // The newest run of a stack is the one of the greatest key, whichever is told first.
        self.tables
            .prepare_cached(
                "UPDATE names SET run = ?2, ord = ?3, status = ?4
                 WHERE id = ?1 AND (run < ?2 OR (run = ?2 AND (ord <> ?3 OR status <> ?4)))",
            )?
            .execute([name.id, run, ord, status])?;
        Ok(())
    }
}
