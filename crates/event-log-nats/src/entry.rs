//! A message as an entry of the log.

use stackwave_domain::{Entry, Position, Subject, codec};
use stackwave_event_log::LogError;

/// Decodes what lies at a position.
pub(crate) fn decode(subject: &str, position: u64, payload: &[u8]) -> Result<Entry, LogError> {
    let position = Position(position);
    let subject: Subject = subject.parse().map_err(|error: stackwave_domain::subject::InvalidSubject| {
        LogError::Corrupt { at: format!("position {position}"), error: error.to_string() }
    })?;
    match codec::decode(payload) {
        Ok(record) => Ok(Entry { position, subject, record }),
        Err(error) => Err(LogError::undecodable(position, &error)),
    }
}
