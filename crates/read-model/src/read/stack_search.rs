//! Stacks by a text in their component's or stack's name.

use super::{
    Reader,
    keys::{Key, Merge},
    stacks::{Named, StackFilter, named},
    walk::{Walk, patience, walk},
    words,
};
use crate::{codec, query::StacksQuery, schema::Word};
use std::collections::{BTreeMap, HashSet};

/// The words that contain the text.
struct Words {
    components: HashSet<i64>,
    stacks: HashSet<i64>,
}

impl Reader<'_> {
    /// The newest rows below a place whose component or stack contains a text.
    pub(super) fn search_stacks(
        &self,
        query: &StacksQuery,
        filter: &StackFilter,
        text: &str,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Key>> {
        let mut all = self.stack_ranges(query, filter, below, count)?;
        let Walk { mut found, stopped_at } = self.walk_stacks(&mut all, text, count, patience(count))?;
        let Some(stopped_at) = stopped_at.filter(|_| found.len() < count) else { return Ok(found) };
        let rest = count - found.len();
        let named = self.named_like(filter, text)?;
        let mut histories = self.histories(&named, query.latest_only, filter.status, stopped_at, rest)?;
        found.extend(histories.take(self.tables, rest)?);
        Ok(found)
    }

    /// Goes down a list of stacks.
    pub(super) fn walk_stacks(
        &self,
        all: &mut Merge,
        text: &str,
        count: usize,
        patience: usize,
    ) -> rusqlite::Result<Walk> {
        let words = self.words_like(text)?;
        if words.components.is_empty() && words.stacks.is_empty() {
            return Ok(Walk { found: Vec::new(), stopped_at: None });
        }
        let mut statement =
            self.tables.prepare_cached("SELECT component, stack FROM stacks WHERE run = ? AND ord = ?")?;
        walk(self.tables, all, count, patience, |key| {
            statement.query_row([key.0, key.1], |row| {
                Ok(words.components.contains(&row.get(0)?) || words.stacks.contains(&row.get(1)?))
            })
        })
    }

    fn words_like(&self, text: &str) -> rusqlite::Result<Words> {
        Ok(Words {
            components: words::containing(self.tables, Word::Component, text)?,
            stacks: words::containing(self.tables, Word::Stack, text)?,
        })
    }

    /// The stacks of repositories that fit, each once.
    fn named_like(&self, filter: &StackFilter, text: &str) -> rusqlite::Result<Vec<Named>> {
        let words = self.words_like(text)?;
        let mut found = BTreeMap::new();
        let by_word = [
            (
                "SELECT id, run, ord, repository, component, stack FROM names INDEXED BY names_component
              WHERE component = ?",
                &words.components,
            ),
            (
                "SELECT id, run, ord, repository, component, stack FROM names INDEXED BY names_stack
              WHERE stack = ?",
                &words.stacks,
            ),
        ];
        let repository = filter.repository.map(|repository| codec::number(repository.0));
        for (sql, words) in by_word {
            let mut statement = self.tables.prepare_cached(sql)?;
            for word in words {
                let mut rows = statement.query([word])?;
                while let Some(row) = rows.next()? {
                    let fits = repository.is_none_or(|it| row.get(3) == Ok(it))
                        && filter.component.is_none_or(|it| row.get(4) == Ok(it))
                        && filter.stack.is_none_or(|it| row.get(5) == Ok(it));
                    if fits {
                        let named = named(row)?;
                        found.insert(named.id, named);
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }
}
