//! Which file: the one that was completed last, under a lock that keeps other processes away.
//!
//! Each building has a file of its own, `NAME`, `NAME.g1`, `NAME.g2`, …, and the older ones go once it is complete. So no
//! file is ever renamed or replaced while it is open.

use super::Store;
use crate::{
    error::OpenError,
    schema::{self, PROJECTION_VERSION},
};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

/// So many processes on one machine may have the same setting.
const MAX_NEIGHBOURS: u32 = 16;

/// The files of one process. Others are kept away until it is dropped.
pub(crate) struct Files {
    base: PathBuf,
    _lock: File,
}

/// A database's own files.
pub(super) fn of_database(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| with(path, end))
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

/// `data/read-model.2.db` beside `data/read-model.db`.
fn neighbour(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}.{number}{end}"))
}

impl Files {
    /// Takes the first name that no other process has.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let folder = |error| OpenError::Folder { path: path.to_owned(), error };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(folder)?;
        }
        for number in 1..=MAX_NEIGHBOURS {
            let base = neighbour(path, number);
            let lock = File::create(with(&base, ".lock")).map_err(folder)?;
            match lock.try_lock() {
                Ok(()) => {
                    if number > 1 {
                        let (wanted, taken) = (path.display(), base.display());
                        tracing::info!(%wanted, %taken, "another process has the read model's file; taking its neighbour");
                    }
                    return Ok(Self { base, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(folder(error)),
            }
        }
        Err(OpenError::InUse { path: path.to_owned() })
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// Opens the file to go on with: the newest that is complete, else the newest, else a new one. The others go.
    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        let mut usable = Vec::new();
        for (generation, path) in self.generations() {
            match inspect(&path) {
                Ok(Some((tables, complete))) => usable.push((complete, generation, path, tables)),
                Ok(None) => remove(&path),
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "the read model cannot be used and is built anew");
                    remove(&path);
                }
            }
        }
        usable.sort_by_key(|(complete, generation, ..)| (*complete, *generation));
        let best = usable.pop();
        for (_, _, path, tables) in usable {
            drop(tables);
            remove(&path);
        }
        match best {
            Some((complete, _, path, tables)) => Store::open(&path, tables, complete),
            None => self.create(),
        }
    }

    /// Makes an empty file beside the others.
    pub(crate) fn create(&self) -> Result<Store, OpenError> {
        let next = self.generations().into_iter().map(|(generation, _)| generation + 1).max().unwrap_or(0);
        let path = self.path_of(next);
        remove(&path);
        let sqlite = |error| OpenError::Sqlite { path: path.clone(), error };
        let tables = connect(&path).map_err(sqlite)?;
        schema::create(&tables).map_err(sqlite)?;
        Store::open(&path, tables, false)
    }

    /// Removes every file that another than this store has.
    pub(crate) fn keep_only(&self, store: &Store) {
        for (_, path) in self.generations() {
            if path != store.path() {
                remove(&path);
            }
        }
    }

    fn path_of(&self, generation: u64) -> PathBuf {
        match generation {
            0 => self.base.clone(),
            generation => with(&self.base, &format!(".g{generation}")),
        }
    }

    /// The files that are there, by their number.
    fn generations(&self) -> Vec<(u64, PathBuf)> {
        let folder = self.base.parent().filter(|parent| !parent.as_os_str().is_empty());
        let start = self.base.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(entries) = fs::read_dir(folder.unwrap_or_else(|| Path::new("."))) else { return Vec::new() };
        let number = |name: &str| match name.strip_prefix(&start)? {
            "" => Some(0),
            rest => rest.strip_prefix(".g")?.parse().ok(),
        };
        let numbers = entries.flatten().filter_map(|entry| number(&entry.file_name().to_string_lossy()));
        let mut found: Vec<(u64, PathBuf)> = numbers.map(|number| (number, self.path_of(number))).collect();
        found.sort();
        found
    }
}

fn remove(path: &Path) {
    for path in of_database(path) {
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "an old file of the read model stays");
            }
        }
    }
}

/// A file of this version, and whether it is complete; none when it is of another version.
fn inspect(path: &Path) -> rusqlite::Result<Option<(Connection, bool)>> {
    let tables = connect(path)?;
    if schema::version(&tables)? != PROJECTION_VERSION {
        return Ok(None);
    }
    let complete: Option<bool> = tables
        .query_row("SELECT value FROM meta WHERE name = 'complete'", [], |row| row.get(0))
        .optional()?;
    Ok(Some((tables, complete.unwrap_or_default())))
}

/// A connection that writes. What a crash of the machine takes away is projected again.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let tables = Connection::open(path)?;
    tables.pragma_update(None, "page_size", 8192)?;
    tables.pragma_update(None, "journal_mode", "WAL")?;
    tables.pragma_update(None, "synchronous", "NORMAL")?;
    tables.pragma_update(None, "journal_size_limit", 64 << 20)?;
    tables.pragma_update(None, "temp_store", "MEMORY")?;
    tables.busy_timeout(std::time::Duration::from_secs(10))?;
    tables.set_prepared_statement_cache_capacity(128);
    Ok(tables)
}

/// A connection that reads.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let tables = Connection::open_with_flags(path, flags)?;
    tables.pragma_update(None, "cache_size", -2 * 1024)?;
    tables.pragma_update(None, "temp_store", "MEMORY")?;
    tables.busy_timeout(std::time::Duration::from_secs(10))?;
    tables.set_prepared_statement_cache_capacity(256);
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_named_beside_each_other() {
        assert_eq!(neighbour(Path::new("data/read-model.db"), 1), Path::new("data/read-model.db"));
        assert_eq!(neighbour(Path::new("data/read-model.db"), 2), Path::new("data/read-model.2.db"));
        assert_eq!(neighbour(Path::new("model"), 3), Path::new("model.3"));
    }
}
