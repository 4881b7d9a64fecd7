//! What the configuration stream holds besides installations.

use crate::{
    CredentialId, GitRef, InstallationId, Position, RepositoryId, RepositoryName, Timestamp, WorkspaceId,
    digest::Digest,
};
use serde::{Deserialize, Serialize};

/// A repository as it is known from now on. The last one of an id wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRegistered {
    /// GitHub's id.
    pub repository: RepositoryId,
    /// Its name.
    #[serde(flatten)]
    pub name: RepositoryName,
    /// Its default branch.
    pub default_branch: GitRef,
    /// The installation through which we reach it; none when the App was removed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
}

/// An API key became valid. The key itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRegistered {
    /// Names the key.
    pub credential: CredentialId,
    /// The workspace that it opens.
    pub workspace: WorkspaceId,
    /// For people.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: Digest,
    /// When.
    pub at: Timestamp,
}

/// What became of an upload that waited for its repository to be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUploadResolved {
    /// The upload's place in the configuration stream.
    pub upload: Position,
    /// The repository; none when GitHub knows no such repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryId>,
}
