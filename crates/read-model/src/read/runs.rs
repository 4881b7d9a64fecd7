//! Runs, by any combination of filters.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, Key, Keys, Merge, RUNS},
    words,
};
use crate::{
    codec,
    error::ReadError,
    query::{Page, PageRequest, RunsQuery},
    rows::RunRow,
    schema::Word,
    write::{INFERRED, MUTATING},
};
use rusqlite::{OptionalExtension as _, Row, types::Value};
use stackwave_domain::{Position, PrNumber, RepositoryId, RunId, event::Trigger};
use stackwave_engine::view::RunPhase;

const SELECT: &str = "
SELECT r.id, r.key, r.status, r.pull, r.flags, r.generation, r.position, r.stopped, r.head_sha, r.sha, r.totals,
       r.reason, p.repository, p.stream, workspace.text, event.text, activity.text, git_ref.text, pull.head_ref
FROM runs r
LEFT JOIN places p ON p.id = r.place
LEFT JOIN words workspace ON workspace.id = r.workspace
LEFT JOIN words event ON event.id = r.event
LEFT JOIN words activity ON activity.id = r.activity
LEFT JOIN words git_ref ON git_ref.id = r.git_ref
LEFT JOIN pulls pull ON pull.repository = p.repository AND pull.number = r.pull
WHERE ";

impl Reader<'_> {
    pub(crate) fn runs(&self, query: &RunsQuery, request: &PageRequest) -> Result<Page<RunRow>, ReadError> {
        let find = |below: Key, count| {
            let below =
                query.opened_before.map_or(below, |before| below.min(Key(codec::first_key_at(before), 0)));
            let text = query.text.to_lowercase();
            if text.is_empty() {
                return Merge::new(self.run_ranges(query, below, count)?).take(self.tables, count);
            }
            self.search_runs(query, &text, below, count)
        };
        self.page(Listing::of("runs", query), request, find, |key| self.run(key))
    }

    pub(crate) fn find_run(&self, id: &RunId) -> rusqlite::Result<Option<RunRow>> {
        self.tables.prepare_cached(&format!("{SELECT} r.id = ?"))?.query_row([id.as_str()], read).optional()
    }

    pub(super) fn run(&self, key: Key) -> rusqlite::Result<RunRow> {
        self.tables.prepare_cached(&format!("{SELECT} r.key = ?"))?.query_row([key.0], read)
    }

    /// The ranges that hold exactly the runs of a query, its text apart.
    pub(super) fn run_ranges(
        &self,
        query: &RunsQuery,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Keys>> {
        let place = |place: i64| -> Condition { ("place = ?", place.into()) };
        let statuses = statuses(query.status);
        let mut ranges: Vec<(Option<&str>, Vec<Condition>)> = Vec::new();
        match (query.pull_request, query.repository) {
            (Some(number), _) => {
                let pull = Value::Integer(codec::number(number.0));
                for (at, status) in self.places_of_pull(query, number)? {
                    let status = ("status = ?", status.into());
                    ranges.push((Some("runs_pull"), vec![("pull = ?", pull.clone()), place(at), status]));
                }
            }
            (None, Some(repository)) => {
                for at in words::places(self.tables, repository, query.workspace.as_ref())? {
                    let one = |status| (Some("runs_place"), vec![place(at), status]);
                    ranges.extend(statuses.iter().cloned().map(one));
                }
            }
            (None, None) => match (&query.workspace, query.status) {
                (Some(workspace), _) => {
                    let word = words::find(self.tables, Word::Workspace, workspace.as_str())?;
                    let one = |(word, status): (i64, Condition)| {
                        (Some("runs_workspace"), vec![("workspace = ?", word.into()), status])
                    };
                    ranges
                        .extend(word.into_iter().flat_map(|word| {
                            statuses.iter().cloned().map(move |status| one((word, status)))
                        }));
                }
                (None, Some(_)) => {
                    ranges.extend(statuses.into_iter().map(|status| (Some("runs_status"), vec![status])));
                }
                (None, None) => ranges.push((None, Vec::new())),
            },
        }
        let after = query.opened_after.map(|after| ("key >= ?", codec::first_key_at(after).into()));
        let range = |(index, mut conditions): (Option<&str>, Vec<Condition>)| {
            conditions.extend(after.clone());
            Keys::new(RUNS, index, conditions, below).by(count)
        };
        Ok(ranges.into_iter().map(range).collect())
    }

    /// The places and statuses of a pull request's runs: by skipping from one to the next in the index.
    fn places_of_pull(&self, query: &RunsQuery, number: PrNumber) -> rusqlite::Result<Vec<(i64, i64)>> {
        let number = codec::number(number.0);
        let wanted = match query.repository {
            Some(repository) => Some(words::places(self.tables, repository, query.workspace.as_ref())?),
            None => None,
        };
        let workspace = match &query.workspace {
            Some(workspace) => words::find(self.tables, Word::Workspace, workspace.as_str())?.or(Some(-1)),
            None => None,
        };
        let status = query.status.map(|status| i64::from(codec::phase_number(status)));
        let mut next = self.tables.prepare_cached(
            "SELECT place, status FROM runs INDEXED BY runs_pull
             WHERE pull = ? AND (place, status) > (?, ?) ORDER BY place, status LIMIT 1",
        )?;
        let mut is_of = self.tables.prepare_cached("SELECT workspace = ? FROM places WHERE id = ?")?;
        let (mut found, mut last) = (Vec::new(), (i64::MIN, 0));
        while let Some((place, of)) =
            next.query_row([number, last.0, last.1], |row| Ok((row.get(0)?, row.get(1)?))).optional()?
        {
            last = (place, of);
            let fits = wanted.as_ref().is_none_or(|places| places.contains(&place))
                && status.is_none_or(|status| status == of)
                && match workspace {
                    Some(workspace) => is_of.query_row([workspace, place], |row| row.get(0))?,
                    None => true,
                };
            if fits {
                found.push((place, of));
            }
        }
        Ok(found)
    }
}

