//! Places of rows, read off indices in the list's order and a few at a time.

use rusqlite::{Connection, types::Value};
use std::collections::{BinaryHeap, VecDeque};

/// A row's place in its list; lists go down. Tables with a single key have 0 as the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) i64, pub(crate) i64);

impl Key {
    /// Above every row.
    pub(crate) const TOP: Self = Self(i64::MAX, i64::MAX);
}

/// A table and the columns of its order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    first: &'static str,
    second: Option<&'static str>,
}

pub(crate) const RUNS: Table = Table { name: "runs", first: "key", second: None };
pub(crate) const STACKS: Table = Table { name: "stacks", first: "run", second: Some("ord") };
pub(crate) const NAMES: Table = Table { name: "names", first: "run", second: Some("ord") };
pub(crate) const PULLS: Table = Table { name: "pulls", first: "updated", second: Some("id") };
pub(crate) const UPLOADS: Table = Table { name: "uploads", first: "key", second: None };
pub(crate) const DISPATCHES: Table = Table { name: "dispatches", first: "key", second: None };
pub(crate) const DELIVERIES: Table = Table { name: "deliveries", first: "key", second: None };
pub(crate) const COMMANDS: Table = Table { name: "commands", first: "key", second: None };

/// How the first page of a run of keys is cut when nobody says.
const FIRST: usize = 64;
/// And the largest.
const MOST: usize = 4096;

/// The keys of one range of one index, from the top down.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    sql: String,
    values: Vec<Value>,
    below: Key,
    chunk: usize,
    read: VecDeque<Key>,
    end: bool,
}

/// What a range's rows have in common, such as `place = ?`, by its values.
pub(crate) type Condition = (&'static str, Value);

impl Keys {
    /// The rows that fulfil all conditions, by this index; without one by the table's own order.
    pub(crate) fn new(table: Table, index: Option<&str>, conditions: Vec<Condition>, below: Key) -> Self {
        let Table { name, first, second } = table;
        let by = index.map_or_else(String::new, |index| format!(" INDEXED BY {index}"));
        let wheres: String = conditions.iter().map(|(condition, _)| format!("{condition} AND ")).collect();
        let sql = match second {
            None => format!(
                "SELECT {first}, 0 FROM {name}{by} WHERE {wheres}{first} < ? ORDER BY {first} DESC LIMIT ?"
            ),
            Some(second) => format!(
                "SELECT {first}, {second} FROM {name}{by} WHERE {wheres}({first}, {second}) < (?, ?)
                 ORDER BY {first} DESC, {second} DESC LIMIT ?"
            ),
        };
        Self {
            sql,
            values: conditions.into_iter().map(|(_, value)| value).collect(),
            below,
            chunk: FIRST,
            read: VecDeque::new(),
            end: false,
        }
    }

    /// So many are wanted at once.
    pub(crate) fn by(mut self, chunk: usize) -> Self {
        self.chunk = chunk.clamp(1, MOST);
        self
    }

    pub(crate) fn next(&mut self, tables: &Connection) -> rusqlite::Result<Option<Key>> {
        if self.read.is_empty() && !self.end {
            self.fetch(tables)?;
        }
        Ok(self.read.pop_front())
    }

    fn fetch(&mut self, tables: &Connection) -> rusqlite::Result<()> {
        let mut statement = tables.prepare_cached(&self.sql)?;
        let mut values = self.values.clone();
        values.push(self.below.0.into());
        if self.sql.contains("(?, ?)") {
            values.push(self.below.1.into());
        }
        values.push(i64::try_from(self.chunk).unwrap_or(i64::MAX).into());
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            self.read.push_back(Key(row.get(0)?, row.get(1)?));
        }
        self.end = self.read.len() < self.chunk;
        self.below = self.read.back().copied().unwrap_or(self.below);
        self.chunk = (self.chunk * 2).min(MOST);
        Ok(())
    }

    /// How SQLite finds them, for tests.
    #[cfg(test)]
    pub(crate) fn plan(&self, tables: &Connection) -> Vec<String> {
        let sql = format!("EXPLAIN QUERY PLAN {}", self.sql);
        let mut statement = tables.prepare(&sql).unwrap();
        let count = statement.parameter_count();
        let zeros = vec![Value::Integer(1); count];
        let lines = statement.query_map(rusqlite::params_from_iter(zeros), |row| row.get(3)).unwrap();
        lines.map(Result::unwrap).collect()
    }
}

/// Several ranges as one list, each key once.
pub(crate) struct Merge {
    ranges: Vec<Keys>,
    /// The highest key of each range that was read, or what none of its keys is above.
    heads: BinaryHeap<Head>,
    last: Option<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    /// The range is open, and this is its next key.
    is_read: bool,
    range: usize,
}

impl Merge {
    pub(crate) fn new(ranges: Vec<Keys>) -> Self {
        let ranges = ranges.into_iter().map(|range| (Key::TOP, range));
        Self::bounded(ranges.collect())
    }

    /// Each range with a key that none of its own is above: it is opened only when its turn comes.
    pub(crate) fn bounded(ranges: Vec<(Key, Keys)>) -> Self {
        let heads = ranges
            .iter()
            .enumerate()
            .map(|(range, (key, _))| Head { key: *key, is_read: false, range })
            .collect();
        Self { ranges: ranges.into_iter().map(|(_, range)| range).collect(), heads, last: None }
    }

    pub(crate) fn next(&mut self, tables: &Connection) -> rusqlite::Result<Option<Key>> {
        while let Some(head) = self.heads.pop() {
            let Some(range) = self.ranges.get_mut(head.range) else { continue };
            if let Some(key) = range.next(tables)? {
                self.heads.push(Head { key, is_read: true, range: head.range });
            }
            if head.is_read && self.last != Some(head.key) {
                self.last = Some(head.key);
                return Ok(self.last);
            }
        }
        Ok(None)
    }

    /// The first `count` keys, or fewer at the end.
    pub(crate) fn take(&mut self, tables: &Connection, count: usize) -> rusqlite::Result<Vec<Key>> {
        let mut keys = Vec::new();
        while keys.len() < count {
            let Some(key) = self.next(tables)? else { break };
            keys.push(key);
        }
        Ok(keys)
    }

    #[cfg(test)]
    pub(crate) fn ranges(&self) -> &[Keys] {
        &self.ranges
    }
}
