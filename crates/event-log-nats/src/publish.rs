//! Appends, and what the server's answers mean.

use crate::connection::Connection;
use async_nats::jetstream::{
    self, ErrorCode,
    context::{PublishError, PublishErrorKind},
    message::PublishMessage,
    publish::PublishAck,
    stream::Stream,
};
use bytes::Bytes;
use stackwave_domain::{Position, Receipt, RecordId, codec};
use stackwave_event_log::{Append, AppendError, Appended, Expect};
use std::{error::Error as _, time::Duration};

/// Code 10164: the expectation failed against an append that is still on its way through the cluster. It says no
/// number, may hit even a lone writer after a fail-over, and means the same as 10071.
const WRONG_LAST_SEQUENCE_CONSTANT: ErrorCode = ErrorCode(10164);

/// Code 10077: the record could not be stored, because a limit is reached or because the disk failed.
const STREAM_STORE_FAILED: ErrorCode = ErrorCode(10077);

/// Code 10158: an append with the same message id is on its way through the cluster. Its outcome is known in a moment.
const DUPLICATE_IN_PROCESS: ErrorCode = ErrorCode(10158);
/// How long to wait for that moment, and how often.
const DUPLICATE_PAUSE: Duration = Duration::from_millis(20);
const DUPLICATE_TRIES: usize = 50;

/// Appends one record to a stream.
pub(crate) async fn append(
    connection: &Connection,
    stream: &Stream<()>,
    append: Append,
) -> Result<Appended, AppendError> {
    let body = Bytes::from(codec::encode(&append.record)?);
    let mut tries = 0;
    loop {
        match publish(connection, &append, body.clone()).await? {
            Ok(ack) => return appended(stream, ack, append.record.id).await,
            Err(error) if code(&error) == Some(DUPLICATE_IN_PROCESS) && tries < DUPLICATE_TRIES => {
                tries += 1;
                tokio::time::sleep(DUPLICATE_PAUSE).await;
            }
            Err(error) => return Err(refusal(&append, &error)),
        }
    }
}

/// Sends it and waits for the server's answer; the outer error says that nothing was sent.
async fn publish(
    connection: &Connection,
    append: &Append,
    body: Bytes,
) -> Result<Result<PublishAck, PublishError>, AppendError> {
    if !connection.is_up() {
        return Err(AppendError::Unavailable("no NATS server is connected".to_owned()));
    }
    let mut message = PublishMessage::build().payload(body);
    if let Some(message_id) = &append.message_id {
        message = message.message_id(message_id);
    }
    if let Expect::Last(expected) = append.expect {
        message = message.expected_last_subject_sequence(expected.0);
    }
    let answer = connection
        .appends
        .send_publish(append.subject.as_str().to_owned(), message)
        .await
        .map_err(|error| AppendError::Unavailable(format!("{}: {error}", append.subject)))?;
    Ok(answer.await)
}

/// What became of a message that is no record.
pub(crate) enum Put {
    /// It was stored there.
    At(u64),
    /// Its expectation does not hold.
    Conflict,
}

/// Stores a message that is no record. The error says that it was not, or that nobody knows.
pub(crate) async fn put(
    connection: &Connection,
    subject: String,
    message: PublishMessage,
) -> Result<Put, String> {
    if !connection.is_up() {
        return Err("no NATS server is connected".to_owned());
    }
    let answer =
        connection.appends.send_publish(subject, message).await.map_err(|error| error.to_string())?;
    match answer.await {
        Ok(ack) => Ok(Put::At(ack.sequence)),
        Err(error) => match code(&error) {
            Some(ErrorCode::STREAM_WRONG_LAST_SEQUENCE | WRONG_LAST_SEQUENCE_CONSTANT) => Ok(Put::Conflict),
            _ => Err(error.to_string()),
        },
    }
}

/// What the server answered, if it did.
fn answer(error: &PublishError) -> Option<&jetstream::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

fn code(error: &PublishError) -> Option<ErrorCode> {
    answer(error).map(jetstream::Error::error_code)
}

