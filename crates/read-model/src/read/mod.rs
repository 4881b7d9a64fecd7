//! Answers out of the tables. Each list first finds the places of a page's rows by indices alone, then reads those rows.

mod commands;
mod cursor;
mod deliveries;
mod dispatches;
mod keys;
mod pulls;
mod run_search;
mod runs;
mod stack_search;
mod stacks;
mod texts;
mod uploads;
mod walk;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use self::run_search::AT_ONCE;

use self::{cursor::Listing, keys::Key};
use crate::{
    error::ReadError,
    query::{Page, PageRequest},
    rows::WorkflowRunRow,
};
use rusqlite::{Connection, Row};
use stackwave_domain::{RepositoryId, WorkflowRunId};
use stackwave_runtime::ConfigView;
use std::collections::HashSet;

/// One connection, and what the configuration knows.
pub(crate) struct Reader<'a> {
    pub(crate) tables: &'a Connection,
    pub(crate) names: &'a dyn RepositoryNames,
    /// So many documents of the index of texts are looked at, all at once.
    pub(crate) at_once: usize,
}

/// Names of repositories change, and stand in the configuration only.
pub(crate) trait RepositoryNames: Send + Sync {
    /// Repositories whose `owner/name` contains a text, in lower case.
    fn containing(&self, text: &str) -> HashSet<RepositoryId>;
}

impl RepositoryNames for ConfigView {
    fn containing(&self, text: &str) -> HashSet<RepositoryId> {
        self.read(|config| {
            let named = config.repositories().filter(|repository| repository.name.key().contains(text));
            named.map(|repository| repository.id).collect()
        })
    }
}

impl Reader<'_> {
    /// One page: `find` gives so many places from below a place on, `read` the row of one.
    fn page<T>(
        &self,
        listing: Listing,
        request: &PageRequest,
        find: impl FnOnce(Key, usize) -> rusqlite::Result<Vec<Key>>,
        mut read: impl FnMut(Key) -> rusqlite::Result<T>,
    ) -> Result<Page<T>, ReadError> {
        let size = request.size.max(1);
        let below = listing.read(&request.token)?;
        let mut keys = find(below, size + 1)?;
        let goes_on = keys.len() > size;
        keys.truncate(size);
        let next = keys.last().filter(|_| goes_on).map(|last| listing.token(*last));
        let rows = keys.into_iter().map(&mut read).collect::<Result<_, _>>()?;
        Ok(Page { rows, next })
    }
}

/// A workflow run out of four columns in a row: its id, its file, its attempt, its page.
fn workflow_run(row: &Row<'_>, from: usize) -> rusqlite::Result<Option<WorkflowRunRow>> {
    let Some(id) = row.get::<_, Option<i64>>(from)? else { return Ok(None) };
    let id = WorkflowRunId(crate::codec::unsigned(id));
    let html_url: Option<String> = row.get(from + 3)?;
    Ok(Some(WorkflowRunRow {
        id,
        workflow: row.get::<_, Option<String>>(from + 1)?.unwrap_or_default().into(),
        attempt: row.get::<_, Option<u32>>(from + 2)?.unwrap_or(1),
        // A page that ends in the run's number lies without it.
        html_url: html_url.map(|url| if url.ends_with('/') { format!("{url}{id}") } else { url }),
    }))
}
