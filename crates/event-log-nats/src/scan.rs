//! Reading what is there of a stream, to its end and no further. For what is no record: those have `follow`.

use crate::entry;
use async_nats::jetstream::{
    ErrorCode,
    consumer::{AckPolicy, DeliverPolicy, pull::Config},
    message::Message,
    stream::{ConsumerErrorKind, Stream},
};
use futures::StreamExt as _;
use stackwave_domain::Timestamp;
use std::{ops::ControlFlow, time::Duration};

/// So many messages are asked for at once.
const BATCH: u64 = 500;
/// Nothing that is there takes so long to come.
const STALLED: Duration = Duration::from_secs(5);
/// The server forgets a consumer that nobody asks for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Which messages.
pub(crate) struct Scan<'a> {
    pub(crate) stream: &'a Stream<()>,
    /// The pattern that their subjects match.
    pub(crate) filter: String,
    /// Where to start.
    pub(crate) from: u64,
    /// Without their content.
    pub(crate) headers_only: bool,
}

/// A message with its place.
pub(crate) struct Found {
    pub(crate) sequence: u64,
    pub(crate) stored_at: Option<Timestamp>,
    pub(crate) message: async_nats::Message,
}

impl Scan<'_> {
    /// All messages that match. A stream that is not there has none.
    pub(crate) async fn all(self) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        self.each(|found| {
            all.push(found);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(all)
    }

    /// Hands over one message after the other, until there are no more or it is enough.
    pub(crate) async fn each(self, mut take: impl FnMut(Found) -> ControlFlow<()>) -> Result<(), String> {
        let config = Config {
            description: Some("stackwave reader".to_owned()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.from.max(1) },
            filter_subject: self.filter,
            headers_only: self.headers_only,
            ack_policy: AckPolicy::None,
            max_deliver: 1,
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        };
        let consumer = match self.stream.create_consumer(config).await {
            Ok(consumer) => consumer,
            Err(error) => match error.kind() {
                ConsumerErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    return Ok(());
                }
                _ => return Err(error.to_string()),
            },
        };
        let info = consumer.cached_info();
        let (name, mut pending) = (info.name.clone(), info.num_pending);
        let result = async {
            while pending > 0 {
                let count = usize::try_from(pending.min(BATCH)).unwrap_or(usize::MAX);
                let mut messages = consumer
                    .fetch()
                    .max_messages(count)
                    .messages()
                    .await
                    .map_err(|error| error.to_string())?;
                let before = pending;
                while let Some(message) = next(&mut messages).await? {
                    let (found, left) = place(message)?;
                    pending = left;
                    if take(found).is_break() {
                        return Ok(());
                    }
                }
                if pending == before {
                    return Err("nothing came, although something is there".to_owned());
                }
            }
            Ok(())
        }
        .await;
        // It would be forgotten soon in any case.
        drop(self.stream.delete_consumer(&name).await);
        result
    }
}

async fn next(
    messages: &mut async_nats::jetstream::consumer::pull::Batch,
) -> Result<Option<Message>, String> {
    match tokio::time::timeout(STALLED, messages.next()).await {
        Ok(message) => message.transpose().map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing came for {} s", STALLED.as_secs())),
    }
}

/// The message with its place, and how many are left.
fn place(message: Message) -> Result<(Found, u64), String> {
    let info = message.info().map_err(|error| error.to_string())?;
    let (sequence, stored_at, pending) =
        (info.stream_sequence, entry::timestamp(info.published), info.pending);
    Ok((Found { sequence, stored_at, message: message.message }, pending))
}