async fn appended(stream: &Stream<()>, ack: PublishAck, record: RecordId) -> Result<Appended, AppendError> {
    let position = Position(ack.sequence);
    if !ack.duplicate {
        return Ok(Appended { receipt: Receipt { record, position }, duplicate: false });
    }
    // The server tells where the first record lies, but not which one it is.
    let first = stream
        .get_raw_message(ack.sequence)
        .await
        .map_err(|error| AppendError::Unknown(format!("the first record of a duplicate: {error}")))?;
    let first = codec::decode(&first.payload)
        .map_err(|error| AppendError::Unknown(format!("the first record of a duplicate: {error}")))?;
    Ok(Appended { receipt: Receipt { record: first.id, position }, duplicate: true })
}

/// What an append that was sent and not acknowledged means. Codes decide, because the client library knows only some of
/// them by a kind.
fn refusal(append: &Append, error: &PublishError) -> AppendError {
    let described = |error: &dyn std::fmt::Display| format!("{}: {error}", append.subject);
    match (answer(error), error.kind()) {
        (Some(answer), _) => match (answer.error_code(), append.expect) {
            (
                ErrorCode::STREAM_WRONG_LAST_SEQUENCE | WRONG_LAST_SEQUENCE_CONSTANT,
                Expect::Last(expected),
            ) => AppendError::Conflict { expected },
            (STREAM_STORE_FAILED, _) if is_limit(answer) => {
                AppendError::Unavailable(format!("{}: the stream is full: {answer}", append.subject))
            }
            // A server that is in trouble answers 5xx; whether its disk or its cluster took the record is not said.
            _ if answer.code() >= 500 => AppendError::Unknown(described(answer)),
            _ => AppendError::Unavailable(described(answer)),
        },
        (None, PublishErrorKind::MaxPayloadExceeded | PublishErrorKind::MaxAckPending) => {
            AppendError::Unavailable(described(error))
        }
        (
            None,
            PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::StreamNotFound
            | PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::Other,
        ) => AppendError::Unknown(described(error)),
    }
}

/// A limit is checked before anything is written; that it was one is told by the words alone.
fn is_limit(answer: &jetstream::Error) -> bool {
    answer.to_string().contains("maximum")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{Record, RepositoryId, StreamId, Subject, Timestamp};

    fn append(expect: Expect) -> Append {
        let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(1));
        let record = Record::new(RecordId::new("r"), Timestamp::UNIX_EPOCH, "test", Vec::new());
        Append { subject, record, expect, message_id: None }
    }

    fn answered(code: u64, err_code: u64, words: &str, kind: PublishErrorKind) -> AppendError {
        let json = format!(r#"{{"code":{code},"err_code":{err_code},"description":"{words}"}}"#);
        let answer: jetstream::Error = serde_json::from_str(&json).unwrap();
        refusal(&append(Expect::Last(Position(7))), &PublishError::with_source(kind, answer))
    }

    #[test]
    fn both_codes_of_a_failed_expectation_are_a_conflict() {
        for (code, kind) in [(10071, PublishErrorKind::WrongLastSequence), (10164, PublishErrorKind::Other)] {
            let error = answered(400, code, "wrong last sequence", kind);
            assert!(matches!(error, AppendError::Conflict { expected: Position(7) }), "{code}: {error}");
        }
    }

    #[test]
    fn a_full_stream_is_unavailable_and_a_failed_disk_leaves_the_outcome_open() {
        let error = answered(503, 10077, "maximum bytes exceeded", PublishErrorKind::Other);
        assert!(matches!(&error, AppendError::Unavailable(why) if why.contains("full")), "{error}");
        let error = answered(503, 10077, "write: input/output error", PublishErrorKind::Other);
        assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    }

    #[test]
    fn a_server_in_trouble_leaves_the_outcome_open() {
        let error = answered(503, 10008, "temporarily unavailable", PublishErrorKind::Other);
        assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    }

    #[test]
    fn a_refusal_with_a_reason_did_not_land() {
        let error = answered(400, 10054, "message size exceeds maximum allowed", PublishErrorKind::Other);
        assert!(matches!(error, AppendError::Unavailable(_)), "{error}");
    }

    #[test]
    fn an_answer_that_did_not_come_leaves_the_outcome_open() {
        for kind in
            [PublishErrorKind::TimedOut, PublishErrorKind::BrokenPipe, PublishErrorKind::StreamNotFound]
        {
            let error = refusal(&append(Expect::Any), &PublishError::new(kind));
            assert!(matches!(error, AppendError::Unknown(_)), "{error}");
        }
    }
}
