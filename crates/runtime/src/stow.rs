//! Keeping large payloads out of records, and getting them back before a record is folded (design §3.1).

use serde::Serialize;
use stackwave_domain::{
    Entry,
    digest::{BlobRef, Stored},
};
use stackwave_event_log::{EventLog, LogError};
use std::{collections::BTreeMap, sync::Arc};

/// Puts a payload into the blob store when its JSON is larger than `limit` bytes.
///
/// # Errors
/// The blob store is out of reach.
pub async fn stow<T: Serialize>(
    log: &Arc<dyn EventLog>,
    stored: Stored<T>,
    limit: usize,
) -> Result<Stored<T>, LogError> {
    let Stored::Inline(value) = &stored else { return Ok(stored) };
    // Serialising into memory cannot fail: every key is a string.
    let json = serde_json::to_vec(value.as_ref()).unwrap_or_default();
    if json.len() <= limit {
        return Ok(stored);
    }
    let bytes = json.len() as u64;
    let digest = log.put_blob(json.into()).await?;
    Ok(Stored::Blob(BlobRef { digest, bytes }))
}

/// Fetches the blobs that some records refer to and puts them in their places.
///
/// # Errors
/// A blob is missing, unreadable or out of reach.
pub async fn hydrate(log: &Arc<dyn EventLog>, entries: &mut [Entry]) -> Result<(), LogError> {
    for entry in entries {
        let missing = entry.record.missing_blobs();
        if missing.is_empty() {
            continue;
        }
        let mut blobs = BTreeMap::new();
        for blob in missing {
            if let Some(bytes) = log.get_blob(&blob.digest).await? {
                blobs.insert(blob.digest, bytes);
            }
        }
        entry.record.hydrate(|blob: &BlobRef| blobs.get(&blob.digest).map(|bytes| bytes.to_vec()))?;
    }
    Ok(())
}
