//! The fold of the configuration stream: who may upload and ask, which repositories there are, which uploads wait for
//! theirs.

mod credential;

use self::credential::Credentials;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CredentialId, Digest, Entry, Event, GitRef, InstallationId, Position, Record, RepositoryId,
    RepositoryName, Timestamp, WorkspaceId,
    event::{InstallationObserved, RepositoryRegistered, UploadReceived},
};
use std::collections::{BTreeMap, BTreeSet};

pub use self::credential::{AdminToken, ApiKey, Credential, Revoked, Standing};

/// A repository as it is known at this position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// GitHub's id.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// Its default branch.
    pub default_branch: GitRef,
    /// The installation through which it is reached; none when the App was removed from it.
    pub installation: Option<InstallationId>,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
}

/// A workspace that somebody created. Others exist by what belongs to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// For people; may be empty.
    pub description: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The App in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The account's login.
    pub account: String,
    /// The last thing that GitHub said of it.
    pub last_action: String,
    /// When that was recorded.
    pub updated_at: Timestamp,
}

/// The configuration at one position of its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    position: Position,
    repositories: BTreeMap<RepositoryId, Repository>,
    by_name: BTreeMap<String, RepositoryId>,
    credentials: Credentials,
    workspaces: BTreeMap<WorkspaceId, Workspace>,
    installations: BTreeMap<InstallationId, Installation>,
    pending: BTreeMap<Position, UploadReceived>,
    gone_installations: BTreeSet<InstallationId>,
}

impl Config {
    /// Folds one record. Records at or before the position are known already and change nothing.
    pub fn apply(&mut self, entry: &Entry) {
        if entry.position <= self.position {
            return;
        }
        self.position = entry.position;
        for event in &entry.record.events {
            self.apply_event(entry.position, &entry.record, event);
        }
    }

    fn apply_event(&mut self, position: Position, record: &Record, event: &Event) {
        match event {
            Event::RepositoryRegistered(registered) => self.register(registered),
            Event::ApiKeyRegistered(key) => self.credentials.register_key(position, record, key),
            Event::AdminTokenRegistered(token) => self.credentials.register_token(position, record, token),
            Event::ApiKeyRevoked(revoked) => {
                let (by, reason) = (record.actor.clone(), revoked.reason.clone());
                self.credentials.revoke_key(&revoked.credential, Revoked { at: revoked.at, by, reason });
            }
            Event::AdminTokenRevoked(revoked) => {
                let (by, reason) = (record.actor.clone(), revoked.reason.clone());
                self.credentials.revoke_token(&revoked.credential, Revoked { at: revoked.at, by, reason });
            }
            Event::CredentialUsed(used) => self.credentials.used(&used.credential, used.at),
            Event::WorkspaceRegistered(workspace) => {
                let (description, created_at) = (workspace.description.clone(), workspace.at);
                self.workspaces.insert(workspace.workspace.clone(), Workspace { description, created_at });
            }
            Event::InstallationObserved(installation) => self.observe_installation(record.at, installation),
            Event::InstallationRepositoriesObserved(change) => {
                for removed in &change.removed {
                    if let Some(repository) = self.repositories.get_mut(&removed.id) {
                        repository.installation = None;
                    }
                }
                for added in &change.added {
                    if let Some(repository) = self.repositories.get_mut(&added.id) {
                        repository.installation = Some(change.installation);
                    }
                }
            }
            Event::UploadReceived(upload) => {
                self.pending.insert(position, upload.clone());
            }
            Event::PendingUploadResolved(resolved) => {
                self.pending.remove(&resolved.upload);
            }
            _ => {}
        }
    }

    fn register(&mut self, registered: &RepositoryRegistered) {
        if let Some(known) = self.repositories.get(&registered.repository) {
            let old = known.name.key();
            if self.by_name.get(&old) == Some(&registered.repository) {
                self.by_name.remove(&old);
            }
        }
        self.by_name.insert(registered.name.key(), registered.repository);
        if let Some(installation) = registered.installation {
            self.gone_installations.remove(&installation);
        }
        self.repositories.insert(
            registered.repository,
            Repository {
                id: registered.repository,
                name: registered.name.clone(),
                default_branch: registered.default_branch.clone(),
                installation: registered.installation,
                workspace: registered.workspace.clone(),
            },
        );
    }

