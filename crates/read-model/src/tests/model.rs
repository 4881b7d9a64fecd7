//! Tables in memory, written and read without threads.

use crate::{
    changes::Changes,
    project::Projector,
    query::{Page, PageRequest},
    read::{Reader, RepositoryNames},
    schema,
    write::{Known, Writer},
};
use rusqlite::Connection;
use stackwave_domain::{Entry, RepositoryId, StreamId};
use stackwave_engine::State;
use std::collections::{BTreeMap, HashSet};

pub(crate) const STREAM: StreamId = StreamId::Partition(0);

/// Names of repositories, in lower case.
#[derive(Default)]
pub(crate) struct Names(pub(crate) BTreeMap<RepositoryId, String>);

impl RepositoryNames for Names {
    fn containing(&self, text: &str) -> HashSet<RepositoryId> {
        self.0.iter().filter(|(_, name)| name.contains(text)).map(|(id, _)| *id).collect()
    }
}

pub(crate) struct Model {
    pub(crate) tables: Connection,
    pub(crate) names: Names,
    pub(crate) at_once: usize,
    known: Known,
}

impl Model {
    pub(crate) fn new() -> Self {
        let tables = Connection::open_in_memory().unwrap();
        schema::create(&tables).unwrap();
        tables.set_prepared_statement_cache_capacity(256);
        Self { tables, names: Names::default(), at_once: 100, known: Known::default() }
    }

    pub(crate) fn write(&mut self, changes: &Changes) {
        let transaction = self.tables.unchecked_transaction().unwrap();
        Writer { tables: &self.tables, known: &mut self.known }.apply(changes).unwrap();
        transaction.commit().unwrap();
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { tables: &self.tables, names: &self.names, at_once: self.at_once }
    }

    /// Projects a log in batches of so many records; each batch by a projector of its own when it restarts.
    pub(crate) fn project(&mut self, log: &[Entry], batch: usize, restarts: bool) {
        let mut state = State::default();
        let mut projector = Projector::new(STREAM, &state);
        for batch in log.chunks(batch) {
            if restarts {
                projector = Projector::new(STREAM, &state);
            }
            for entry in batch {
                state.apply(entry);
            }
            let changes = projector.project(&state, batch.iter());
            self.write(&changes);
        }
    }
}

/// All rows of a list, in pages of this size.
pub(crate) fn all<T>(size: usize, page: impl Fn(&PageRequest) -> Page<T>) -> Vec<T> {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let Page { rows: more, next } = page(&PageRequest { size, token });
        assert!(more.len() <= size);
        rows.extend(more);
        match next {
            Some(next) => token = next,
            None => return rows,
        }
    }
}
