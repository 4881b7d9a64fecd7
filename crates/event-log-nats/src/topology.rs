//! What the log consists of on the server, and how it gets there.
//!
//! [`apply`] may run at any time and from several processes at once: it creates what is missing, changes what may be
//! changed, and names what it would have to change but cannot.

mod existing;
mod importing;
mod plan;
mod wanted;

pub(crate) use existing::look;
pub(crate) use importing::{apply_for_import, end_import, is_importing};

use crate::{NatsOptions, connection::Connection};
use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config, RawMessageError, RawMessageErrorKind, State},
};
use stackwave_domain::StreamId;
use stackwave_event_log::LogError;
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// How long the server remembers message ids; the SQLite log does it for as long.
const MESSAGE_ID_WINDOW: Duration = Duration::from_secs(600);
/// Where a stream says to how many partitions it belongs.
const PARTITIONS_KEY: &str = "stackwave_partitions";
/// The object store of blobs.
pub(crate) const BLOBS: &str = "SW_BLOBS";
/// The object store of snapshots.
pub(crate) const SNAPSHOTS: &str = "SW_SNAPSHOTS";
/// The key-value bucket of leases.
pub(crate) const LEASES: &str = "SW_LEASES";
/// The stream of bodies kept aside.
pub(crate) const ASIDES: &str = "SW_ASIDES";
/// A cluster that has just started takes a while to elect those who answer.
const PATIENCE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_millis(250);

/// All streams of records. The configuration comes first: it says how many partitions there are.
pub(crate) fn streams(partitions: u16) -> impl Iterator<Item = StreamId> {
    [StreamId::Config].into_iter().chain((0..partitions).map(StreamId::Partition))
}

/// What is on the server.
pub(crate) struct Topology {
    pub(crate) partitions: u16,
    /// A log that only older versions have served has none.
    pub(crate) has_snapshots: bool,
    /// How long a lease lasts.
    pub(crate) lease_ttl: Duration,
}

/// Makes the server's streams those of the options.
pub(crate) async fn apply(connection: &Connection, options: &NatsOptions) -> Result<Topology, LogError> {
    patiently(PATIENCE, || apply_once(connection, options)).await
}

/// Makes the stream of bodies kept aside.
pub(crate) async fn apply_asides(connection: &Connection, bytes: u64) -> Result<(), LogError> {
    let config = find(connection, &StreamId::Config.name()).await?;
    let replicas = config.map_or(1, |config| config.num_replicas);
    ensure(connection, wanted::asides(bytes, replicas), true).await
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

async fn apply_once(connection: &Connection, options: &NatsOptions) -> Result<Topology, LogError> {
    let config = find(connection, &StreamId::Config.name()).await?;
    if config.as_ref().is_some_and(importing::is_going_on) {
        return Err(LogError::Setup(
            "the event log is being filled with the records of another one, which has not ended; run `stackwave \
             migrate` again"
                .to_owned(),
        ));
    }
    apply_streams(connection, options, config, |wanted| wanted).await
}

/// Makes the streams, each as it is wanted and then adapted.
async fn apply_streams(
    connection: &Connection,
    options: &NatsOptions,
    config: Option<Config>,
    adapt: impl Fn(Config) -> Config,
) -> Result<Topology, LogError> {
    check_partitions(connection, config.as_ref(), options.partitions).await?;
    // What is missing in a log that exists gets as many replicas as the log has.
    let replicas = options.replicas.or_else(|| config.map(|config| config.num_replicas)).unwrap_or(1);
    let keep = options.replicas.is_none();
    for stream in streams(options.partitions) {
        ensure(connection, adapt(wanted::records(stream, options, replicas)), keep).await?;
    }
    ensure(connection, wanted::blobs(replicas), keep).await?;
    ensure(connection, wanted::snapshots(replicas), keep).await?;
    // Processes that disagree about how long a lease lasts would take them from each other.
    let leases = find(connection, &format!("KV_{LEASES}")).await?;
    let lease_ttl = leases.map_or(options.lease_ttl, |found| found.max_age);
    ensure(connection, wanted::leases(lease_ttl, replicas), keep).await?;
    Ok(Topology { partitions: options.partitions, has_snapshots: true, lease_ttl })
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
            Err(error) => Err(refused(&wanted, "created", &error.kind(), &error)),
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
        Err(error) => Err(refused(&wanted, "changed", &error.kind(), &error)),
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

/// The state of a stream; none when it is not there.
pub(crate) async fn state(connection: &Connection, name: &str) -> Result<Option<State>, LogError> {
    match connection.requests.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().state.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(answer) if answer.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            _ => Err(LogError::Unavailable(format!("the stream {name}: {error}"))),
        },
    }
}

/// Whether a message, or its stream, is not there.
pub(crate) fn is_missing(error: &RawMessageError) -> bool {
    match error.kind() {
        RawMessageErrorKind::NoMessageFound => true,
        RawMessageErrorKind::JetStream(answer) => answer.error_code() == ErrorCode::STREAM_NOT_FOUND,
        RawMessageErrorKind::InvalidSubject | RawMessageErrorKind::Other => false,
    }
}

fn is_code(kind: &CreateStreamErrorKind, code: ErrorCode) -> bool {
    matches!(kind, CreateStreamErrorKind::JetStream(answer) if answer.error_code() == code)
}

/// A refusal with a reason is final; without one, or by a cluster in trouble, it is worth another try.
fn refused(wanted: &Config, done: &str, kind: &CreateStreamErrorKind, error: &dyn Error) -> LogError {
    let mut message = format!("the stream {} cannot be {done}: {error}", wanted.name);
    if is_code(kind, ErrorCode::STORAGE_RESOURCES_EXCEEDED) && wanted.max_bytes > 0 {
        let mebibytes = wanted.max_bytes / (1024 * 1024);
        message.push_str(&format!(
            "; {mebibytes} MiB are set aside for it: give JetStream more room (`max_file_store` of the server, which is \
             three quarters of the free disk unless it is set, or the account's limit)"
        ));
    }
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
