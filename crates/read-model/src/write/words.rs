//! Numbers for words that repeat, and for what hangs together by them.

use super::Writer;
use crate::{codec, schema::Word};
use rusqlite::{OptionalExtension as _, params};
use stackwave_domain::{RepositoryId, RunId, StackKey, StreamId, WorkspaceId};
use std::collections::HashMap;

/// So much of each kind is remembered before everything is forgotten: some megabytes.
const MAX_KNOWN: usize = 20_000;

/// Numbers that were asked for before.
#[derive(Default)]
pub(crate) struct Known {
    /// By kind, then by text.
    words: HashMap<i64, HashMap<String, i64>>,
    places: HashMap<(RepositoryId, WorkspaceId), i64>,
    names: HashMap<(RepositoryId, StackKey), Name>,
    runs: HashMap<RunId, i64>,
}

/// A stack of a repository.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) id: i64,
    pub(super) component: i64,
    pub(super) stack: i64,
}

fn remember<K: std::hash::Hash + Eq, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(key, value);
}

impl Writer<'_> {
    pub(super) fn word(&mut self, kind: Word, text: &str) -> rusqlite::Result<i64> {
        let kind = kind.number();
        if let Some(id) = self.known.words.get(&kind).and_then(|words| words.get(text)) {
            return Ok(*id);
        }
        let asked = self
            .tables
            .prepare_cached("SELECT id FROM words WHERE kind = ? AND text = ?")?
            .query_row(params![kind, text], |row| row.get(0))
            .optional()?;
        let id = match asked {
            Some(id) => id,
            None => {
                self.tables
                    .prepare_cached("INSERT INTO words (kind, text) VALUES (?, ?)")?
                    .execute(params![kind, text])?;
                self.tables.last_insert_rowid()
            }
        };
        remember(self.known.words.entry(kind).or_default(), text.to_owned(), id);
        Ok(id)
    }

    pub(super) fn maybe_word(&mut self, kind: Word, text: Option<&str>) -> rusqlite::Result<Option<i64>> {
        text.map(|text| self.word(kind, text)).transpose()
    }

    /// A workflow run's page: a word up to the run's number, where it ends in that.
    pub(super) fn url(&mut self, url: Option<&str>, run: u64) -> rusqlite::Result<Option<i64>> {
        let Some(url) = url else { return Ok(None) };
        let start = url.strip_suffix(&run.to_string()).filter(|start| start.ends_with('/'));
        self.word(Word::Url, start.unwrap_or(url)).map(Some)
    }

    pub(super) fn place(
        &mut self,
        repository: RepositoryId,
        workspace: &WorkspaceId,
        stream: StreamId,
    ) -> rusqlite::Result<i64> {
        let key = (repository, workspace.clone());
        if let Some(id) = self.known.places.get(&key) {
            return Ok(*id);
        }
        let word = self.word(Word::Workspace, workspace.as_str())?;
        let asked = self
            .tables
            .prepare_cached("SELECT id FROM places WHERE repository = ? AND workspace = ?")?
            .query_row(params![codec::number(repository.0), word], |row| row.get(0))
            .optional()?;
        let id = match asked {
            Some(id) => id,
            None => {
                self.tables
                    .prepare_cached("INSERT INTO places (repository, workspace, stream) VALUES (?, ?, ?)")?
                    .execute(params![codec::number(repository.0), word, codec::stream(stream)])?;
                self.tables.last_insert_rowid()
            }
        };
        remember(&mut self.known.places, key, id);
        Ok(id)
    }

    pub(super) fn name(
        &mut self,
        repository: RepositoryId,
        key: &StackKey,
        run: i64,
        ord: i64,
        status: i64,
    ) -> rusqlite::Result<Name> {
        let known = (repository, key.clone());
        if let Some(name) = self.known.names.get(&known) {
            return Ok(*name);
        }
        let component = self.word(Word::Component, key.component.as_str())?;
        let stack = self.word(Word::Stack, key.stack.as_str())?;
        let asked = self
            .tables
            .prepare_cached("SELECT id FROM names WHERE repository = ? AND component = ? AND stack = ?")?
            .query_row(params![codec::number(repository.0), component, stack], |row| row.get(0))
            .optional()?;
        let id = match asked {
            Some(id) => id,
            None => {
                self.tables
                    .prepare_cached(
                        "INSERT INTO names (repository, component, stack, run, ord, status)
                         VALUES (?, ?, ?, ?, ?, ?)",
                    )?
                    .execute(params![codec::number(repository.0), component, stack, run, ord, status])?;
                self.tables.last_insert_rowid()
            }
        };
        let name = Name { id, component, stack };
        remember(&mut self.known.names, known, name);
        Ok(name)
    }

    /// The key of a run that is there.
    pub(super) fn run_key(&mut self, run: &RunId) -> rusqlite::Result<Option<i64>> {
        if let Some(key) = self.known.runs.get(run) {
            return Ok(Some(*key));
        }
        let key = self
            .tables
            .prepare_cached("SELECT key FROM runs WHERE id = ?")?
            .query_row([run.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(key) = key {
            self.remember_run(run, key);
        }
        Ok(key)
    }

    pub(super) fn remember_run(&mut self, run: &RunId, key: i64) {
        remember(&mut self.known.runs, run.clone(), key);
    }
}
