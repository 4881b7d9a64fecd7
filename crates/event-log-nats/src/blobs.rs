//! Bytes by their digest, in the object store.

use crate::objects::{Described, Objects};
use bytes::Bytes;
use stackwave_domain::{Digest, Timestamp};
use stackwave_event_log::{BlobInfo, Freed, LogError};
use tokio::sync::Mutex;

/// So often something is tried that another process may have come in the way of: a blob that is stored anew loses its
/// pieces under a reader.
const TRIES: usize = 3;
/// Blobs from this size on are digested on a thread where that may take its time.
const LARGE: usize = 64 * 1024;
/// Puts of one process that share a lane go one after the other, so that one of two equal ones finds the other's.
const LANES: usize = 16;

/// The store of blobs.
#[derive(Debug)]
pub(crate) struct Blobs {
    objects: Objects,
    lanes: [Mutex<()>; LANES],
}

impl Blobs {
    pub(crate) fn new(objects: Objects) -> Self {
        Self { objects, lanes: Default::default() }
    }

    /// Stores bytes. Where they are already they count as just stored, because they may be about to be removed.
    pub(crate) async fn put(&self, bytes: Bytes) -> Result<Digest, LogError> {
        let digest = digest_of(bytes.clone()).await;
        let lane = usize::from(digest.as_str().bytes().next().unwrap_or(0)) % LANES;
        let _turn = self.lanes[lane].lock().await;
        let not_stored = |error| LogError::Unavailable(format!("the blob {digest} was not stored: {error}"));
        if !self.keep(&digest, bytes.len()).await.map_err(not_stored)? {
            self.objects.put(digest.as_str(), &bytes).await.map_err(not_stored)?;
        }
        Ok(digest)
    }

    /// Makes sure that what is there stays; tells whether anything is.
    async fn keep(&self, digest: &Digest, bytes: usize) -> Result<bool, String> {
        for _ in 0..TRIES {
            match self.objects.find(digest.as_str()).await? {
                Some(object) if object.info.size == bytes => {
                    if self.objects.touch(&object).await? {
                        return Ok(true);
                    }
                }
                Some(_) | None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Reads bytes, and checks that they are those.
    pub(crate) async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        let mut trouble = String::new();
        for _ in 0..TRIES {
            match self.objects.read(digest.as_str()).await {
                Ok(Some(bytes)) if digest_of(bytes.clone()).await == *digest => return Ok(Some(bytes)),
                Ok(Some(bytes)) => {
                    let error = format!("its {} bytes have another digest", bytes.len());
                    return Err(LogError::Corrupt { at: format!("the blob {digest}"), error });
                }
                Ok(None) => return Ok(None),
                Err(error) => trouble = error,
            }
        }
        Err(LogError::Unavailable(format!("the blob {digest} was not read: {trouble}")))
    }

    /// All of them.
    pub(crate) async fn list(&self) -> Result<Vec<BlobInfo>, LogError> {
        let objects = self.objects.list().await;
        let objects =
            objects.map_err(|error| LogError::Unavailable(format!("the blobs were not listed: {error}")))?;
        Ok(objects.into_iter().map(info).collect())
    }

    /// Removes those that were not stored since.
    pub(crate) async fn delete(
        &self,
        digests: &[Digest],
        stored_before: Timestamp,
    ) -> Result<Freed, LogError> {
        let mut freed = Freed::default();
        for digest in digests {
            let removed = async {
                match self.objects.find(digest.as_str()).await? {
                    Some(object) if object.stored_at.is_none_or(|at| at < stored_before) => {
                        Ok(self.objects.remove(&object).await?.then(|| info(object)))
                    }
                    Some(_) | None => Ok(None),
                }
            };
            match removed.await {
                Ok(Some(blob)) => freed += Freed { count: 1, bytes: blob.bytes },
                Ok(None) => {}
                Err(error) => {
                    let error: String = error;
                    return Err(LogError::Unavailable(format!("the blob {digest} was not removed: {error}")));
                }
            }
        }
        Ok(freed)
    }
}

fn info(object: Described) -> BlobInfo {
    BlobInfo {
        digest: Digest::from_hex(&object.info.name),
        bytes: u64::try_from(object.info.size).unwrap_or(u64::MAX),
        stored_at: object.stored_at,
    }
}

async fn digest_of(bytes: Bytes) -> Digest {
    if bytes.len() < LARGE {
        return Digest::of(&bytes);
    }
    let copy = bytes.clone();
    match tokio::task::spawn_blocking(move || Digest::of(&copy)).await {
        Ok(digest) => digest,
        // The runtime is going down; there is no other thread to ask.
        Err(_) => Digest::of(&bytes),
    }
}
