//! Filling a new log with the records of another one, each at the position that it has there, because records refer to
//! each other by position.
//!
//! A log that is being filled says so, and nobody serves it until it is complete. Everything may be broken off and started
//! again: what is there is known from the leader, and each record is stored only if the stream's last position is the one
//! before it. Positions that the other log has no record at are filled, and the fillers are removed in the end.

use crate::{NatsLog, NatsOptions, connection::Connection, entry, topology};
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use stackwave_domain::{Position, StreamId};
use stackwave_event_log::{EventLog as _, LogError, MAX_BATCH, RawRecord};
use std::{collections::HashMap, sync::Arc};

/// So many records are under way at once.
const IN_FLIGHT: usize = 256;
/// So often it is tried to get further before somebody is told.
const TRIES: u32 = 5;

/// A record is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The log cannot be written or read now; try again.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log holds something else.
    #[error("{stream} differs at position {position}: {error}")]
    Differs {
        /// Where.
        stream: StreamId,
        /// Where there.
        position: Position,
        /// In what.
        error: &'static str,
    },
}

impl NatsLog {
    /// Connects to a log that is to be filled. Streams that are not there yet begin at `first`, so that what another log
    /// has purged is not filled position by position.
    ///
    /// # Errors
    /// Those of [`NatsLog::connect`]; [`LogError::Setup`] also when the log holds records of its own.
    pub async fn connect_for_import(
        options: NatsOptions,
        first: &HashMap<StreamId, Position>,
    ) -> Result<Arc<Self>, LogError> {
        let connection = Connection::open(&options).await?;
        let topology = topology::apply_for_import(&connection, &options, first).await?;
        Self::on(connection, topology, &options, false).await
    }

    /// Appends those of the records, which are in order, that are not there yet, each at its own position. What lies
    /// between two of them is filled.
    ///
    /// # Errors
    /// Not all of them are there yet; call it again.
    pub async fn import(&self, stream: StreamId, records: &[RawRecord]) -> Result<(), ImportError> {
        let Some(end) = records.last().map(|record| record.position) else { return Ok(()) };
        let mut tries = 0;
        let mut last = self.last_position(stream).await?;
        while last < end {
            let trouble = self.import_some(stream, last, records).await.err();
            let reached = self.last_position(stream).await?;
            tries = if reached > last { 0 } else { tries + 1 };
            if tries == TRIES {
                let trouble = trouble.unwrap_or_else(|| "it gets no further".to_owned());
                let error = format!("{stream} after position {reached}: {trouble}");
                return Err(LogError::Unavailable(error).into());
            }
            last = reached;
        }
        Ok(())
    }

    /// One go.
    async fn import_some(
        &self,
        stream: StreamId,
        last: Position,
        records: &[RawRecord],
    ) -> Result<(), String> {
        let missing = records.iter().skip_while(|record| record.position <= last);
        let mut next = last.next();
        let mut answers = Vec::with_capacity(IN_FLIGHT);
        'sending: for record in missing {
            loop {
                if answers.len() == IN_FLIGHT {
                    break 'sending;
                }
                let is_record = next == record.position;
                let (subject, body) = if is_record {
                    (record.subject.clone(), record.body.clone())
                } else {
                    (filler(stream), Bytes::from_static(b"{}"))
                };
                let message =
                    PublishMessage::build().payload(body).expected_last_sequence(next.0.saturating_sub(1));
                let answer = self.connection.appends.send_publish(subject, message).await;
                answers.push((next, answer.map_err(|error| error.to_string())?));
                next = next.next();
                if is_record {
                    break;
                }
            }
        }
        for (position, answer) in answers {
            let ack = answer.await.map_err(|error| error.to_string())?;
            if ack.sequence != position.0 {
                return Err(format!("what should lie at position {position} lies at {}", ack.sequence));
            }
        }
        Ok(())
    }

    /// Makes sure that after a position the log holds these records, byte for byte, and none between them.
    ///
    /// # Errors
    /// It does not, or cannot be read.
    pub async fn verify_import(
        &self,
        stream: StreamId,
        after: Position,
        records: &[RawRecord],
    ) -> Result<(), ImportError> {
        let (filler, mut from) = (filler(stream), after.next());
        let mut expected = records.iter();
        while !expected.as_slice().is_empty() {
            let page = self.read_raw(stream, from, MAX_BATCH).await?;
            let Some(end) = page.last().map(|record| record.position) else { break };
            from = end.next();
            for found in page.iter().filter(|found| found.subject != filler) {
                let Some(expected) = expected.next() else { return Ok(()) };
                let differs = |error| ImportError::Differs { stream, position: expected.position, error };
                if found.position != expected.position {
                    return Err(differs("the records have other positions"));
                }
                if found.subject != expected.subject {
                    return Err(differs("the record has another subject"));
                }
                if found.body != expected.body {
                    return Err(differs("the record has other content"));
                }
            }
        }
        match expected.next() {
            None => Ok(()),
            Some(RawRecord { position, .. }) => {
                Err(ImportError::Differs { stream, position: *position, error: "the record is missing" })
            }
        }
    }

    /// Whether the log is being filled still, or its filling was broken off.
    ///
    /// # Errors
    /// The log is out of reach.
    pub async fn is_importing(&self) -> Result<bool, LogError> {
        topology::is_importing(&self.connection).await
    }

    /// Removes the fillers, and lets the log be served from now on.
    ///
    /// # Errors
    /// The log is out of reach; call it again.
    pub async fn finish_import(&self) -> Result<(), LogError> {
        for stream in topology::streams(self.partitions) {
            let source = self.connection.upkeep.get_stream_no_info(stream.name()).await;
            let source = source.map_err(|error| LogError::Setup(format!("{stream}: {error}")))?;
            let purged = source.purge().filter(filler(stream)).await;
            purged.map_err(|error| LogError::Unavailable(format!("the purge of {stream}: {error}")))?;
        }
        topology::end_import(&self.connection).await
    }
}

/// The subject of what fills a position.
fn filler(stream: StreamId) -> String {
    entry::subject(stream, "0.filler")
}
