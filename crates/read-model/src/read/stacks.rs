//! Stacks of runs, by any combination of filters; all of them, or each stack's newest.
//!
//! `names` has one row for each stack of a repository and points to its newest run. It is indexed like `stacks`, and keys
//! of either table are places of rows of `stacks`.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, Key, Keys, Merge, NAMES, STACKS},
    words, workflow_run,
};
use crate::{
    codec,
    error::ReadError,
    query::{Page, PageRequest, StacksQuery},
    rows::StackRow,
    schema::Word,
    write::MUTATING,
};
use rusqlite::{OptionalExtension as _, Row, params, types::Value};
use stackwave_domain::{RepositoryId, RunId, StackKey};
use stackwave_engine::view::Status;

const SELECT: &str = "
SELECT r.id, p.repository, component.text, stack.text, s.status, s.reason, r.flags, s.attempt, s.released, s.started,
       s.concluded, s.workflow_run, workflow.text, s.run_attempt, url.text
FROM stacks s
LEFT JOIN runs r ON r.key = s.run
LEFT JOIN places p ON p.id = s.place
LEFT JOIN words component ON component.id = s.component
LEFT JOIN words stack ON stack.id = s.stack
LEFT JOIN words workflow ON workflow.id = s.workflow
LEFT JOIN words url ON url.id = s.url
WHERE s.run = ? AND s.ord = ?";

/// The filters of a query, in numbers.
pub(super) struct StackFilter {
    pub(super) repository: Option<RepositoryId>,
    pub(super) places: Option<Vec<i64>>,
    pub(super) component: Option<i64>,
    pub(super) stack: Option<i64>,
    pub(super) status: Option<i64>,
}

/// A stack of a repository: its number, and the place of its newest run, above which it has none.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) id: i64,
    pub(super) latest: Key,
}

