//! A message as an entry of the log.

use crate::follow::Raw;
use stackwave_domain::{Entry, Position, StreamId, Subject, Timestamp, codec};
use stackwave_event_log::{Filter, LogError, RawRecord};

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

/// A message as it is stored.
pub(crate) fn raw(Raw { position, message }: Raw) -> RawRecord {
    let stored_at = message.info().ok().and_then(|info| timestamp(info.published));
    let message = message.message;
    RawRecord { position, subject: message.subject.to_string(), stored_at, body: message.payload }
}

/// The server's time as ours; none when it is out of any calendar.
pub(crate) fn timestamp(time: async_nats::datetime::DateTime) -> Option<Timestamp> {
    Timestamp::from_nanosecond(time.unix_timestamp_nanos()).ok()
}

/// The subjects that a filter takes, as the server writes them.
pub(crate) fn pattern(stream: StreamId, filter: &Filter) -> String {
    match filter {
        Filter::Subject(subject) => subject.as_str().to_owned(),
        Filter::Repository(repository) => subject(stream, &format!("{repository}.>")),
    }
}

/// A subject of the stream, or a pattern.
pub(crate) fn subject(stream: StreamId, rest: &str) -> String {
    format!("{}{rest}", stream.filter().trim_end_matches('>'))
}
