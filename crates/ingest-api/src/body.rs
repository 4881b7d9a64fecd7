//! Receiving a body within its limits: bytes on the wire, bytes after decompression, and time.

use crate::{config::Config, error::Error};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use std::io::Read as _;

/// How the body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
}

/// How the body is packed, if it is JSON as far as the headers say.
pub(crate) fn packing(headers: &HeaderMap) -> Result<Packing, Error> {
    if let Some(value) = headers.get(header::CONTENT_TYPE) {
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // Whoever sends JSON under another JSON type, or under none, means JSON.
        if !essence.is_empty() && !essence.ends_with("/json") && !essence.ends_with("+json") {
            return Err(Error::ContentType(essence));
        }
    }
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Packing::Plain) };
    let encoding = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" => Ok(Packing::Plain),
        "gzip" | "x-gzip" => Ok(Packing::Gzip),
        _ => Err(Error::ContentEncoding(encoding)),
    }
}

/// How many bytes a request may come to hold, refused at once when its headers already say too much.
pub(crate) fn expected_bytes(headers: &HeaderMap, packing: Packing, limit: usize) -> Result<usize, Error> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match (length, packing) {
        (Some(length), _) if length > limit => Err(Error::BodyTooLarge { limit, decompressed: false }),
        (Some(length), Packing::Plain) => Ok(length),
        (Some(length), Packing::Gzip) => Ok(length + limit),
        (None, _) => Ok(limit),
    }
}

/// The body as it comes over the wire.
pub(crate) async fn receive(body: Body, config: &Config) -> Result<Bytes, Error> {
    let seconds = config.body_timeout.as_secs();
    tokio::time::timeout(config.body_timeout, collect(body, config.body_limit))
        .await
        .map_err(|_| Error::SlowBody { seconds })?
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Error::BrokenBody)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(Error::BodyTooLarge { limit, decompressed: false });
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.into())
}

/// The body as it is meant; stops as soon as it is larger than allowed.
pub(crate) fn unpack(wire: Bytes, packing: Packing, limit: usize) -> Result<Bytes, Error> {
    match packing {
        Packing::Plain => Ok(wire),
        Packing::Gzip => {
            let mut plain = Vec::new();
            let reading = MultiGzDecoder::new(wire.as_ref());
            reading.take(limit as u64 + 1).read_to_end(&mut plain).map_err(Error::Gzip)?;
            if plain.len() > limit {
                return Err(Error::BodyTooLarge { limit, decompressed: true });
            }
            Ok(plain.into())
        }
    }
}
