//! From an upload that was read to a record that is durable.

use crate::{
    ACTOR,
    api::Api,
    batches::{BatchKey, StoredChunk, Verdict},
    envelope::Context,
    error::Error,
    patience::{Attempt, patiently},
    repository::Place,
    upload::Read,
};
use bytes::Bytes;
use stackwave_domain::{
    Digest, Event, Position, Record, RecordId, StreamId, Subject, Timestamp, codec,
    digest::{BlobRef, Stored as Kept},
    event::{Batch, UploadReceived},
};
use stackwave_engine::config::ApiKey;
use stackwave_event_log::{Append, Appended};
use std::sync::PoisonError;

/// The largest record that carries its fragment itself; larger fragments become blobs. Below the log's own limit, as
/// the dispatcher appends a parked upload once more with a word about where it came from.
const MAX_INLINE_RECORD_BYTES: usize = 700 * 1024;

/// An upload with everything that came with it.
pub(crate) struct Received {
    pub(crate) caller: ApiKey,
    pub(crate) received_at: Timestamp,
    pub(crate) client: Option<String>,
    pub(crate) read: Read,
}

/// An upload in the log.
pub(crate) struct Stored {
    pub(crate) upload: RecordId,
    /// Its repository has to be looked up first.
    pub(crate) pending: bool,
    /// The same chunk was there already.
    pub(crate) duplicate: bool,
}

/// Stores an upload and returns once it is durable.
pub(crate) async fn store(
    api: &Api,
    context: &Context,
    place: Place,
    received: Received,
) -> Result<Stored, Error> {
    let batch = received.read.upload.batch.clone();
    let chunk = batch.as_ref().map(|batch| {
        BatchKey::new(&received.read.upload.repository, &received.caller.credential.id, &batch.id)
    });
    let digest = received.read.digest.clone();
    if let (Some(key), Some(batch)) = (&chunk, &batch)
        && let Some(stored) = judge(api, key, batch, &digest)?
    {
        return Ok(stored);
    }
    let pending = place == Place::Pending;
    let message_id = batch.as_ref().map(|batch| message_id(place, &received, batch));
    let appended = append(api, context, place, message_id, received).await?;
    tracing::Span::current().record("position", appended.receipt.position.0);
    let mut stored =
        Stored { upload: appended.receipt.record.clone(), pending, duplicate: appended.duplicate };
    if let (Some(key), Some(batch)) = (chunk, batch) {
        if appended.duplicate {
            stored.upload = first_upload(api, place, appended.receipt.position, &batch, &digest).await?;
        }
        let stored_chunk = StoredChunk { digest, upload: stored.upload.clone(), pending };
        api.batches.lock().unwrap_or_else(PoisonError::into_inner).remember(key, &batch, stored_chunk);
    }
    Ok(stored)
}

/// What this process knows of the chunk already.
fn judge(api: &Api, key: &BatchKey, batch: &Batch, digest: &Digest) -> Result<Option<Stored>, Error> {
    match api.batches.lock().unwrap_or_else(PoisonError::into_inner).judge(key, batch, digest) {
        Verdict::New => Ok(None),
        Verdict::Repeat(StoredChunk { upload, pending, .. }) => {
            Ok(Some(Stored { upload, pending, duplicate: true }))
        }
        Verdict::OtherContent => Err(other_chunk(batch)),
        Verdict::OtherTotal(known) => {
            Err(Error::OtherTotal { batch: batch.id.to_string(), known, total: batch.total })
        }
    }
}

fn other_chunk(batch: &Batch) -> Error {
    Error::OtherChunk { batch: batch.id.to_string(), index: batch.index }
}

/// Whole uploads have none: an apply upload may equal the plan upload byte for byte (design §4.1).
fn message_id(place: Place, received: &Received, batch: &Batch) -> String {
    let repository = match place {
        Place::Known(repository) => repository.to_string(),
        Place::Pending => received.read.upload.repository.key(),
    };
    format!("upload:{repository}:{}:{}:{}", received.caller.credential.id, batch.id, batch.index)
}

fn subject(api: &Api, place: Place) -> Subject {
    match place {
        Place::Known(repository) => {
            Subject::upload(StreamId::of_repository(repository, api.core.log.partitions()), repository)
        }
        Place::Pending => Subject::config_upload(),
    }
}

async fn append(
    api: &Api,
    context: &Context,
    place: Place,
    message_id: Option<String>,
    received: Received,
) -> Result<Appended, Error> {
    let Received { caller, received_at, client, read } = received;
    let raw = put(api, read.raw).await?;
    let event = UploadReceived {
        workspace: caller.workspace,
        credential: caller.credential.id,
        repository: read.upload.repository,
        head_sha: read.upload.head_sha,
        base_sha: read.upload.base_sha,
        digest: read.digest,
        raw,
        received_at,
        client,
        batch: read.upload.batch,
        fragment: Kept::inline(read.upload.fragment),
    };
    let record = record(api, context, event).await?;
    let append = Append { message_id, ..Append::any(subject(api, place), record) };
    patiently(&api.core, api.config.append_patience, || async {
        // Without an expectation an unknown outcome is mended by appending the same record again: the fold knows a
        // record by its id.
        api.core.log.append(append.clone()).await.map_err(Attempt::from)
    })
    .await
}

/// The record, with the fragment inside if it is small enough.
async fn record(api: &Api, context: &Context, event: UploadReceived) -> Result<Record, Error> {
    let mut record = api.core.record(ACTOR, vec![event.into()]);
    record.correlation = Some(record.id.to_string());
    record.trace = Some(context.traceparent());
    if codec::encode(&record).is_ok_and(|bytes| bytes.len() <= MAX_INLINE_RECORD_BYTES) {
        return Ok(record);
    }
    for event in &mut record.events {
        if let Event::UploadReceived(upload) = event
            && let Some(fragment) = upload.fragment.get().cloned()
        {
            let bytes = serde_json::to_vec(&*fragment).map_err(|error| Error::Internal(error.to_string()))?;
            upload.fragment = Kept::Blob(put(api, bytes.into()).await?);
        }
    }
    Ok(record)
}

async fn put(api: &Api, bytes: Bytes) -> Result<BlobRef, Error> {
    let size = bytes.len() as u64;
    let digest = patiently(&api.core, api.config.append_patience, || async {
        api.core.log.put_blob(bytes.clone()).await.map_err(Attempt::from)
    })
    .await?;
    Ok(BlobRef { digest, bytes: size })
}

/// The log knew the chunk's message id: the chunk that is there must be the same.
async fn first_upload(
    api: &Api,
    place: Place,
    position: Position,
    batch: &Batch,
    digest: &Digest,
) -> Result<RecordId, Error> {
    let stream = subject(api, place).stream();
    let entries = patiently(&api.core, api.config.append_patience, || async {
        api.core.log.read(stream, position, 1).await.map_err(Attempt::from)
    })
    .await?;
    let first = entries.into_iter().next().filter(|entry| entry.position == position);
    let first =
        first.ok_or_else(|| Error::Internal(format!("no record at position {position} of {stream}")))?;
    let same = first.record.events.iter().any(|event| match event {
        Event::UploadReceived(upload) => upload.digest == *digest,
        _ => false,
    });
    if same { Ok(first.record.id) } else { Err(other_chunk(batch)) }
}
