//! The lock file beside the database: one process serves a log.
//!
//! The operating system gives the lock back when the process ends, however it ends, so a lock that is held proves that
//! its owner lives, and a lock that was taken proves that the owner before is gone.

use stackwave_event_log::LogError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// The lock, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `path`.
    pub(crate) fn acquire(path: &Path) -> Result<Self, LogError> {
        let lock_path = beside(path);
        let cannot = |error: std::io::Error| {
            LogError::Setup(format!("cannot lock the event log with `{}`: {error}", lock_path.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        file.set_len(0).map_err(cannot)?;
        file.rewind().map_err(cannot)?;
        write!(file, "{}", std::process::id()).map_err(cannot)?;
        Ok(Self { _file: file })
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn held(path: &Path, file: &mut File) -> LogError {
    let mut text = String::new();
    // The process id is a courtesy: without it the message still says what is wrong.
    let owner = match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!(" (process {})", text.trim()),
        Ok(_) | Err(_) => String::new(),
    };
    LogError::Setup(format!(
        "another process{owner} serves the event log at `{}`; a SQLite log is served by one process, several processes \
         need JetStream (STACKWAVE_LOG=nats://…)",
        path.display()
    ))
}
