//! Repositories become known by the webhooks that name them.

use crate::ACTOR;
use stackwave_domain::{
    Event, InstallationId, WorkspaceId,
    event::{RepositoryRef, RepositoryRegistered},
};
use stackwave_runtime::{Core, registry::register_repository};
use std::time::Duration;

/// Makes sure that the repositories are known as the webhook tells. Failing is no reason to lose the webhook: the next
/// one tells it again.
pub(crate) async fn learn(
    core: &Core,
    patience: Duration,
    named: Vec<(RepositoryRef, Option<InstallationId>)>,
) {
    let learning = async {
        for (repository, installation) in named {
            let id = repository.id;
            let Some(registered) = registration(core, repository, installation) else { continue };
            if let Err(error) = register_repository(core, ACTOR, registered).await {
                tracing::warn!(repository.id = id.0, %error, "a repository could not be registered; its next webhook tries again");
            }
        }
    };
    if tokio::time::timeout(patience, learning).await.is_err() {
        tracing::warn!("registering repositories took too long; their next webhooks try again");
    }
}

/// What is known of the repository from now on; none when that is known already, or the payload does not tell enough.
fn registration(
    core: &Core,
    repository: RepositoryRef,
    installation: Option<InstallationId>,
) -> Option<RepositoryRegistered> {
    let known = core.config.read(|config| config.repository(repository.id).cloned());
    let (branch, old_installation, workspace) = match &known {
        Some(known) => (Some(known.default_branch.clone()), known.installation, known.workspace.clone()),
        None => (None, None, WorkspaceId::default_workspace()),
    };
    let registered = RepositoryRegistered {
        repository: repository.id,
        name: repository.name,
        default_branch: repository.default_branch.or(branch)?,
        installation: installation.or(old_installation),
        workspace,
    };
    let same = known.is_some_and(|known| {
        known.name == registered.name
            && known.default_branch == registered.default_branch
            && known.installation == registered.installation
    });
    (!same).then_some(registered)
}

/// The repositories that an event of the App names as its own from now on.
pub(crate) fn named_by(event: &Event) -> Vec<(RepositoryRef, Option<InstallationId>)> {
    match event {
        Event::InstallationObserved(observed)
            if !matches!(observed.action.as_str(), "deleted" | "suspend") =>
        {
            with(&observed.repositories, observed.installation)
        }
        Event::InstallationRepositoriesObserved(observed) => with(&observed.added, observed.installation),
        _ => Vec::new(),
    }
}

fn with(
    repositories: &[RepositoryRef],
    installation: InstallationId,
) -> Vec<(RepositoryRef, Option<InstallationId>)> {
    repositories.iter().map(|repository| (repository.clone(), Some(installation))).collect()
}
