//! Bytes by their digest, in the object store.

use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind, ObjectStore};
use bytes::Bytes;
use stackwave_domain::Digest;
use stackwave_event_log::LogError;
use std::time::Duration;
use tokio::{io::AsyncReadExt as _, sync::Mutex};

/// A read that brings nothing for so long has lost its chunks: somebody else stored the blob anew in that moment, which
/// purges the chunks before.
const STALLED: Duration = Duration::from_secs(5);
/// So often a read is tried.
const TRIES: usize = 3;
/// Blobs from this size on are digested on a thread where that may take its time.
const LARGE: usize = 64 * 1024;
/// Puts of one process that share a lane go one after the other, so that one of two equal ones finds the other's.
const LANES: usize = 16;

/// The store of blobs.
pub(crate) struct Blobs {
    bucket: ObjectStore,
    lanes: [Mutex<()>; LANES],
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").finish_non_exhaustive()
    }
}

impl Blobs {
    pub(crate) fn new(bucket: ObjectStore) -> Self {
        Self { bucket, lanes: Default::default() }
    }

    /// Stores bytes unless they are there.
    pub(crate) async fn put(&self, bytes: Bytes) -> Result<Digest, LogError> {
        let digest = digest_of(bytes.clone()).await;
        let lane = usize::from(digest.as_str().bytes().next().unwrap_or(0)) % LANES;
        let _turn = self.lanes[lane].lock().await;
        if self.has(&digest, bytes.len()).await? {
            return Ok(digest);
        }
        self.bucket
            .put(digest.as_str(), &mut &bytes[..])
            .await
            .map_err(|error| LogError::Unavailable(format!("the blob {digest} was not stored: {error}")))?;
        Ok(digest)
    }

    async fn has(&self, digest: &Digest, bytes: usize) -> Result<bool, LogError> {
        match self.bucket.info(digest.as_str()).await {
            Ok(info) => Ok(!info.deleted && info.size == bytes),
            Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(false),
            Err(error) => Err(LogError::Unavailable(format!("the blob {digest} was not looked up: {error}"))),
        }
    }

    /// Reads bytes, and checks that they are those.
    pub(crate) async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        let mut trouble = String::new();
        for _ in 0..TRIES {
            match self.read(digest).await {
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

    async fn read(&self, digest: &Digest) -> Result<Option<Bytes>, String> {
        let mut object = match self.bucket.get(digest.as_str()).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut bytes = Vec::with_capacity(object.info().size);
        loop {
            match tokio::time::timeout(STALLED, object.read_buf(&mut bytes)).await {
                Ok(Ok(0)) => return Ok(Some(bytes.into())),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err(format!("nothing came for {} s", STALLED.as_secs())),
            }
        }
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
