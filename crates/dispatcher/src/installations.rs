//! The repositories of the App's installations, learnt at start: webhooks and uploads add what comes later.

use crate::{GitHub, ROLE, work::Work};
use stackwave_domain::{
    Subject, WorkspaceId,
    event::{InstallationObserved, RepositoryRegistered, Source},
};
use stackwave_event_log::Append;
use stackwave_github::port::{CallError, RepositoryFound};
use stackwave_runtime::{Core, Turn, registry};
use std::time::Duration;

/// GitHub may be out of reach at start: asked again after a second, then less and less often.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait before the installation of one repository is asked for again.
const FIND_AGAIN: Duration = Duration::from_secs(3600);

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

/// A repository is known, but not through which installation it is reached (the App was removed or suspended, and may be
/// back without a webhook having told it): asks GitHub while something is to be done there, less and less often. The
/// configuration's change then asks the dispatcher again.
pub(crate) fn find(core: &Core, github: &GitHub, work: &Work, turn: &Turn<'_>) {
    let idle = turn.repository.active_runs().is_empty() && turn.repository.open_claims().next().is_none();
    let Some(repository) = turn.config.repository(turn.repository.id).filter(|_| !idle) else { return };
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
            }
        }
        let reachable = core.config.read(|config| config.installation_of(id).is_some());
        if !reachable {
            let times = work.lock().not_found;
            tokio::select! {
                () = core.shutdown.cancelled() => return,
                () = tokio::time::sleep((LONGEST_WAIT * 2u32.saturating_pow(times.min(6))).min(FIND_AGAIN)) => {},
            }
        }
        {
            let mut under_way = work.lock();
            under_way.finding = false;
            under_way.not_found = if reachable { 0 } else { under_way.not_found + 1 };
        }
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
    let (id, account) = (found.id, registered.name.owner.clone());
    if let Err(error) = registry::register_repository(core, ROLE, registered).await {
        // The next webhook or upload of the repository registers it.
        tracing::warn!(%error, repository.id = %id, "a repository cannot be registered");
    }
    // GitHub signs us in there: an installation that was suspended or deleted is back, whatever its webhooks told.
    if core.config.read(|config| config.installation_of(id).is_none()) {
        let listed = InstallationObserved {
            source: Source::Poll { asked_at: core.config.read(stackwave_engine::Config::position) },
            action: "listed".to_owned(),
            installation: found.installation,
            account,
            repositories: Vec::new(),
        };
        let record = core.record(ROLE, vec![listed.into()]);
        match core.log.append(Append::any(Subject::config_github("installation"), record)).await {
            Ok(appended) => core.config.wait_for(appended.receipt.position).await,
            Err(error) => tracing::warn!(%error, "an installation cannot be recorded"),
        }
    }
}
