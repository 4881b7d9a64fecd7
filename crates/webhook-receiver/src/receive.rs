//! The raw body of a delivery, within bounds: anybody can send one.

use crate::{config::Config, error::Error};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is counted, so that its permits fit into a `u32`.
const MEMORY_UNIT: usize = 1024;

/// The memory that bodies may take, over all requests.
pub(crate) struct Memory(Arc<Semaphore>);

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(MEMORY_UNIT))))
    }
}

/// The whole body, and its share of the memory to hold while it is used.
pub(crate) async fn receive(
    memory: &Memory,
    config: &Config,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > config.body_limit) {
        return Err(Error::TooLarge { limit: config.body_limit });
    }
    let seconds = config.body_timeout.as_secs();
    tokio::time::timeout(config.body_timeout, collect(memory, body, config.body_limit))
        .await
        .map_err(|_| Error::SlowBody { seconds })?
}

/// Memory is counted as it fills: whoever only announces a large body takes none of it from GitHub's deliveries.
async fn collect(
    memory: &Memory,
    mut body: Body,
    limit: usize,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let mut collected = Vec::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::BrokenBody)?.into_data() else { continue };
        let size = collected.len() + data.len();
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(size.div_ceil(MEMORY_UNIT).saturating_sub(held)).unwrap_or(u32::MAX);
        let more = Arc::clone(&memory.0).acquire_many_owned(more).await.map_err(|_| Error::Busy)?;
        match &mut share {
            Some(share) => share.merge(more),
            None => share = Some(more),
        }
        collected.extend_from_slice(&data);
    }
    Ok((collected.into(), share))
}
