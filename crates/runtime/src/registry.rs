//! Writing the configuration stream.

use crate::core::Core;
use stackwave_domain::{Event, Position, Record, Subject, event::RepositoryRegistered};
use stackwave_event_log::{Append, AppendError, LogError};
use std::time::Duration;

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

/// How long to wait before reading again what became of an append.
const READ_AGAIN: Duration = Duration::from_millis(50);

/// Makes sure that the last record of a setting's subject says exactly this, and returns its position.
///
/// # Errors
/// The log is out of reach.
pub async fn register(
    core: &Core,
    actor: &str,
    subject: Subject,
    event: Event,
) -> Result<Position, RegisterError> {
    let news = |last: Option<&Record>| {
        (last.and_then(|record| record.events.last()) != Some(&event)).then(|| event.clone())
    };
    revise(core, actor, subject, news).await
}

/// Asks what is to follow the last record of a setting's subject, none when nothing is, and appends it. Returns the
/// position of the subject's last record. Writers have no fold of it: the last record is read from the leader, and a
/// conflict reads it again (nats.md §3).
///
/// # Errors
/// The log is out of reach.
pub async fn revise(
    core: &Core,
    actor: &str,
    subject: Subject,
    mut next: impl FnMut(Option<&Record>) -> Option<Event>,
) -> Result<Position, RegisterError> {
    loop {
        let last = core.log.last(&subject).await?;
        let expected = last.as_ref().map_or(Position::START, |entry| entry.position);
        let Some(event) = next(last.as_ref().map(|entry| &entry.record)) else { return Ok(expected) };
        let record = core.record(actor, vec![event]);
        match core.log.append(Append::after(subject.clone(), record, expected)).await {
            Ok(appended) => return Ok(appended.receipt.position),
            Err(AppendError::Conflict { .. } | AppendError::Unknown(_)) => {
                tokio::time::sleep(READ_AGAIN).await
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Registers a repository, if what is known of it differs, and waits until this process knows it. A repository stays in
/// the workspace in which it is: whoever learns of it first decides.
///
/// # Errors
/// The log is out of reach.
pub async fn register_repository(
    core: &Core,
    actor: &str,
    mut repository: RepositoryRegistered,
) -> Result<(), RegisterError> {
    let subject = Subject::config("repository", &repository.repository.to_string());
    loop {
        if is_known(core, &mut repository) {
            return Ok(());
        }
        // Another process may have told it, and this one not have folded it.
        let last = core.log.last(&subject).await?.map_or(Position::START, |entry| entry.position);
        core.config.wait_for(last).await;
        if is_known(core, &mut repository) {
            return Ok(());
        }
        let record = core.record(actor, vec![repository.clone().into()]);
        match core.log.append(Append::after(subject.clone(), record, last)).await {
            Ok(appended) => {
                core.config.wait_for(appended.receipt.position).await;
                return Ok(());
            }
            Err(AppendError::Conflict { .. } | AppendError::Unknown(_)) => {
                tokio::time::sleep(READ_AGAIN).await
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the configuration says this of the repository, which takes the workspace in which it is known.
fn is_known(core: &Core, repository: &mut RepositoryRegistered) -> bool {
    core.config.read(|config| {
        config.repository(repository.repository).is_some_and(|known| {
            repository.workspace = known.workspace.clone();
            known.name == repository.name
                && known.default_branch == repository.default_branch
                && known.installation == repository.installation
        })
    })
}
