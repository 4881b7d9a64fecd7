//! The repositories of the App's installations, learnt at start: webhooks and uploads add what comes later.

use crate::{GitHub, ROLE, work::Work};
use stackwave_domain::{WorkspaceId, event::RepositoryRegistered};
use stackwave_github::port::{CallError, RepositoryFound};
use stackwave_runtime::{Core, Turn, registry};
use std::time::Duration;

/// GitHub may be out of reach at start: asked again after a second, then less and less often.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Asks GitHub until it answers, and registers what it names.
pub async fn run(core: Core, github: GitHub) {
    let mut wait = FIRST_WAIT;
    loop {
        match github.repositories.all().await {
            Ok(found) => {
                core.health.detail("github", "reachable");
                tracing::info!(
                    repositories = found.len(),
                    "learnt the repositories of the App's installations"
                );
                for repository in found {
                    register(&core, repository).await;
                }
                return;
            }
            Err(error @ CallError::Unauthorized(_)) => {
                core.health.detail("github", error.to_string());
                tracing::warn!(%error, "the App's installations cannot be listed");
            }
            Err(error) => {
                core.health.detail("github", error.to_string());
                tracing::warn!(%error, "the App's installations cannot be listed; asking again");
            }
        }
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
        }
    }
}

/// A repository is known, but not through which installation it is reached (the App was removed from it and may be
/// back, or no webhook has told it): asks GitHub, now and then, until it says. The configuration's change then asks the
/// dispatcher again.
pub(crate) fn find(core: &Core, github: &GitHub, work: &Work, turn: &Turn<'_>) {
    let Some(repository) = turn.config.repository(turn.repository.id) else { return };
    if std::mem::replace(&mut work.lock().finding, true) {
        return;
    }
    let (core, github, work, name) = (core.clone(), github.clone(), work.clone(), repository.name.clone());
    let (poke, id) = (turn.poke.clone(), turn.repository.id);
    tokio::spawn(async move {
        match github.repositories.by_name(&name).await {
            Ok(found) => register(&core, found).await,
            Err(error) => {
                core.health.detail("github", error.to_string());
                tracing::warn!(%error, repository.name = %name, "the App's installation in a repository cannot be found");
                tokio::select! {
                    () = core.shutdown.cancelled() => return,
                    () = tokio::time::sleep(LONGEST_WAIT) => {},
                }
            }
        }
        work.lock().finding = false;
        poke.ask_again(id);
    });
}

async fn register(core: &Core, found: RepositoryFound) {
    let workspace = core
        .config
        .read(|config| config.repository(found.id).map(|known| known.workspace.clone()))
        .unwrap_or_else(WorkspaceId::default_workspace);
    let registered = RepositoryRegistered {
        repository: found.id,
        name: found.name,
        default_branch: found.default_branch,
        installation: Some(found.installation),
        workspace,
    };
    if let Err(error) = registry::register_repository(core, ROLE, registered).await {
        // The next webhook or upload of the repository registers it.
        tracing::warn!(%error, repository.id = %found.id, "a repository cannot be registered");
    }
}
