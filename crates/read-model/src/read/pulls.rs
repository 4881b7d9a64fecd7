//! Pull requests, the last changed first.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, Key, Keys, Merge, PULLS},
    texts::{PULL_TEXT, Sample},
    walk::{Walk, patience, walk},
};
use crate::{
    codec,
    error::ReadError,
    query::{Page, PageRequest, PullsQuery},
    rows::PullRow,
};
use rusqlite::{OptionalExtension as _, Row};
use stackwave_domain::{PrNumber, RepositoryId};
use std::{cell::RefCell, collections::BTreeSet};

const SELECT: &str = "
SELECT p.repository, p.number, p.title, p.open, p.merged, p.head_sha, p.head_ref, base_ref.text, p.updated, run.id,
       runs.runs
FROM pulls p
LEFT JOIN words base_ref ON base_ref.id = p.base_ref
LEFT JOIN pull_runs runs ON runs.repository = p.repository AND runs.number = p.number
LEFT JOIN runs run ON run.key = runs.latest
WHERE p.id = ?";

impl Reader<'_> {
    pub(crate) fn pulls(
        &self,
        query: &PullsQuery,
        request: &PageRequest,
    ) -> Result<Page<PullRow>, ReadError> {
        let find = |below, count| {
            let text = query.text.to_lowercase();
            let mut all = Merge::new(pull_ranges(query, None, below, count));
            if text.is_empty() {
                return all.take(self.tables, count);
            }
            self.search_pulls(query, &text, all, count)
        };
        self.page(Listing::of("pulls", query), request, find, |key| self.pull(key.1))
    }

    fn pull(&self, id: i64) -> rusqlite::Result<PullRow> {
        self.tables.prepare_cached(SELECT)?.query_row([id], read)
    }

    fn search_pulls(
        &self,
        query: &PullsQuery,
        text: &str,
        mut all: Merge,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let number: Option<i64> = text.trim_start_matches('#').parse().ok();
        let mut told =
            self.tables.prepare_cached("SELECT number, title, head_ref FROM pulls WHERE id = ?")?;
        let sample = RefCell::new(Sample::default());
        let mut contains = |key: Key| {
            told.query_row([key.1], |row| {
                let texts: [Option<String>; 2] = [row.get(1)?, row.get(2)?];
                sample.borrow_mut().add(texts.iter().flatten().map(String::as_str));
                let mut texts = texts.into_iter().flatten();
                Ok(number == Some(row.get(0)?) || texts.any(|it| it.to_lowercase().contains(text)))
            })
        };
        let Walk { mut found, stopped_at } =
            walk(self.tables, &mut all, count, patience(count), &mut contains)?;
        let Some(below) = stopped_at.filter(|_| found.len() < count) else { return Ok(found) };
        let rest = count - found.len();
        let mut more = BTreeSet::new();
        if let Some(number) = number {
            let mut ranges = Merge::new(pull_ranges(query, Some(number), below, rest));
            more.extend(ranges.take(self.tables, rest)?);
        }
        let question = PULL_TEXT.question(self.tables, text, &sample.borrow())?;
        if let Some(question) = question {
            let documents = PULL_TEXT.documents(self.tables, &question, self.at_once)?;
            if documents.len() >= self.at_once {
                // So many hold it that going on is quicker.
                found.extend(walk(self.tables, &mut all, rest, usize::MAX, contains)?.found);
                return Ok(found);
            }
            let mut keys: Vec<Key> = self.pulls_of(query, &documents, below)?;
            keys.sort_unstable_by(|one, other| other.cmp(one));
            keys.dedup();
            let mut fitting = 0;
            for key in keys {
                if fitting >= rest {
                    break;
                }
                if contains(key)? {
                    fitting += 1;
                    more.insert(key);
                }
            }
        }
        found.extend(more.into_iter().rev().take(rest));
        Ok(found)
    }

    /// The pull requests of some documents that fit, below a place.
    fn pulls_of(&self, query: &PullsQuery, documents: &[i64], below: Key) -> rusqlite::Result<Vec<Key>> {
        let mut pull_of = self.tables.prepare_cached(
            "SELECT p.updated, p.id, p.repository, p.open FROM pull_docs d LEFT JOIN pulls p ON p.id = d.pull
             WHERE d.doc = ?",
        )?;
        let mut keys = Vec::with_capacity(documents.len());
        for document in documents {
            let key = pull_of
                .query_row([document], |row| {
                    let repository = RepositoryId(codec::unsigned(row.get(2)?));
                    let fits = query.repository.is_none_or(|it| it == repository)
                        && (!query.open_only || row.get(3)?);
                    Ok(fits.then_some(Key(row.get(0)?, row.get(1)?)))
                })
                .optional()?
                .flatten();
            keys.extend(key.filter(|key| *key < below));
        }
        Ok(keys)
    }
}

pub(super) fn pull_ranges(query: &PullsQuery, number: Option<i64>, below: Key, count: usize) -> Vec<Keys> {
    let opens: &[i64] = if query.open_only { &[1] } else { &[0, 1] };
    let repository = query.repository.map(|repository| codec::number(repository.0));
    let by_repository = |value: i64| -> Condition { ("repository = ?", value.into()) };
    let range = |open: &i64| {
        let open: Condition = ("open = ?", (*open).into());
        let (index, conditions) = match (number, repository) {
            (Some(number), _) => {
                let mut conditions = vec![("number = ?", number.into()), open];
                conditions.extend(repository.map(by_repository));
                ("pulls_number", conditions)
            }
            (None, Some(repository)) => ("pulls_repository", vec![by_repository(repository), open]),
            (None, None) => ("pulls_open", vec![open]),
        };
        Keys::new(PULLS, Some(index), conditions, below).by(count)
    };
    opens.iter().map(range).collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<PullRow> {
    Ok(PullRow {
        repository: RepositoryId(codec::unsigned(row.get(0)?)),
        number: PrNumber(codec::unsigned(row.get(1)?)),
        title: row.get(2)?,
        open: row.get(3)?,
        merged: row.get(4)?,
        head_sha: codec::unpack(row.get_ref(5)?).into(),
        head_ref: row.get::<_, Option<String>>(6)?.map(Into::into),
        base_ref: row.get::<_, Option<String>>(7)?.unwrap_or_default().into(),
        updated_at: codec::time(row.get(8)?),
        latest_run: row.get::<_, Option<String>>(9)?.map(Into::into),
        run_count: row.get::<_, Option<u32>>(10)?.unwrap_or_default(),
    })
}
