//! What every service of this crate has.

use crate::{access::Gate, errors, readiness::Readiness, runs};
use stackwave_domain::{DispatchId, Position, RepositoryId, RepositoryName, RunId, StreamId, Timestamp};
use stackwave_engine::{config::Repository, state::RepositoryState};
use stackwave_read_model::{ReadError, ReadModel};
use stackwave_runtime::{Core, PartitionView, registry::RegisterError};
use std::{future::Future, sync::Arc, time::Duration};
use tonic::Status;

/// How long the log may take for a call that writes.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Shared by all services. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) core: Core,
    pub(crate) partitions: Arc<[PartitionView]>,
    pub(crate) readiness: Readiness,
    pub(crate) gate: Arc<Gate>,
    pub(crate) read_model: ReadModel,
}

impl Context {
    /// Refuses while the log has not been read to its end once: what exists may seem not to.
    pub(crate) fn check_ready(&self) -> Result<(), Status> {
        if self.readiness.was_reached() {
            return Ok(());
        }
        let what = "the event log is still being read; `/readyz` says how far it is";
        Err(errors::unavailable("NOT_READY", what))
    }

    /// Where a run is told of: as this process has folded it, else as the read model, which forgets nothing, knows it.
    pub(crate) async fn locate_run(&self, id: &RunId) -> Result<Option<(StreamId, RepositoryId)>, Status> {
        if let Some(found) = runs::found::repository_of(self, id) {
            return Ok(Some(found));
        }
        let row = self.read_model.find_run(id.clone()).await;
        Ok(known(row)?.map(|row| (row.stream, row.repository)))
    }

    /// Where and when a run was opened.
    pub(crate) async fn opening_of(&self, id: &RunId) -> Result<Option<Opening>, Status> {
        let folded = self.partitions.iter().find_map(|partition| {
            partition.read(|state| {
                let found = state.repositories().find_map(|known| Some((known.id, known.runs.get(id)?)));
                let (repository, run) = found?;
                let (at, position) = run.opened;
                let stopped_at = run.stopped_at();
                Some(Opening { stream: partition.stream(), repository, at, position, stopped_at })
            })
        });
        if folded.is_some() {
            return Ok(folded);
        }
        let row = known(self.read_model.find_run(id.clone()).await)?;
        Ok(row.map(|row| Opening {
            stream: row.stream,
            repository: row.repository,
            at: row.opened_at,
            position: row.opened,
            stopped_at: row.stopped_at,
        }))
    }

    /// The run of a dispatch that the state has forgotten.
    pub(crate) async fn run_of_dispatch(&self, id: &DispatchId) -> Result<Option<RunId>, Status> {
        Ok(known(self.read_model.find_dispatch(id.clone()).await)?.map(|row| row.run))
    }

    /// The partition that a repository lives in.
    pub(crate) fn partition_of(&self, repository: RepositoryId) -> Option<&PartitionView> {
        let stream = StreamId::of_repository(repository, self.core.log.partitions());
        self.partitions.iter().find(|partition| partition.stream() == stream)
    }

    /// Reads something out of a repository's state; none when no record of it was folded.
    pub(crate) fn read_repository<T>(
        &self,
        repository: RepositoryId,
        read: impl FnOnce(&RepositoryState) -> T,
    ) -> Option<T> {
        self.partition_of(repository)?.read(|state| state.repository(repository).map(read))
    }

    /// A repository's name; empty when it is not known.
    pub(crate) fn name_of(&self, repository: RepositoryId) -> String {
        let name = |known: &Repository| known.name.to_string();
        self.core.config.read(|config| config.repository(repository).map(name)).unwrap_or_default()
    }

    /// A repository by the text of a request's field, `owner/name`.
    pub(crate) fn repository(&self, field: &str, text: &str) -> Result<Repository, Status> {
        let name = repository_name(field, text)?;
        let known = self.core.config.read(|config| config.find_repository(&name).cloned());
        known.ok_or_else(|| errors::not_found("repository", text))
    }

    /// Writes a setting within a patience, and waits until this process has folded it.
    pub(crate) async fn write(
        &self,
        writing: impl Future<Output = Result<Position, RegisterError>>,
    ) -> Result<(), Status> {
        let done = async {
            let position = writing.await.map_err(|error| errors::register(&error))?;
            self.core.config.wait_for(position).await;
            Ok(())
        };
        tokio::time::timeout(WRITE_PATIENCE, done).await.unwrap_or_else(|_| {
            Err(errors::unavailable(
                "LOG_UNAVAILABLE",
                "the event log did not take the record in time; it may still be in it",
            ))
        })
    }
}

/// A run's first record, and when it stopped.
pub(crate) struct Opening {
    pub(crate) stream: StreamId,
    pub(crate) repository: RepositoryId,
    pub(crate) at: Timestamp,
    pub(crate) position: Position,
    /// When it stopped to dispatch.
    pub(crate) stopped_at: Option<Timestamp>,
}

/// What the read model knows; a process without one knows nothing beyond its state.
fn known<T>(row: Result<Option<T>, ReadError>) -> Result<Option<T>, Status> {
    match row {
        Ok(row) => Ok(row),
        Err(ReadError::Off) => Ok(None),
        Err(error) => Err(errors::read_model(&error)),
    }
}

/// `owner/name`.
pub(crate) fn repository_name(field: &str, text: &str) -> Result<RepositoryName, Status> {
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(RepositoryName::new(owner, name))
        }
        Some(_) | None => Err(errors::invalid(field, &format!("`{text}` is not `owner/name`"))),
    }
}
