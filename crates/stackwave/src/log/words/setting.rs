//! What the configuration stream holds.

use super::source;
use stackwave_domain::{
    CredentialId, Timestamp,
    event::{
        AdminTokenRegistered, ApiKeyRegistered, InstallationObserved, InstallationRepositoriesObserved,
        RepositoryRef, RepositoryRegistered, WorkspaceRegistered,
    },
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

pub(super) fn api_key(key: &ApiKeyRegistered) -> String {
    format!("`{}` as {} for workspace {}{}", key.name, key.credential, key.workspace, until(key.expires_at))
}

pub(super) fn admin_token(token: &AdminTokenRegistered) -> String {
    format!(
        "`{}` as {} with role {}{}",
        token.name,
        token.credential,
        token.role.as_str(),
        until(token.expires_at)
    )
}

pub(super) fn revoked(credential: &CredentialId, reason: &str) -> String {
    match reason {
        "" => credential.to_string(),
        reason => format!("{credential}: {reason}"),
    }
}

pub(super) fn workspace(workspace: &WorkspaceRegistered) -> String {
    match workspace.description.as_str() {
        "" => workspace.workspace.to_string(),
        description => format!("{}: {description}", workspace.workspace),
    }
}

fn until(expires_at: Option<Timestamp>) -> String {
    expires_at.map(|at| format!(", until {at}")).unwrap_or_default()
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
