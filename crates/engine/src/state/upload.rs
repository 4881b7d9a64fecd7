//! Uploads: whole ones, chunks that are united once all are in, and repeats.

use super::{Class, RepositoryState, fold::Fold, packed::PackedFragment};
use crate::planning;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    BatchId, CommitSha, CredentialId, Digest, Fragment, Position, RecordId, Timestamp, WorkspaceId,
    event::{Batch, UploadLookedUp, UploadReceived},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// When something was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where the log has it.
    pub position: Position,
    /// By ingest-api's clock.
    pub at: Timestamp,
    /// The record; one that was appended again is no repeat.
    pub record: RecordId,
}

/// A whole upload, once a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Of its bytes (of its chunks' digests, when it came in chunks).
    pub digest: Digest,
    /// Of its graph and settings, whatever the order of the bytes.
    pub graph: Digest,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The commit that it describes.
    pub head_sha: CommitSha,
    /// The commit that it was compared with.
    pub base_sha: CommitSha,
    /// The graph.
    pub fragment: PackedFragment,
    /// Every activity that an enabled stack of it configures.
    pub activities: BTreeSet<String>,
    /// The first time.
    pub first: Receipt,
    /// The last time: an equal upload later counts (design §4.1).
    pub last: Receipt,
    /// When GitHub was last asked for its pull request.
    pub looked_up: Option<Timestamp>,
    /// It opened a run.
    pub used: bool,
    /// W3C trace context of the record that brought it last.
    #[serde(default)]
    pub trace: Option<Arc<str>>,
}

/// An upload of which chunks are still missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// How many chunks there are.
    pub total: u32,
    /// The commit.
    pub head_sha: CommitSha,
    /// What is there, by index.
    pub chunks: BTreeMap<u32, (Digest, Arc<Fragment>)>,
    /// When the last chunk came.
    pub last_at: Timestamp,
    /// Where the log tells of the first.
    #[serde(default)]
    pub first: Position,
}

/// The key of a batch: two clients may use the same id (contract §3).
pub type BatchKey = (CredentialId, BatchId);

impl RepositoryState {
    pub(super) fn receive_upload(&mut self, fold: &Fold<'_>, upload: &UploadReceived) -> Class {
        let receipt =
            Receipt { position: fold.position, at: upload.received_at, record: fold.entry.record.id.clone() };
        let Some(fragment) = upload.fragment.get() else {
            return Class::Impossible("an upload was folded without its graph".to_owned());
        };
        match &upload.batch {
            None => self.add_upload(fold, receipt, upload, upload.digest.clone(), Arc::clone(fragment)),
            Some(batch) => self.add_chunk(fold, receipt, upload, batch, fragment),
        }
    }

    fn add_chunk(
        &mut self,
        fold: &Fold<'_>,
        receipt: Receipt,
        upload: &UploadReceived,
        batch: &Batch,
        fragment: &Arc<Fragment>,
    ) -> Class {
        let key = (upload.credential.clone(), batch.id.clone());
        if self.finished_batches.contains_key(&key) {
            return Class::Known;
        }
        let incomplete = self.batches.entry(key.clone()).or_insert_with(|| Incomplete {
            total: batch.total,
            head_sha: upload.head_sha.clone(),
            chunks: BTreeMap::new(),
            last_at: upload.received_at,
            first: receipt.position,
        });
        if incomplete.total != batch.total || batch.index >= batch.total {
            return Class::Impossible(format!(
                "chunk {} of {} does not fit the batch of {}",
                batch.index, batch.total, incomplete.total
            ));
        }
        if incomplete.head_sha != upload.head_sha {
            return Class::Impossible(format!("chunk {} is of another commit than the others", batch.index));
        }
        if let Some((digest, _)) = incomplete.chunks.get(&batch.index) {
            return if *digest == upload.digest {
                Class::Known
            } else {
                Class::Impossible(format!("chunk {} came twice with different content", batch.index))
            };
        }
        incomplete.chunks.insert(batch.index, (upload.digest.clone(), Arc::clone(fragment)));
        incomplete.last_at = incomplete.last_at.max(upload.received_at);
        if incomplete.chunks.len() < incomplete.total as usize {
            return Class::Applied;
        }
        let Some(complete) = self.batches.remove(&key) else { return Class::Applied };
        self.finished_batches.insert(key, upload.received_at);
        let digests: Vec<&str> = complete.chunks.values().map(|(digest, _)| digest.as_str()).collect();
        let digest = Digest::of_parts(&digests);
        let united = Fragment::unite(complete.chunks.values().map(|(_, fragment)| fragment.as_ref()));
        self.add_upload(fold, receipt, upload, digest, Arc::new(united))
    }

    fn add_upload(
        &mut self,
        fold: &Fold<'_>,
        receipt: Receipt,
        upload: &UploadReceived,
        digest: Digest,
        fragment: Arc<Fragment>,
    ) -> Class {
        let position = receipt.position;
        let trace = fold.trace();
        if let Some(known) = self.uploads.get_mut(&digest) {
            if known.last.record == receipt.record || known.first.record == receipt.record {
                return Class::Known;
            }
            if receipt.at >= known.last.at {
                known.last = receipt;
                known.trace = trace;
            }
        } else {
            let graph = fragment.graph_digest();
            self.uploads_by_sha.entry(upload.head_sha.clone()).or_default().push(digest.clone());
            self.uploads.insert(
                digest.clone(),
                Upload {
                    digest,
                    graph,
                    workspace: upload.workspace.clone(),
                    head_sha: upload.head_sha.clone(),
                    base_sha: upload.base_sha.clone(),
                    activities: planning::activities(&fragment),
                    fragment: PackedFragment::of(&fragment),
                    first: receipt.clone(),
                    last: receipt,
                    looked_up: None,
                    used: false,
                    trace,
                },
            );
        }
        self.mark_spare(position, &upload.head_sha);
        Class::Applied
    }

    /// An upload for a head whose plan run has its graph may be the apply upload that outran the merge's webhook, or
    /// the plan upload of a pull request whose reopening was not told.
    fn mark_spare(&mut self, position: Position, sha: &CommitSha) {
        for number in self.heads.get(sha).into_iter().flatten() {
            let Some(pull) = self.pulls.get_mut(number) else { continue };
            let planned = pull.activity.as_ref().is_some_and(|activity| activity.run.is_some());
            if pull.merged.is_none() && planned {
                pull.spare = Some(position);
            }
        }
    }

    pub(super) fn look_up_upload(&mut self, looked_up: &UploadLookedUp) -> Class {
        // Not the record's own time: whoever looked may have a clock behind the receiver's, and would look for ever.
        let at = self.last_at;
        for digest in self.uploads_by_sha.get(&looked_up.head_sha).into_iter().flatten() {
            if let Some(upload) = self.uploads.get_mut(digest) {
                upload.looked_up = Some(at);
            }
        }
        Class::Applied
    }

    /// The uploads of a commit, in the order in which they first came.
    pub fn uploads_of(&self, sha: &CommitSha) -> impl Iterator<Item = &Upload> {
        self.uploads_by_sha.get(sha).into_iter().flatten().filter_map(|digest| self.uploads.get(digest))
    }
}
