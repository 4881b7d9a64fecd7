//! The fold of the configuration stream: who may upload, which repositories there are, which uploads wait for theirs.

use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CredentialId, Digest, Entry, Event, GitRef, InstallationId, Position, RepositoryId, RepositoryName,
    WorkspaceId,
    event::{InstallationObserved, RepositoryRegistered, UploadReceived},
};
use std::collections::{BTreeMap, BTreeSet};

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

/// An API key, known by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name in the log.
    pub credential: CredentialId,
    /// What it opens.
    pub workspace: WorkspaceId,
    /// For people.
    pub name: String,
}

/// The configuration at one position of its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    position: Position,
    repositories: BTreeMap<RepositoryId, Repository>,
    by_name: BTreeMap<String, RepositoryId>,
    keys: BTreeMap<Digest, ApiKey>,
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
            self.apply_event(entry.position, event);
        }
    }

    fn apply_event(&mut self, position: Position, event: &Event) {
        match event {
            Event::RepositoryRegistered(registered) => self.register(registered),
            Event::ApiKeyRegistered(key) => {
                let known = ApiKey {
                    credential: key.credential.clone(),
                    workspace: key.workspace.clone(),
                    name: key.name.clone(),
                };
                self.keys.insert(key.hash.clone(), known);
            }
            Event::InstallationObserved(installation) => self.observe_installation(installation),
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

    fn observe_installation(&mut self, observed: &InstallationObserved) {
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

    /// The key with this hash.
    #[must_use]
    pub fn api_key(&self, hash: &Digest) -> Option<&ApiKey> {
        self.keys.get(hash)
    }

    /// Uploads whose repository is not known yet, oldest first, by their place in the configuration stream.
    pub fn pending_uploads(&self) -> impl Iterator<Item = (Position, &UploadReceived)> {
        self.pending.iter().map(|(position, upload)| (*position, upload))
    }
}
