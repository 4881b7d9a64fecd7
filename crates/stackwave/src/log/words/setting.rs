//! What the configuration stream holds.

use super::source;
use stackwave_domain::event::{
    InstallationObserved, InstallationRepositoriesObserved, RepositoryRef, RepositoryRegistered,
};

pub(super) fn repository(registered: &RepositoryRegistered) -> String {
    let installation = match registered.installation {
        Some(installation) => format!("installation {installation}"),
        None => "no installation".to_owned(),
    };
    format!(
        "{} ({}), default branch {}, {installation}, workspace {}",
        registered.name, registered.repository, registered.default_branch, registered.workspace
    )
}

pub(super) fn installation(observed: &InstallationObserved) -> String {
    format!(
        "installation {} of {} {}: {}{}",
        observed.installation,
        observed.account,
        observed.action,
        names(&observed.repositories),
        source(&observed.source)
    )
}

pub(super) fn installation_repositories(change: &InstallationRepositoriesObserved) -> String {
    format!(
        "installation {} gained {} and lost {}{}",
        change.installation,
        names(&change.added),
        names(&change.removed),
        source(&change.source)
    )
}

fn names(repositories: &[RepositoryRef]) -> String {
    let names: Vec<String> = repositories.iter().map(|repository| repository.name.to_string()).collect();
    if names.is_empty() { "no repositories".to_owned() } else { names.join(", ") }
}
