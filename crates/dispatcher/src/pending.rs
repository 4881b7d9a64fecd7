//! Uploads that came before their repository was known, while GitHub could not be asked: looked up here, and moved to
//! their repository's partition (design §3.2).

use crate::{GitHub, ROLE};
use stackwave_domain::{
    Position, RecordId, RepositoryId, StreamId, Subject,
    event::{PendingUploadResolved, RepositoryRegistered, UploadReceived},
};
use stackwave_event_log::{Append, AppendError};
use stackwave_github::port::CallError;
use stackwave_runtime::{Core, registry, stow};
use std::{collections::BTreeMap, time::Duration};

/// How long to wait before asking GitHub again when it is out of reach.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// An upload that cannot be settled again and again is tried this often.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// With nothing pending only a change of the configuration wakes it.
const IDLE: Duration = Duration::from_secs(600);
/// A fragment larger than this goes to the blob store, in bytes of its JSON.
const INLINE_FRAGMENT: usize = 512 * 1024;

/// Settles pending uploads until the process drains: each in its turn, and none waits for another that cannot be settled.
pub async fn run(core: Core, github: GitHub) {
    let mut changes = core.config.changes();
    let mut failures: BTreeMap<Position, (u32, Duration)> = BTreeMap::new();
    loop {
        let now = core.clock.monotonic();
        let pending: Vec<Position> =
            core.config.read(|config| config.pending_uploads().map(|(at, _)| at).collect());
        failures.retain(|position, _| pending.contains(position));
        for position in pending {
            if core.shutdown.is_cancelled() || failures.get(&position).is_some_and(|(_, again)| now < *again)
            {
                continue;
            }
            let upload = core.config.read(|config| {
                config.pending_uploads().find(|(at, _)| *at == position).map(|(_, upload)| upload.clone())
            });
            let Some(upload) = upload else { continue };
            if let Err(wait) = settle(&core, &github, position, upload).await {
                let (times, again) = failures.entry(position).or_default();
                *again =
                    core.clock.monotonic() + (wait * 2u32.saturating_pow((*times).min(10))).min(LONGEST_WAIT);
                *times += 1;
            }
        }
        let now = core.clock.monotonic();
        let wait = failures.values().map(|(_, again)| again.saturating_sub(now)).min().unwrap_or(IDLE);
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(wait.max(Duration::from_millis(50))) => {},
        }
    }
}

/// Moves one upload, or drops it when GitHub knows no such repository.
async fn settle(
    core: &Core,
    github: &GitHub,
    position: Position,
    upload: UploadReceived,
) -> Result<(), Duration> {
    let repository = match find(core, github, &upload).await? {
        Some(repository) => {
            move_upload(core, repository, position, upload).await?;
            Some(repository)
        }
        None => None,
    };
    let resolved = PendingUploadResolved { upload: position, repository };
    let record = core.record(ROLE, vec![resolved.into()]).caused_by(position);
    let appended = core.log.append(Append::any(Subject::config("upload", "resolved"), record)).await;
    let at = appended.map_err(|error| failed(&error))?.receipt.position;
    core.config.wait_for(at).await;
    Ok(())
}

async fn find(
    core: &Core,
    github: &GitHub,
    upload: &UploadReceived,
) -> Result<Option<RepositoryId>, Duration> {
    let known = core.config.read(|config| {
        config.find_repository(&upload.repository).map(|known| (known.id, known.workspace.clone()))
    });
    let (id, workspace) = match known {
        Some(known) => known,
        None => match github.repositories.by_name(&upload.repository).await {
            Ok(found) => {
                let known = core
                    .config
                    .read(|config| config.repository(found.id).map(|known| known.workspace.clone()));
                let workspace = known.unwrap_or_else(|| upload.workspace.clone());
                let registered = RepositoryRegistered {
                    repository: found.id,
                    name: found.name,
                    default_branch: found.default_branch,
                    installation: Some(found.installation),
                    workspace: workspace.clone(),
                };
                registry::register_repository(core, ROLE, registered)
                    .await
                    .map_err(|error| failed(&error))?;
                (found.id, workspace)
            }
            Err(CallError::NotFound(why)) => {
                tracing::warn!(repository.name = %upload.repository, why, "a stored upload names a repository that GitHub does not know");
                return Ok(None);
            }
            Err(error) => {
                core.health.detail("github", error.to_string());
                return Err(TRY_AGAIN);
            }
        },
    };
    if workspace != upload.workspace {
        tracing::warn!(repository.name = %upload.repository, "a stored upload is for a repository of another workspace");
        return Ok(None);
    }
    Ok(Some(id))
}

async fn move_upload(
    core: &Core,
    repository: RepositoryId,
    position: Position,
    mut upload: UploadReceived,
) -> Result<(), Duration> {
    let stream = StreamId::of_repository(repository, core.log.partitions());
    upload.fragment =
        stow::stow(&core.log, upload.fragment, INLINE_FRAGMENT).await.map_err(|error| failed(&error))?;
    let mut record = core.record(ROLE, vec![upload.into()]).caused_by(position);
    record.trace = trace(core, position).await?;
    // The same id however often it is moved: the fold drops a second one.
    record.id = RecordId::new(format!("pending-{position}"));
    let append =
        Append::any(Subject::upload(stream, repository), record).named(format!("pending:{position}"));
    match core.log.append(append).await {
        Ok(_) => Ok(()),
        Err(AppendError::Unknown(_)) => Err(Duration::from_millis(200)),
        Err(error) => Err(failed(&error)),
    }
}

/// The trace that the upload came with.
async fn trace(core: &Core, position: Position) -> Result<Option<String>, Duration> {
    let entries = core.log.read(StreamId::Config, position, 1).await.map_err(|error| failed(&error))?;
    Ok(entries.into_iter().find(|entry| entry.position == position).and_then(|entry| entry.record.trace))
}

fn failed(error: &dyn std::error::Error) -> Duration {
    tracing::error!(error = %error, "a stored upload cannot be moved to its repository; trying again");
    TRY_AGAIN
}
