//! What the log consists of on the server, and how it gets there.
//!
//! [`apply`] may run at any time and from several processes at once: it creates what is missing, changes what may be
//! changed, and names what it would have to change but cannot.

mod existing;
mod plan;

pub(crate) use existing::look;

use crate::{NatsOptions, connection::Connection};
use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    object_store::ObjectStore,
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use stackwave_domain::StreamId;
use stackwave_event_log::LogError;
use std::{
    collections::HashMap,
    error::Error,
    time::{Duration, Instant},
};

/// How long the server remembers message ids; the SQLite log does it for as long.
const MESSAGE_ID_WINDOW: Duration = Duration::from_secs(600);
/// Where a stream says to how many partitions it belongs.
const PARTITIONS_KEY: &str = "stackwave_partitions";
/// The bucket of the object store.
const BLOBS: &str = "SW_BLOBS";
/// A cluster that has just started takes a while to elect those who answer.
const PATIENCE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_millis(250);

/// All streams of records. The configuration comes first: it says how many partitions there are.
pub(crate) fn streams(partitions: u16) -> impl Iterator<Item = StreamId> {
    [StreamId::Config].into_iter().chain((0..partitions).map(StreamId::Partition))
}

/// Makes the server's streams those of the options; returns the object store.
pub(crate) async fn apply(connection: &Connection, options: &NatsOptions) -> Result<ObjectStore, LogError> {
    patiently(PATIENCE, || apply_once(connection, options)).await
}

/// Tries again while nobody answers, but not for long.
async fn patiently<T, F>(patience: Duration, once: impl Fn() -> F) -> Result<T, LogError>
where
    F: Future<Output = Result<T, LogError>>,
{
    let deadline = Instant::now() + patience;
    loop {
        match once().await {
            Err(LogError::Unavailable(error)) if Instant::now() < deadline => {
                tracing::debug!(error, "NATS: the streams could not be looked at; trying again");
                tokio::time::sleep(RETRY).await;
            }
            result => return result,
        }
    }
}

async fn apply_once(connection: &Connection, options: &NatsOptions) -> Result<ObjectStore, LogError> {
    let config = find(connection, &StreamId::Config.name()).await?;
    check_partitions(connection, config.as_ref(), options.partitions).await?;
    // What is missing in a log that exists gets as many replicas as the log has.
    let replicas = options.replicas.or_else(|| config.map(|config| config.num_replicas)).unwrap_or(1);
    let keep = options.replicas.is_none();
    for stream in streams(options.partitions) {
        ensure(connection, wanted(stream, options, replicas), keep).await?;
    }
    ensure(connection, wanted_blobs(replicas), keep).await?;
    connection
        .requests
        .get_object_store(BLOBS)
        .await
        .map_err(|error| LogError::Unavailable(format!("the object store {BLOBS}: {error}")))
}

/// The number of partitions decides where a repository's records lie, so it can never change.
async fn check_partitions(
    connection: &Connection,
    config: Option<&Config>,
    partitions: u16,
) -> Result<(), LogError> {
    let mismatch = |found: &str| {
        LogError::Setup(format!(
            "the event log was created with {found} partitions, but {partitions} are configured; the number is fixed \
             when a log is created, so configure {found}"
        ))
    };
    if let Some(config) = config
        && let Some(found) = config.metadata.get(PARTITIONS_KEY)
        && *found != partitions.to_string()
    {
        return Err(mismatch(found));
    }
    // Streams that were made by hand do not say it, but one too many does.
    let beyond = StreamId::Partition(partitions).name();
    match find(connection, &beyond).await? {
        None => Ok(()),
        Some(_) => Err(LogError::Setup(format!(
            "the stream {beyond} exists, so the event log has more than the {partitions} partitions that are configured; \
             the number is fixed when a log is created"
        ))),
    }
}

/// Creates a stream, or changes it as far as needed and possible. One that exists may keep its number of replicas.
async fn ensure(connection: &Connection, mut wanted: Config, keep_replicas: bool) -> Result<(), LogError> {
    let Some(found) = find(connection, &wanted.name).await? else {
        return match connection.requests.create_stream(wanted.clone()).await {
            Ok(_) => Ok(()),
            // Another process was faster, and may have wished for something else.
            Err(error) if is_code(&error.kind(), ErrorCode::STREAM_NAME_EXIST) => {
                Err(LogError::Unavailable(format!("the stream {} was just created", wanted.name)))
            }
            Err(error) => Err(refused(&wanted.name, "created", &error.kind(), &error)),
        };
    };
    if keep_replicas {
        wanted.num_replicas = found.num_replicas;
    }
    let Some(changed) = plan::change(&found, &wanted)? else { return Ok(()) };
    match connection.requests.update_stream(changed).await {
        Ok(_) => {
            tracing::info!(stream = wanted.name, "NATS: the stream's settings were changed");
            Ok(())
        }
        Err(error) => Err(refused(&wanted.name, "changed", &error.kind(), &error)),
    }
}

async fn find(connection: &Connection, name: &str) -> Result<Option<Config>, LogError> {
    match connection.requests.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(answer) => match answer.error_code() {
                ErrorCode::STREAM_NOT_FOUND => Ok(None),
                ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
                    Err(LogError::Setup(format!("JetStream is not enabled on the NATS server: {answer}")))
                }
                _ => Err(LogError::Unavailable(format!("the stream {name}: {answer}"))),
            },
            GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::InvalidStreamName => Err(LogError::Unavailable(format!(
                "the stream {name}: {error}; is JetStream enabled on the NATS server?"
            ))),
        },
    }
}

fn is_code(kind: &CreateStreamErrorKind, code: ErrorCode) -> bool {
    matches!(kind, CreateStreamErrorKind::JetStream(answer) if answer.error_code() == code)
}

/// A refusal with a reason is final; without one, or by a cluster in trouble, it is worth another try.
fn refused(name: &str, done: &str, kind: &CreateStreamErrorKind, error: &dyn Error) -> LogError {
    let message = format!("the stream {name} cannot be {done}: {error}");
    match kind {
        CreateStreamErrorKind::JetStream(answer)
            if answer.code() < 500
                || answer.error_code() == ErrorCode::STORAGE_RESOURCES_EXCEEDED
                || answer.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED =>
        {
            LogError::Setup(message)
        }
        _ => LogError::Unavailable(message),
    }
}

fn wanted(stream: StreamId, options: &NatsOptions, replicas: usize) -> Config {
    let bytes = match stream {
        StreamId::Config => options.config_bytes,
        StreamId::Partition(_) => options.partition_bytes,
    };
    Config {
        name: stream.name(),
        description: Some("Stackwave's event log".to_owned()),
        subjects: vec![stream.filter()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // A full stream is an error for who writes, never a piece of history that is gone.
        discard: DiscardPolicy::New,
        max_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: MESSAGE_ID_WINDOW,
        deny_delete: true,
        allow_direct: true,
        metadata: HashMap::from([(PARTITIONS_KEY.to_owned(), options.partitions.to_string())]),
        ..Config::default()
    }
}

/// As the client library creates an object store, but without direct reads: those may come from a replica that has not
/// heard of a blob yet, and a blob that seems to be missing stops a fold.
fn wanted_blobs(replicas: usize) -> Config {
    Config {
        name: format!("OBJ_{BLOBS}"),
        description: Some("Stackwave's blobs, by SHA-256".to_owned()),
        subjects: vec![format!("$O.{BLOBS}.C.>"), format!("$O.{BLOBS}.M.>")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: Duration::from_secs(120),
        allow_rollup: true,
        allow_direct: false,
        ..Config::default()
    }
}
