//! `POST /api/v1/affected-stacks`: who, what, where, stored, answered.

use crate::{
    api::Api,
    body::{self, Packing},
    envelope::{self, Context},
    error::Error,
    parse::{self, Upload},
    repository::{self, Place},
    store::{self, Received, Stored},
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Value, json};
use stackwave_domain::Digest;
use stackwave_runtime::Outcome;
use std::sync::Arc;

/// The longest `User-Agent` that is kept, in characters.
const MAX_CLIENT_CHARS: usize = 200;

pub(crate) async fn upload(
    State(api): State<Arc<Api>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    if api.core.shutdown.is_cancelled() {
        return Err(Error::Draining);
    }
    let caller = api.authenticate(&headers)?;
    let packing = body::packing(&headers)?;
    let bytes = body::expected_bytes(&headers, packing, api.config.body_limit)?;
    let _memory = api.reserve(bytes).await?;
    let wire = body::receive(body, &api.config).await?;
    let received_at = api.core.clock.now();
    let read = read(&api, wire, packing).await?;
    let place = repository::resolve(&api, &caller, &read.upload.repository).await?;
    if let Place::Known(repository) = place {
        tracing::Span::current().record("repository.id", repository.0);
    }
    let summary = Summary::of(&read.upload);
    let received = Received { caller, received_at, client: client(&headers), read };
    let stored = store::store(&api, &context, place, received).await?;
    tracing::Span::current().record("upload.id", stored.upload.as_str());
    tracing::info!(
        stacks = summary.stacks,
        edges = summary.edges,
        pending = stored.pending,
        duplicate = stored.duplicate,
        "an upload is stored"
    );
    let outcome = match (stored.duplicate, stored.pending) {
        (true, _) => Outcome("duplicate"),
        (false, true) => Outcome("pending"),
        (false, false) => Outcome("stored"),
    };
    let mut response = envelope::success(&context, summary.answer(&stored));
    response.extensions_mut().insert(outcome);
    Ok(response)
}

/// A body that was read.
pub(crate) struct Read {
    pub(crate) upload: Upload,
    /// Of the bytes as they were meant, before scrubbing: a repeat is equal byte for byte.
    pub(crate) digest: Digest,
    /// What is kept of the body.
    pub(crate) raw: Bytes,
}

/// Unpacking and reading take a processor for a while, so they leave the threads that serve connections alone.
async fn read(api: &Arc<Api>, wire: Bytes, packing: Packing) -> Result<Read, Error> {
    let reader = Arc::clone(&api.readers).acquire_owned().await.map_err(|_| Error::Busy)?;
    let config = api.config;
    let reading = tokio::task::spawn_blocking(move || {
        let _reader = reader;
        let plain = body::unpack(wire, packing, config.body_limit)?;
        let mut upload = parse::parse_upload(&plain, config.limits)?;
        let digest = Digest::of(&plain);
        let raw = upload.scrubbed.take().map_or(plain, Bytes::from);
        Ok(Read { upload, digest, raw })
    });
    reading.await.map_err(|error| Error::Internal(format!("reading an upload: {error}")))?
}

fn client(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_CLIENT_CHARS).collect())
}

/// What the answer tells of an upload, for people who send one by hand.
struct Summary {
    repository: String,
    stacks: usize,
    edges: usize,
    warnings: Vec<String>,
    chunk: Option<Value>,
}

impl Summary {
    fn of(upload: &Upload) -> Self {
        Self {
            repository: upload.repository.to_string(),
            stacks: upload.fragment.stacks.len(),
            edges: upload.fragment.edges.len(),
            warnings: upload.fragment.warnings.iter().take(20).cloned().collect(),
            chunk: upload
                .batch
                .as_ref()
                .map(|batch| json!({ "batchId": batch.id, "index": batch.index, "total": batch.total })),
        }
    }

    fn answer(self, stored: &Stored) -> Value {
        let mut data = json!({
            "uploadId": stored.upload,
            "repository": self.repository,
            "accepted": self.stacks,
            "edges": self.edges,
            "pending": stored.pending,
            "duplicate": stored.duplicate,
            "warnings": self.warnings,
        });
        if let (Some(chunk), Some(data)) = (self.chunk, data.as_object_mut()) {
            data.insert("chunk".to_owned(), chunk);
        }
        data
    }
}
