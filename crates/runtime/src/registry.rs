//! Writing the configuration stream, and fetching what records keep outside.

use crate::core::Core;
use stackwave_domain::{Entry, Event, Position, Subject, digest::BlobRef, event::RepositoryRegistered};
use stackwave_event_log::{Append, AppendError, EventLog, LogError};
use std::{collections::BTreeMap, sync::Arc};

/// A setting could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Makes sure that the last record of a setting's subject says exactly this, and returns its position. Writers have no
/// fold of it: the last record is read from the leader, and a conflict reads it again (nats.md §3).
///
/// # Errors
/// The log is out of reach.
pub async fn register(
    core: &Core,
    actor: &str,
    subject: Subject,
    event: Event,
) -> Result<Position, RegisterError> {
    loop {
        let last = core.log.last(&subject).await?;
        if let Some(last) = &last
            && last.record.events.last() == Some(&event)
        {
            return Ok(last.position);
        }
        let expected = last.map_or(Position::START, |entry| entry.position);
        let record = core.record(actor, vec![event.clone()]);
        match core.log.append(Append::after(subject.clone(), record, expected)).await {
            Ok(appended) => return Ok(appended.receipt.position),
            Err(AppendError::Conflict { .. } | AppendError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Registers a repository, if what is known of it differs, and waits until this process knows it.
///
/// # Errors
/// The log is out of reach.
pub async fn register_repository(
    core: &Core,
    actor: &str,
    repository: RepositoryRegistered,
) -> Result<(), RegisterError> {
    let known = core.config.read(|config| {
        config.repository(repository.repository).is_some_and(|known| {
            known.name == repository.name
                && known.default_branch == repository.default_branch
                && known.installation == repository.installation
                && known.workspace == repository.workspace
        })
    });
    if known {
        return Ok(());
    }
    let subject = Subject::config("repository", &repository.repository.to_string());
    let position = register(core, actor, subject, repository.into()).await?;
    core.config.wait_for(position).await;
    Ok(())
}

/// Fetches the blobs that some records refer to and puts them in their places.
///
/// # Errors
/// A blob is missing, unreadable or out of reach.
pub async fn hydrate(log: &Arc<dyn EventLog>, entries: &mut [Entry]) -> Result<(), LogError> {
    for entry in entries {
        let missing = entry.record.missing_blobs();
        if missing.is_empty() {
            continue;
        }
        let mut blobs = BTreeMap::new();
        for blob in missing {
            if let Some(bytes) = log.get_blob(&blob.digest).await? {
                blobs.insert(blob.digest, bytes);
            }
        }
        entry.record.hydrate(|blob: &BlobRef| blobs.get(&blob.digest).map(|bytes| bytes.to_vec()))?;
    }
    Ok(())
}