impl Reader<'_> {
    pub(crate) fn stacks(
        &self,
        query: &StacksQuery,
        request: &PageRequest,
    ) -> Result<Page<StackRow>, ReadError> {
        let find = |below, count| {
            let Some(filter) = self.stack_filter(query)? else { return Ok(Vec::new()) };
            if let Some(run) = &query.run {
                return self.stacks_of_run(query, &filter, run, below, count);
            }
            let text = query.text.to_lowercase();
            if !text.is_empty() {
                return self.search_stacks(query, &filter, &text, below, count);
            }
            self.stack_ranges(query, &filter, below, count)?.take(self.tables, count)
        };
        self.page(Listing::of("stacks", query), request, find, |key| self.stack(key))
    }

    fn stack(&self, key: Key) -> rusqlite::Result<StackRow> {
        self.tables.prepare_cached(SELECT)?.query_row([key.0, key.1], read)
    }

    /// None when no row can fit.
    pub(super) fn stack_filter(&self, query: &StacksQuery) -> rusqlite::Result<Option<StackFilter>> {
        let word = |kind, text: Option<&str>| match text {
            None => Ok(Some(None)),
            Some(text) => words::find(self.tables, kind, text).map(|word| word.map(Some)),
        };
        let component = word(Word::Component, query.component.as_ref().map(|it| it.as_str()))?;
        let stack = word(Word::Stack, query.stack.as_ref().map(|it| it.as_str()))?;
        let (Some(component), Some(stack)) = (component, stack) else { return Ok(None) };
        let places = match query.repository {
            None => None,
            Some(repository) => Some(words::places(self.tables, repository, None)?),
        };
        Ok(Some(StackFilter {
            repository: query.repository,
            places,
            component,
            stack,
            status: query.status.map(|status| i64::from(codec::status_number(status))),
        }))
    }

    /// The ranges that hold exactly the rows of a query, its run and text apart.
    pub(super) fn stack_ranges(
        &self,
        query: &StacksQuery,
        filter: &StackFilter,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Merge> {
        let table = if query.latest_only { NAMES } else { STACKS };
        let of = |index: Option<&str>, conditions: Vec<Condition>| {
            Keys::new(table, index, conditions, below).by(count)
        };
        let one = |column: &'static str, value: i64| -> Condition { (column, value.into()) };
        let each_status = |index: &str, first: Condition| -> Vec<Keys> {
            let statuses = statuses(filter.status).into_iter();
            statuses.map(|status| of(Some(index), vec![first.clone(), status])).collect()
        };
        let index =
            |stacks: &'static str, names: &'static str| if query.latest_only { names } else { stacks };
        let ranges = match (filter.repository, filter.component, filter.stack) {
            (None, None, None) => match filter.status {
                None if query.latest_only => {
                    let all = statuses(None).into_iter();
                    all.map(|status| of(Some("names_status"), vec![status])).collect()
                }
                None => vec![of(None, Vec::new())],
                Some(status) => {
                    vec![of(Some(index("stacks_status", "names_status")), vec![one("status = ?", status)])]
                }
            },
            (None, Some(component), None) => {
                each_status(index("stacks_component", "names_component"), one("component = ?", component))
            }
            (None, None, Some(stack)) => {
                each_status(index("stacks_stack", "names_stack"), one("stack = ?", stack))
            }
            (Some(repository), None, None) if query.latest_only => {
                each_status("names_repository", one("repository = ?", codec::number(repository.0)))
            }
            (Some(_), None, None) => {
                let places = filter.places.iter().flatten();
                places.flat_map(|place| each_status("stacks_place", one("place = ?", *place))).collect()
            }
            // Two or three of them are few stacks, each with a history of its own.
            (Some(_) | None, _, _) => {
                let named = self.named(filter)?;
                return self.histories(&named, query.latest_only, filter.status, below, count);
            }
        };
        Ok(Merge::new(ranges))
    }

    /// The stacks of repositories that fit, by at least two of repository, component and stack.
    fn named(&self, filter: &StackFilter) -> rusqlite::Result<Vec<Named>> {
        let sql = match (filter.repository, filter.component, filter.stack) {
            (None, _, _) => {
                "SELECT id, run, ord FROM names INDEXED BY names_key
                 WHERE ?1 IS NULL AND component = ?2 AND stack = ?3"
            }
            (Some(_), Some(_), None) => {
                "SELECT id, run, ord FROM names WHERE repository = ?1 AND component = ?2 AND ?3 IS NULL"
            }
            (Some(_), None, _) => {
                "SELECT id, run, ord FROM names WHERE repository = ?1 AND ?2 IS NULL AND stack = ?3"
            }
            (Some(_), Some(_), Some(_)) => {
                "SELECT id, run, ord FROM names WHERE repository = ?1 AND component = ?2 AND stack = ?3"
            }
        };
        let mut statement = self.tables.prepare_cached(sql)?;
        let repository = filter.repository.map(|repository| codec::number(repository.0));
        let named = statement.query_map(params![repository, filter.component, filter.stack], named)?;
        named.collect()
    }

    /// The runs of some stacks, or only the newest of each.
    pub(super) fn histories(
        &self,
        named: &[Named],
        latest_only: bool,
        status: Option<i64>,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Merge> {
        let statuses = statuses(status);
        let ranges = named.iter().filter(|named| latest_only || named.latest.0 != 0).flat_map(|named| {
            statuses.iter().map(move |status| {
                let range = if latest_only {
                    Keys::new(NAMES, None, vec![("id = ?", named.id.into()), status.clone()], below)
                } else {
                    let conditions = vec![("name = ?", named.id.into()), status.clone()];
                    Keys::new(STACKS, Some("stacks_name"), conditions, below)
                };
                (named.latest, range.by(count.min(64)))
            })
        });
        Ok(Merge::bounded(ranges.collect()))
    }

    /// A run has some thousand stacks at most: they are all looked at.
    fn stacks_of_run(
        &self,
        query: &StacksQuery,
        filter: &StackFilter,
        run: &RunId,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let key: Option<i64> = self
            .tables
            .prepare_cached("SELECT key FROM runs WHERE id = ?")?
            .query_row([run.as_str()], |row| row.get(0))
            .optional()?;
        let Some(key) = key else { return Ok(Vec::new()) };
        let mut conditions: Vec<Condition> = vec![("run = ?", key.into())];
        let mut add = |condition, value: Option<i64>| {
            conditions.extend(value.map(|value| (condition, Value::Integer(value))));
        };
        add("component = ?", filter.component);
        add("stack = ?", filter.stack);
        add("status = ?", filter.status);
        add(
            "place IN (SELECT id FROM places WHERE repository = ?)",
            filter.repository.map(|repository| codec::number(repository.0)),
        );
        let newest = "? IN (SELECT 1 FROM names n WHERE n.id = stacks.name AND n.run = stacks.run)";
        add(newest, query.latest_only.then_some(1));
        let mut all = Merge::new(vec![Keys::new(STACKS, None, conditions, below).by(count)]);
        let text = query.text.to_lowercase();
        if text.is_empty() {
            return all.take(self.tables, count);
        }
        let found = self.walk_stacks(&mut all, &text, count, usize::MAX)?;
        Ok(found.found)
    }
}

pub(super) fn statuses(status: Option<i64>) -> Vec<Condition> {
    let all = codec::STATUSES.iter().map(|(_, number)| i64::from(*number));
    let wanted = all.filter(|number| status.is_none_or(|status| status == *number));
    wanted.map(|number| ("status = ?", Value::Integer(number))).collect()
}

pub(super) fn named(row: &Row<'_>) -> rusqlite::Result<Named> {
    Ok(Named { id: row.get(0)?, latest: Key(row.get(1)?, row.get(2)?) })
}

fn read(row: &Row<'_>) -> rusqlite::Result<StackRow> {
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    let time = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(codec::time));
    Ok(StackRow {
        run: text(0)?.into(),
        repository: RepositoryId(codec::unsigned(row.get::<_, Option<i64>>(1)?.unwrap_or_default())),
        key: StackKey::new(text(3)?, text(2)?),
        status: codec::status_of(row.get(4)?).unwrap_or(Status::Waiting),
        reason: row.get(5)?,
        mutating: row.get::<_, Option<i64>>(6)?.unwrap_or_default() & MUTATING != 0,
        attempt: row.get(7)?,
        released_at: time(8)?,
        started_at: time(9)?,
        concluded_at: time(10)?,
        workflow_run: workflow_run(row, 11)?,
    })
}
