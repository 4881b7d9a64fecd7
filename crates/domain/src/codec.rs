//! Records as JSON, the form in which both logs hold them.
//!
//! A record of a newer version decodes as far as it is understood: an event that this code does not know becomes
//! [`Event::Unknown`], so that a person can still read the log and the fold can stop acting on that repository.

use crate::{
    event::Event,
    record::{MAX_RECORD_BYTES, Record, SCHEMA_VERSION},
};
use serde::Deserialize as _;
use serde_json::Value;

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

/// Event by event; none when even the envelope cannot be read, or when a known event of a known version is malformed.
fn decode_newer(bytes: &[u8]) -> Option<Record> {
    let mut envelope: Value = serde_json::from_slice(bytes).ok()?;
    let events = envelope.as_object_mut()?.insert("events".to_owned(), Value::Array(Vec::new()))?;
    let mut record: Record = serde_json::from_value(envelope).ok()?;
    for event in events.as_array()? {
        let (name, content) = event.as_object()?.iter().next()?;
        let known = Event::NAMES.contains(&name.as_str());
        let unknown = || Event::Unknown { name: name.clone(), json: content.to_string() };
        record.events.push(match Event::deserialize(event) {
            Ok(event) => event,
            Err(_) if !known || record.v > SCHEMA_VERSION => unknown(),
            Err(_) => return None,
        });
    }
    Some(record)
}
