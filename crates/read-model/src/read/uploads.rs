//! Uploads, newest first.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, Key, Keys, Merge, UPLOADS},
    walk::{Walk, patience, walk},
    words,
};
use crate::{
    codec,
    error::ReadError,
    query::{Page, PageRequest, UploadsQuery},
    rows::UploadRow,
};
use rusqlite::{Row, params, types::Value};
use stackwave_domain::{Digest, Position, RepositoryId, RunId};

const SELECT: &str = "
SELECT p.repository, workspace.text, credential.text, u.head_sha, u.base_sha, u.digest, u.received, u.stacks, u.chunk,
       u.chunks, client.text, p.stream, u.position, coalesce(b.whole, u.whole)
FROM uploads u
LEFT JOIN places p ON p.id = u.place
LEFT JOIN words workspace ON workspace.id = p.workspace
LEFT JOIN words credential ON credential.id = u.credential
LEFT JOIN words client ON client.id = u.client
LEFT JOIN batches b ON b.batch = u.batch
WHERE u.key = ?";

impl Reader<'_> {
    pub(crate) fn uploads(
        &self,
        query: &UploadsQuery,
        request: &PageRequest,
    ) -> Result<Page<UploadRow>, ReadError> {
        let find = |below, count| {
            let places = match query.repository {
                None => None,
                Some(repository) => Some(words::places(self.tables, repository, None)?),
            };
            let mut all = Merge::new(upload_ranges(places.as_deref(), below, count));
            if query.head_sha.is_empty() {
                return all.take(self.tables, count);
            }
            self.search_uploads(&query.head_sha.to_lowercase(), places.as_deref(), all, count)
        };
        self.page(Listing::of("uploads", query), request, find, |key| self.upload(key))
    }

    /// Uploads of commits that begin with something.
    fn search_uploads(
        &self,
        prefix: &str,
        places: Option<&[i64]>,
        mut all: Merge,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let mut sha = self.tables.prepare_cached("SELECT head_sha FROM uploads WHERE key = ?")?;
        let Walk { mut found, stopped_at } = walk(self.tables, &mut all, count, patience(count), |key| {
            let sha = sha.query_row([key.0], |row| row.get_ref(0).map(codec::unpack))?;
            Ok(sha.to_lowercase().starts_with(prefix))
        })?;
        let Some(below) = stopped_at.filter(|_| found.len() < count) else { return Ok(found) };
        // Without a repository the index alone tells everything.
        let place = if places.is_some() { "place" } else { "0" };
        let mut statement = self.tables.prepare_cached(&format!(
            "SELECT key, {place} FROM uploads INDEXED BY uploads_sha
             WHERE head_sha >= ? AND head_sha < ? AND key < ?"
        ))?;
        let mut keys = Vec::new();
        for (from, to) in spans(prefix) {
            let mut rows = statement.query(params![from, to, below.0])?;
            while let Some(row) = rows.next()? {
                let place = row.get(1)?;
                if places.is_none_or(|places| places.contains(&place)) {
                    keys.push(Key(row.get(0)?, 0));
                }
            }
        }
        keys.sort_unstable_by(|one, other| other.cmp(one));
        found.extend(keys.into_iter().take(count - found.len()));
        Ok(found)
    }

    fn upload(&self, key: Key) -> rusqlite::Result<UploadRow> {
        let mut statement = self.tables.prepare_cached(SELECT)?;
        let (mut row, whole) =
            statement.query_row([key.0], |row| Ok((read(row)?, row.get::<_, i64>(13)?)))?;
        row.runs = self.runs_of_upload(&row, whole)?;
        Ok(row)
    }

    /// The runs that were opened with it: those with its graph, opened after it and before it was received again.
    fn runs_of_upload(&self, row: &UploadRow, whole: i64) -> rusqlite::Result<Vec<RunId>> {
        let (position, stream) = (codec::number(row.record.0), codec::stream(row.stream));
        let again: Option<i64> = match row.chunk {
            Some(_) => None,
            None => self
                .tables
                .prepare_cached(
                    "SELECT min(position) FROM uploads INDEXED BY uploads_whole
                     WHERE whole = ? AND position > ? AND stream = ?",
                )?
                .query_row([whole, position, stream], |row| row.get(0))?,
        };
        let mut statement = self.tables.prepare_cached(
            "SELECT r.id FROM runs r INDEXED BY runs_upload LEFT JOIN places p ON p.id = r.place
             WHERE r.upload = ?1 AND p.repository = ?2 AND (?5 OR r.position > ?3) AND r.position < ?4
             ORDER BY r.position, r.key",
        )?;
        let runs = statement.query_map(
            params![
                whole,
                codec::number(row.repository.0),
                position,
                again.unwrap_or(i64::MAX),
                row.chunk.is_some()
            ],
            |row| row.get::<_, String>(0),
        )?;
        runs.map(|run| run.map(RunId::from)).collect()
    }
}

fn upload_ranges(places: Option<&[i64]>, below: Key, count: usize) -> Vec<Keys> {
    let Some(places) = places else { return vec![Keys::new(UPLOADS, None, Vec::new(), below).by(count)] };
    let of_place = |place: &i64| -> Vec<Condition> { vec![("place = ?", (*place).into())] };
    places
        .iter()
        .map(|place| Keys::new(UPLOADS, Some("uploads_place"), of_place(place), below).by(count))
        .collect()
}

/// What lies between these begins with the prefix: whole commits lie as bytes, others as texts.
fn spans(prefix: &str) -> Vec<(Value, Value)> {
    let texts = (Value::Text(prefix.to_owned()), Value::Text(format!("{prefix}\u{10ffff}")));
    let mut even = (prefix.to_owned(), prefix.to_owned());
    if !prefix.len().is_multiple_of(2) {
        even = (format!("{prefix}0"), format!("{prefix}f"));
    }
    let (Value::Blob(from), Value::Blob(mut to)) = (codec::pack(&even.0), codec::pack(&even.1)) else {
        return vec![texts];
    };
    // No commit is longer.
    to.extend([0xff; 64]);
    vec![(Value::Blob(from), Value::Blob(to)), texts]
}

fn read(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    let chunk: Option<u32> = row.get(8)?;
    let chunks: Option<u32> = row.get(9)?;
    Ok(UploadRow {
        repository: RepositoryId(codec::unsigned(row.get::<_, Option<i64>>(0)?.unwrap_or_default())),
        workspace: text(1)?.into(),
        credential: text(2)?.into(),
        head_sha: codec::unpack(row.get_ref(3)?).into(),
        base_sha: codec::unpack(row.get_ref(4)?).into(),
        digest: Digest::from_hex(&codec::unpack(row.get_ref(5)?)),
        received_at: codec::time(row.get(6)?),
        stacks: row.get(7)?,
        chunk: chunk.zip(chunks),
        client: row.get(10)?,
        runs: Vec::new(),
        stream: codec::stream_of(row.get::<_, Option<i64>>(11)?.unwrap_or_default()),
        record: Position(codec::unsigned(row.get(12)?)),
    })
}
