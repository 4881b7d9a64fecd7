//! Runs by a text that is somewhere in them.

use super::{
    Reader,
    keys::{Key, Merge},
    texts::{RUN_TEXT, Sample},
    walk::{Walk, patience, walk},
};
use crate::{codec, query::RunsQuery};
use rusqlite::OptionalExtension as _;
use stackwave_domain::RepositoryId;
use std::collections::{BTreeSet, HashSet};

/// A list that filters have made as short as this is looked at to its end.
const SHORT: usize = 3_000;

/// So many documents may be looked at, all at once; more are taken zone by zone, the newest first.
pub(crate) const AT_ONCE: usize = 10_000;

const SELECT: &str = "
SELECT r.id, r.head_sha, r.sha, git_ref.text, pull.head_ref, p.repository, p.workspace, r.status, r.pull
FROM runs r
LEFT JOIN places p ON p.id = r.place
LEFT JOIN words git_ref ON git_ref.id = r.git_ref
LEFT JOIN pulls pull ON pull.repository = p.repository AND pull.number = r.pull
WHERE r.key = ?";

/// What of a run is compared with a query.
struct Told {
    texts: [String; 5],
    repository: RepositoryId,
    workspace: i64,
    status: i64,
    pull: Option<i64>,
}

impl Told {
    fn contains(&self, text: &str, repositories: &HashSet<RepositoryId>) -> bool {
        repositories.contains(&self.repository)
            || self.texts.iter().any(|it| it.to_lowercase().contains(text))
    }
}

