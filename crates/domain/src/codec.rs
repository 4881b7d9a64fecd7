//! Records as JSON, the form in which both logs hold them.
//!
//! A record of a newer version decodes as far as it is understood: an event that this code does not know becomes
//! [`Event::Unknown`], so that a person can still read the log and the fold can stop acting on that repository.

use crate::{
    event::Event,
    record::{MAX_RECORD_BYTES, Record},
};

/// A record that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// It is no record.
    #[error("not a record: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is larger than any log takes.
    #[error(
        "the record has {bytes} bytes, more than the {MAX_RECORD_BYTES} that a log takes; its payload belongs in a blob"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// Writes a record.
///
/// # Errors
/// The record is too large.
pub fn encode(record: &Record) -> Result<Vec<u8>, CodecError> {
    let bytes = serde_json::to_vec(record)?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(CodecError::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

/// Reads a record.
///
/// # Errors
/// The bytes are no record of any version.
pub fn decode(bytes: &[u8]) -> Result<Record, CodecError> {
    match serde_json::from_slice(bytes) {
        Ok(record) => Ok(record),
        Err(error) => decode_newer(bytes).ok_or(CodecError::Malformed(error)),
    }
}

/// Event by event; none when even the envelope cannot be read, or when a known event is malformed.
fn decode_newer(bytes: &[u8]) -> Option<Record> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let mut envelope = value;
    let events = envelope.as_object_mut()?.remove("events")?;
    let mut decoded = Vec::new();
    for event in events.as_array()? {
        let (name, content) = event.as_object()?.iter().next()?;
        if Event::NAMES.contains(&name.as_str()) {
            decoded.push(serde_json::from_value(event.clone()).ok()?);
        } else {
            decoded.push(Event::Unknown { name: name.clone(), json: content.to_string() });
        }
    }
    envelope.as_object_mut()?.insert("events".to_owned(), serde_json::Value::Array(Vec::new()));
    let mut record: Record = serde_json::from_value(envelope).ok()?;
    record.events = decoded;
    Some(record)
}
