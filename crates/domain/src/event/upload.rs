//! What Atmos told us.

use crate::{
    BatchId, CommitSha, CredentialId, Fragment, RepositoryName, Timestamp, WorkspaceId,
    digest::{BlobRef, Digest, Stored},
};
use serde::{Deserialize, Serialize};

/// An upload, whole or one chunk, as ingest-api accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadReceived {
    /// The workspace of the credential.
    pub workspace: WorkspaceId,
    /// The credential.
    pub credential: CredentialId,
    /// The repository as the upload names it.
    pub repository: RepositoryName,
    /// The commit that the upload describes; which one that is depends on the event (contract §7).
    pub head_sha: CommitSha,
    /// The commit that it was compared with; may be empty.
    pub base_sha: CommitSha,
    /// SHA-256 of the body: equal bodies are repeats.
    pub digest: Digest,
    /// The body, as received but for credentials in `repo_url`.
    pub raw: BlobRef,
    /// When the whole body had arrived, by ingest-api's clock.
    pub received_at: Timestamp,
    /// The client's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Which chunk this is; none for a whole upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Stacks, edges and settings of this body.
    pub fragment: Stored<Fragment>,
}

/// The place of one chunk in its upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The same for all chunks of one upload.
    pub id: BatchId,
    /// 0-based.
    pub index: u32,
    /// How many chunks there are.
    pub total: u32,
}

/// GitHub was asked which pull requests hold an upload's commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadLookedUp {
    /// The upload's commit.
    pub head_sha: CommitSha,
    /// The pull requests that GitHub named; each is observed in the same record.
    pub pull_requests: Vec<crate::PrNumber>,
}
