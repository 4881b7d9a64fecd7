//! The envelope in which events travel: one immutable message of the log.

use crate::{
    Position, RecordId, Subject, Timestamp,
    digest::{BlobRef, Stored},
    event::Event,
};
use serde::{Deserialize, Serialize};

/// The schema version that this code writes. A reader that meets a greater one stops acting on that repository.
pub const SCHEMA_VERSION: u32 = 1;

/// The largest record that any log takes, in bytes of its JSON (design §3.1). Larger payloads go to the blob store.
pub const MAX_RECORD_BYTES: usize = 768 * 1024;

/// One or more events that belong together: all of them are in the log, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, once and for ever.
    pub id: RecordId,
    /// The schema version.
    pub v: u32,
    /// When it was written, by the writer's clock.
    pub at: Timestamp,
    /// Who wrote it: a role, or a person.
    pub actor: String,
    /// The position that made the writer write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Position>,
    /// The run, upload or delivery that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// W3C trace context (`traceparent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What its decisions were decided from; only on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// What happened.
    pub events: Vec<Event>,
}

/// What a decision was decided from, so that it can be decided again (design §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The engine's version.
    pub engine: u32,
    /// The moment that was passed in as now.
    pub now: Timestamp,
    /// How far the configuration was folded.
    pub config: Position,
}

impl Record {
    /// A record of this schema version with nothing but the necessary.
    pub fn new(id: RecordId, at: Timestamp, actor: impl Into<String>, events: Vec<Event>) -> Self {
        Self {
            id,
            v: SCHEMA_VERSION,
            at,
            actor: actor.into(),
            cause: None,
            correlation: None,
            trace: None,
            basis: None,
            events,
        }
    }

    /// The position that caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: Position) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The run, upload or delivery that it belongs to.
    #[must_use]
    pub fn about(mut self, correlation: impl Into<String>) -> Self {
        self.correlation = Some(correlation.into());
        self
    }

    /// What its decisions were decided from.
    #[must_use]
    pub const fn decided_from(mut self, basis: Basis) -> Self {
        self.basis = Some(basis);
        self
    }

    /// The blobs that have to be fetched before the record can be folded.
    #[must_use]
    pub fn missing_blobs(&self) -> Vec<BlobRef> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::UploadReceived(upload) => blob_of(&upload.fragment),
                Event::RunOpened(run) => blob_of(&run.plan),
                _ => None,
            })
            .collect()
    }

    /// Every blob that the record refers to, whether folding needs it or not: what has to be kept as long as the record.
    #[must_use]
    pub fn blobs(&self) -> Vec<BlobRef> {
        let mut blobs = self.missing_blobs();
        for event in &self.events {
            match event {
                Event::UploadReceived(upload) => blobs.push(upload.raw.clone()),
                Event::CheckpointWritten(checkpoint) => blobs.push(checkpoint.state.clone()),
                _ => {}
            }
        }
        blobs
    }

    /// Puts fetched blobs in their places.
    ///
    /// # Errors
    /// A blob is not what the event says it is.
    pub fn hydrate(&mut self, fetch: impl Fn(&BlobRef) -> Option<Vec<u8>>) -> Result<(), HydrateError> {
        for event in &mut self.events {
            match event {
                Event::UploadReceived(upload) => fill(&mut upload.fragment, &fetch)?,
                Event::RunOpened(run) => fill(&mut run.plan, &fetch)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A blob could not be put in its place.
#[derive(Debug, thiserror::Error)]
pub enum HydrateError {
    /// It was not fetched.
    #[error("the blob {0} is missing")]
    Missing(crate::Digest),
    /// It cannot be read.
    #[error("the blob {digest} cannot be read: {error}")]
    Unreadable {
        /// Which blob.
        digest: crate::Digest,
        /// Why.
        error: serde_json::Error,
    },
}

fn blob_of<T>(stored: &Stored<T>) -> Option<BlobRef> {
    match stored {
        Stored::Inline(_) => None,
        Stored::Blob(blob) => Some(blob.clone()),
    }
}

fn fill<T: serde::de::DeserializeOwned>(
    stored: &mut Stored<T>,
    fetch: &impl Fn(&BlobRef) -> Option<Vec<u8>>,
) -> Result<(), HydrateError> {
    let Stored::Blob(blob) = stored else { return Ok(()) };
    let bytes = fetch(blob).ok_or_else(|| HydrateError::Missing(blob.digest.clone()))?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| HydrateError::Unreadable { digest: blob.digest.clone(), error })?;
    *stored = Stored::inline(value);
    Ok(())
}

/// A record with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the subject's stream.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// What it says.
    pub record: Record,
}