    fn observe_installation(&mut self, at: Timestamp, observed: &InstallationObserved) {
        let (account, last_action) = (observed.account.clone(), observed.action.clone());
        self.installations
            .insert(observed.installation, Installation { account, last_action, updated_at: at });
        let gone = matches!(observed.action.as_str(), "deleted" | "suspend");
        if gone {
            self.gone_installations.insert(observed.installation);
        } else {
            self.gone_installations.remove(&observed.installation);
        }
    }

    /// How far the configuration stream was folded.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// A repository by its id.
    #[must_use]
    pub fn repository(&self, id: RepositoryId) -> Option<&Repository> {
        self.repositories.get(&id)
    }

    /// A repository by its name, without regard to case.
    #[must_use]
    pub fn find_repository(&self, name: &RepositoryName) -> Option<&Repository> {
        self.by_name.get(&name.key()).and_then(|id| self.repositories.get(id))
    }

    /// The installation through which a repository can be reached now.
    #[must_use]
    pub fn installation_of(&self, id: RepositoryId) -> Option<InstallationId> {
        let installation = self.repositories.get(&id)?.installation?;
        (!self.gone_installations.contains(&installation)).then_some(installation)
    }

    /// Every repository, by id.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// The API key with this hash, valid or not.
    #[must_use]
    pub fn api_key(&self, hash: &Digest) -> Option<&ApiKey> {
        self.credentials.keys.by_hash(hash)
    }

    /// The API key with this id, valid or not.
    #[must_use]
    pub fn find_api_key(&self, id: &CredentialId) -> Option<&ApiKey> {
        self.credentials.keys.by_id(id)
    }

    /// Every API key, by id.
    pub fn api_keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.credentials.keys.all()
    }

    /// The token of the admin API with this hash, valid or not.
    #[must_use]
    pub fn admin_token(&self, hash: &Digest) -> Option<&AdminToken> {
        self.credentials.tokens.by_hash(hash)
    }

    /// The token of the admin API with this id, valid or not.
    #[must_use]
    pub fn find_admin_token(&self, id: &CredentialId) -> Option<&AdminToken> {
        self.credentials.tokens.by_id(id)
    }

    /// Every token of the admin API, by id.
    pub fn admin_tokens(&self) -> impl Iterator<Item = &AdminToken> {
        self.credentials.tokens.all()
    }

    /// What is known of a workspace that somebody created.
    #[must_use]
    pub fn workspace(&self, name: &WorkspaceId) -> Option<&Workspace> {
        self.workspaces.get(name)
    }

    /// Every workspace: `default`, those that somebody created, and those that a repository or an API key names.
    #[must_use]
    pub fn workspaces(&self) -> BTreeSet<WorkspaceId> {
        let of_repositories = self.repositories.values().map(|repository| repository.workspace.clone());
        let of_keys = self.credentials.keys.all().map(|key| key.workspace.clone());
        let created = self.workspaces.keys().cloned();
        of_repositories.chain(of_keys).chain(created).chain([WorkspaceId::default_workspace()]).collect()
    }

    /// Every installation of the App that GitHub told of, by id.
    pub fn installations(&self) -> impl Iterator<Item = (InstallationId, &Installation)> {
        self.installations.iter().map(|(id, installation)| (*id, installation))
    }

    /// Whether an installation can be used: neither deleted nor suspended.
    #[must_use]
    pub fn is_active(&self, installation: InstallationId) -> bool {
        !self.gone_installations.contains(&installation)
    }

    /// Uploads whose repository is not known yet, oldest first, by their place in the configuration stream.
    pub fn pending_uploads(&self) -> impl Iterator<Item = (Position, &UploadReceived)> {
        self.pending.iter().map(|(position, upload)| (*position, upload))
    }
}
