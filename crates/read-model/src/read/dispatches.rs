//! Dispatches, the last claimed first.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, DISPATCHES, Key, Keys, Merge},
    words, workflow_run,
};
use crate::{
    codec,
    error::ReadError,
    query::{DispatchesQuery, Page, PageRequest},
    rows::{DispatchRow, DispatchStatus},
    write::{pack_id, unpack_id},
};
use rusqlite::{OptionalExtension as _, Row, types::Value};
use stackwave_domain::{DispatchId, Position, RepositoryId, StackKey, WorkflowFile};

const SELECT: &str = "
SELECT d.id, r.id, p.repository, component.text, stack.text, d.attempt, d.epoch, workflow.text, d.status, d.reason,
       d.workflow_run, workflow.text, d.run_attempt, url.text, d.key, p.stream, d.position
FROM dispatches d
LEFT JOIN runs r ON r.key = d.run
LEFT JOIN places p ON p.id = d.place
LEFT JOIN stacks s ON s.run = d.run AND s.ord = d.ord
LEFT JOIN words component ON component.id = s.component
LEFT JOIN words stack ON stack.id = s.stack
LEFT JOIN words workflow ON workflow.id = d.workflow
LEFT JOIN words url ON url.id = d.url
WHERE ";

impl Reader<'_> {
    pub(crate) fn dispatches(
        &self,
        query: &DispatchesQuery,
        request: &PageRequest,
    ) -> Result<Page<DispatchRow>, ReadError> {
        let find = |below, count| {
            let ranges = self.dispatch_ranges(query, below, count)?;
            Merge::new(ranges).take(self.tables, count)
        };
        self.page(Listing::of("dispatches", query), request, find, |key| self.dispatch(key))
    }

    pub(crate) fn find_dispatch(&self, id: &DispatchId) -> rusqlite::Result<Option<DispatchRow>> {
        self.tables.prepare_cached(&format!("{SELECT} d.id = ?"))?.query_row([pack_id(id)], read).optional()
    }

    fn dispatch(&self, key: Key) -> rusqlite::Result<DispatchRow> {
        self.tables.prepare_cached(&format!("{SELECT} d.key = ?"))?.query_row([key.0], read)
    }

    /// A run, and a workflow run, have few dispatches: what else is asked is looked at in their rows.
    fn dispatch_ranges(
        &self,
        query: &DispatchesQuery,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Keys>> {
        let status = query.status.map(|status| i64::from(codec::dispatch_status_number(status)));
        let places = match query.repository {
            None => None,
            Some(repository) => Some(words::places(self.tables, repository, None)?),
        };
        let range =
            |index: Option<&str>, conditions| Keys::new(DISPATCHES, index, conditions, below).by(count);
        let is = |condition, value: i64| -> Condition { (condition, Value::Integer(value)) };
        let run = match &query.run {
            None => None,
            Some(run) => {
                let key: Option<i64> = self
                    .tables
                    .prepare_cached("SELECT key FROM runs WHERE id = ?")?
                    .query_row([run.as_str()], |row| row.get(0))
                    .optional()?;
                let Some(key) = key else { return Ok(Vec::new()) };
                Some(key)
            }
        };
        let few = match (query.workflow_run, run) {
            (Some(workflow_run), run) => {
                let mut conditions = vec![is("workflow_run = ?", codec::number(workflow_run.0))];
                conditions.extend(run.map(|run| is("run = ?", run)));
                Some(("dispatches_workflow_run", conditions))
            }
            (None, Some(run)) => Some(("dispatches_run", vec![is("run = ?", run)])),
            (None, None) => None,
        };
        if let Some((index, mut conditions)) = few {
            conditions.extend(status.map(|status| is("status = ?", status)));
            let repository = query.repository.map(|repository| codec::number(repository.0));
            let of = "place IN (SELECT id FROM places WHERE repository = ?)";
            conditions.extend(repository.map(|repository| is(of, repository)));
            return Ok(vec![range(Some(index), conditions)]);
        }
        let statuses = codec::DISPATCH_STATUSES.iter().map(|(_, number)| i64::from(*number));
        let statuses = statuses.filter(|number| status.is_none_or(|status| status == *number));
        Ok(match (places, status) {
            (Some(places), _) => statuses
                .flat_map(|status| places.iter().map(move |place| (*place, status)))
                .map(|(place, status)| {
                    range(Some("dispatches_place"), vec![is("place = ?", place), is("status = ?", status)])
                })
                .collect(),
            (None, Some(status)) => vec![range(Some("dispatches_status"), vec![is("status = ?", status)])],
            (None, None) => vec![range(None, Vec::new())],
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<DispatchRow> {
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    Ok(DispatchRow {
        id: unpack_id(row.get_ref(0)?),
        run: text(1)?.into(),
        repository: RepositoryId(codec::unsigned(row.get::<_, Option<i64>>(2)?.unwrap_or_default())),
        key: StackKey::new(text(4)?, text(3)?),
        attempt: row.get(5)?,
        epoch: row.get(6)?,
        workflow: WorkflowFile::from(text(7)?),
        status: codec::dispatch_status_of(row.get(8)?).unwrap_or(DispatchStatus::Sending),
        reason: row.get(9)?,
        workflow_run: workflow_run(row, 10)?,
        claimed_at: codec::time_of_key(row.get(14)?),
        stream: codec::stream_of(row.get::<_, Option<i64>>(15)?.unwrap_or_default()),
        claim: Position(codec::unsigned(row.get(16)?)),
    })
}
