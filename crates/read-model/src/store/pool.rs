//! A few connections that read, each in a thread that may block.

use super::files;
use crate::error::ReadError;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// So many questions are answered at once.
const READERS: usize = 4;

pub(super) struct Pool {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default(), turns: Arc::new(Semaphore::new(READERS)) }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Err(ReadError::Failed("it was closed meanwhile; ask again".to_owned()));
        };
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let read = tokio::task::spawn_blocking(move || {
            let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let tables = match known {
                Some(tables) => tables,
                None => files::connect_reader(&path)?,
            };
            let answer = read(&tables);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(tables);
            drop(turn);
            answer
        });
        // A panic while reading is one of ours: it goes on where it was asked.
        read.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// Answers nobody any more. Answers that are under way come to their end.
    pub(super) fn close(&self) {
        self.turns.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
