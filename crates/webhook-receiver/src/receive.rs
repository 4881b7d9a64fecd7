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
) -> Result<(Bytes, OwnedSemaphorePermit), Error> {
    let seconds = config.body_timeout.as_secs();
    let receiving = async {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let length: usize = length.unwrap_or(config.body_limit);
        if length > config.body_limit {
            return Err(Error::TooLarge { limit: config.body_limit });
        }
        let units = u32::try_from(length.min(config.memory).div_ceil(MEMORY_UNIT)).unwrap_or(u32::MAX);
        let share = Arc::clone(&memory.0).acquire_many_owned(units).await.map_err(|_| Error::Busy)?;
        Ok((collect(body, config.body_limit).await?, share))
    };
    tokio::time::timeout(config.body_timeout, receiving).await.map_err(|_| Error::SlowBody { seconds })?
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::BrokenBody)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.into())
}