impl Reader<'_> {
    /// The newest runs below a place that contain a text.
    pub(super) fn search_runs(
        &self,
        query: &RunsQuery,
        text: &str,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let repositories = self.names.containing(text);
        let mut all = Merge::new(self.run_ranges(query, below, count)?);
        let mut sample = Sample::default();
        let Walk { mut found, stopped_at } = walk(self.tables, &mut all, count, patience(count), |key| {
            let Some(told) = self.told(key)? else { return Ok(false) };
            sample.add(told.texts.iter().map(String::as_str));
            Ok(told.contains(text, &repositories))
        })?;
        let Some(stopped_at) = stopped_at.filter(|_| found.len() < count) else { return Ok(found) };
        if is_filtered(query) {
            let rest = all.take(self.tables, SHORT)?;
            if rest.len() < SHORT {
                for key in rest {
                    if found.len() < count
                        && self.told(key)?.is_some_and(|it| it.contains(text, &repositories))
                    {
                        found.push(key);
                    }
                }
                return Ok(found);
            }
        }
        let rest = count - found.len();
        let mut more = BTreeSet::new();
        if query.repository.is_none() {
            more.extend(self.runs_of_repositories(query, &repositories, stopped_at, rest)?);
        }
        if let Some(question) = RUN_TEXT.question(self.tables, text, &sample)? {
            more.extend(self.runs_by_index(query, &question, text, stopped_at, rest)?);
        }
        found.extend(more.into_iter().rev().take(rest));
        Ok(found)
    }

    /// Runs of repositories whose name it is.
    fn runs_of_repositories(
        &self,
        query: &RunsQuery,
        repositories: &HashSet<RepositoryId>,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let mut ranges = Vec::new();
        for repository in repositories {
            let query = RunsQuery { repository: Some(*repository), text: String::new(), ..query.clone() };
            ranges.extend(self.run_ranges(&query, below, count)?);
        }
        Merge::new(ranges).take(self.tables, count)
    }

    /// Runs in which it is.
    fn runs_by_index(
        &self,
        query: &RunsQuery,
        question: &str,
        text: &str,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let filter = self.filter(query, below)?;
        let documents = RUN_TEXT.documents(self.tables, question, self.at_once)?;
        if documents.len() < self.at_once {
            return self.newest_of(&documents, &filter, text, count);
        }
        let mut found = BTreeSet::new();
        for (zone, newest) in self.zones()? {
            let enough = found.len() >= count && found.first().is_some_and(|last: &Key| newest < last.0);
            if enough {
                break;
            }
            if newest < filter.after {
                break;
            }
            let documents = RUN_TEXT.documents_in(self.tables, question, zone)?;
            found.extend(self.newest_of(&documents, &filter, text, count)?);
            while found.len() > count {
                found.pop_first();
            }
        }
        Ok(found.into_iter().rev().collect())
    }

    /// The newest runs of some documents that hold the text and fit.
    fn newest_of(
        &self,
        documents: &[i64],
        filter: &Filter,
        text: &str,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let mut run_of = self.tables.prepare_cached("SELECT run FROM run_docs WHERE doc = ?")?;
        let mut keys = Vec::with_capacity(documents.len());
        for document in documents {
            let key: Option<i64> = run_of.query_row([document], |row| row.get(0)).optional()?;
            keys.extend(key.filter(|key| *key < filter.below && *key >= filter.after));
        }
        keys.sort_unstable_by(|one, other| other.cmp(one));
        // What lies in the row itself sorts most of them out, before what hangs on it is read.
        let mut own = self.tables.prepare_cached("SELECT status, pull FROM runs WHERE key = ?")?;
        let mut found = Vec::new();
        for key in keys {
            if found.len() >= count {
                break;
            }
            let (status, pull): (i64, Option<i64>) =
                own.query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if filter.status.is_some_and(|it| it != status) || filter.pull.is_some_and(|it| Some(it) != pull)
            {
                continue;
            }
            let key = Key(key, 0);
            let Some(told) = self.told(key)? else { continue };
            if filter.lets_pass(&told) && told.contains(text, &HashSet::new()) {
                found.push(key);
            }
        }
        Ok(found)
    }

    /// Zones of documents with their newest run, the newest first.
    fn zones(&self) -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut statement =
            self.tables.prepare_cached("SELECT zone, newest FROM run_zones ORDER BY newest DESC")?;
        let zones = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        zones.collect()
    }

    fn told(&self, key: Key) -> rusqlite::Result<Option<Told>> {
        let mut statement = self.tables.prepare_cached(SELECT)?;
        let told = statement.query_row([key.0], |row| {
            let text = |column| row.get_ref(column).map(codec::unpack);
            let repository: Option<i64> = row.get(5)?;
            Ok(Told {
                texts: [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?],
                repository: RepositoryId(repository.map_or(0, codec::unsigned)),
                workspace: row.get::<_, Option<i64>>(6)?.unwrap_or_default(),
                status: row.get(7)?,
                pull: row.get(8)?,
            })
        });
        told.optional()
    }

    fn filter(&self, query: &RunsQuery, below: Key) -> rusqlite::Result<Filter> {
        let workspace = match &query.workspace {
            None => None,
            // A word that no row has is the number that no row has.
            Some(workspace) => {
                let word =
                    super::words::find(self.tables, crate::schema::Word::Workspace, workspace.as_str())?;
                Some(word.unwrap_or(-1))
            }
        };
        Ok(Filter {
            below: below.0,
            after: query.opened_after.map_or(i64::MIN, codec::first_key_at),
            repository: query.repository,
            workspace,
            status: query.status.map(|status| i64::from(codec::phase_number(status))),
            pull: query.pull_request.map(|number| codec::number(number.0)),
        })
    }
}

/// Whether a query has filters beside its text.
fn is_filtered(query: &RunsQuery) -> bool {
    RunsQuery { text: String::new(), ..query.clone() } != RunsQuery::default()
}

/// The filters of a query, in numbers.
struct Filter {
    below: i64,
    after: i64,
    repository: Option<RepositoryId>,
    workspace: Option<i64>,
    status: Option<i64>,
    pull: Option<i64>,
}

impl Filter {
    fn lets_pass(&self, told: &Told) -> bool {
        self.repository.is_none_or(|repository| repository == told.repository)
            && self.workspace.is_none_or(|workspace| workspace == told.workspace)
            && self.status.is_none_or(|status| status == told.status)
            && self.pull.is_none_or(|pull| Some(pull) == told.pull)
    }
}
