//! Keeping large payloads out of records (design §3.1).

use serde::Serialize;
use stackwave_domain::digest::{BlobRef, Stored};
use stackwave_event_log::{EventLog, LogError};
use std::sync::Arc;

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