fn statuses(status: Option<RunPhase>) -> Vec<Condition> {
    let wanted = codec::PHASES.iter().filter(|(phase, _)| status.is_none_or(|status| status == *phase));
    wanted.map(|(_, number)| ("status = ?", Value::Integer(i64::from(*number)))).collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    let flags: i64 = row.get(4)?;
    let head_sha = codec::unpack(row.get_ref(8)?);
    let sha = codec::unpack(row.get_ref(9)?);
    Ok(RunRow {
        id: text(0)?.into(),
        opened_at: codec::time_of_key(row.get(1)?),
        status: codec::phase_of(row.get(2)?).unwrap_or(RunPhase::Running),
        pull_request: row.get::<_, Option<i64>>(3)?.map(|number| PrNumber(codec::unsigned(number))),
        inferred: flags & INFERRED != 0,
        mutating: flags & MUTATING != 0,
        generation: row.get(5)?,
        opened: Position(codec::unsigned(row.get(6)?)),
        stopped_at: row.get::<_, Option<i64>>(7)?.map(codec::time),
        sha: if sha.is_empty() { head_sha.as_str().into() } else { sha.into() },
        head_sha: head_sha.into(),
        totals: codec::unpack_totals(row.get_ref(10)?.as_blob().unwrap_or_default()),
        reason: row.get(11)?,
        repository: RepositoryId(codec::unsigned(row.get::<_, Option<i64>>(12)?.unwrap_or_default())),
        stream: codec::stream_of(row.get::<_, Option<i64>>(13)?.unwrap_or_default()),
        workspace: text(14)?.into(),
        trigger: Trigger { event: text(15)?, activity: text(16)? },
        git_ref: text(17)?.into(),
        head_ref: row.get::<_, Option<String>>(18)?.map(Into::into),
    })
}
