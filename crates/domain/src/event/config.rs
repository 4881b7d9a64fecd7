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
    /// From when on it is not valid any more; none when it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An API key is not valid any more. The record's actor revoked it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// Which key.
    pub credential: CredentialId,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a token of the admin API may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Ask.
    Viewer,
    /// Give commands.
    Operator,
    /// Manage credentials and workspaces.
    Admin,
}

impl AdminRole {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A token of the admin API became valid. The token itself is never stored. The record's actor created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminTokenRegistered {
    /// Names the token.
    pub credential: CredentialId,
    /// For people, and the actor of its commands.
    pub name: String,
    /// What it may do.
    pub role: AdminRole,
    /// SHA-256 of the token.
    pub hash: Digest,
    /// When.
    pub at: Timestamp,
    /// From when on it is not valid any more; none when it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token of the admin API is not valid any more. The record's actor revoked it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminTokenRevoked {
    /// Which token.
    pub credential: CredentialId,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// An API key or a token of the admin API was used. Written at the first use and then every five minutes at most, as
/// best it can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialUsed {
    /// Which one.
    pub credential: CredentialId,
    /// When.
    pub at: Timestamp,
}

/// A workspace was created: repositories and API keys that only see each other. The last one of a name wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceRegistered {
    /// Its name.
    pub workspace: WorkspaceId,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
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
