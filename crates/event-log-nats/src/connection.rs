//! The connection to the servers, which outlives any of them.

use crate::{Credentials, NatsOptions, servers::Servers, version, without_secrets};
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event,
    connection::State,
    jetstream::{
        context::{Context, ContextBuilder},
        stream::Stream,
    },
};
use secrecy::ExposeSecret as _;
use stackwave_domain::StreamId;
use stackwave_event_log::LogError;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::watch;

/// How long an append waits for its answer. An answer that is lost costs exactly this time; a server that answers at all
/// does so within a few milliseconds.
const APPEND_TIMEOUT: Duration = Duration::from_secs(1);
/// How long any other request waits. During an election nobody answers, so that waiting longer than asking again takes
/// is no use.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a request waits that reads or removes a good part of a stream.
const UPKEEP_TIMEOUT: Duration = Duration::from_secs(120);
/// Appends that wait for their answer at once. More wait before they are sent, so that their time does not run out in
/// our own queue: a server with one replica that syncs every message takes some 4,000 a second.
const APPENDS_IN_FLIGHT: usize = 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a silent connection is tried; twice this until it is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// The longest wait before the next try to reconnect.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// A client, in its uses.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// For appends.
    pub(crate) appends: Context,
    /// For purges.
    pub(crate) upkeep: Context,
    /// For everything else.
    pub(crate) requests: Context,
    /// Counts how often a connection was made.
    connected: watch::Receiver<u64>,
}

impl Connection {
    /// Connects to the first server that answers, and checks its version.
    pub(crate) async fn open(options: &NatsOptions) -> Result<Self, LogError> {
        let servers = Servers::read(options)?;
        let (count, connected) = watch::channel(0);
        let notes = Notes { connected: count, told: AtomicBool::new(false) };
        let client = connect_options(&options.name, &servers.credentials)?
            .event_callback(move |event| {
                notes.note(&event);
                std::future::ready(())
            })
            .connect(servers.addresses)
            .await
            .map_err(|error| match error.kind() {
                ConnectErrorKind::ServerParse
                | ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation => {
                    LogError::Setup(format!("NATS at {}: {error}", without_secrets(&options.url)))
                }
                ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Tls
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects => {
                    LogError::Unavailable(format!("NATS at {}: {error}", without_secrets(&options.url)))
                }
            })?;
        version::check(&client.server_info().version)?;
        let appends = ContextBuilder::new()
            .timeout(APPEND_TIMEOUT)
            .ack_timeout(APPEND_TIMEOUT)
            .max_ack_inflight(APPENDS_IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let requests = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let upkeep = ContextBuilder::new().timeout(UPKEEP_TIMEOUT).build(client.clone());
        Ok(Self { client, appends, upkeep, requests, connected })
    }

    /// A handle on a stream; nothing is sent yet.
    pub(crate) async fn stream(&self, stream: StreamId) -> Result<Stream<()>, LogError> {
        self.requests
            .get_stream_no_info(stream.name())
            .await
            .map_err(|error| LogError::Setup(format!("{stream}: {error}")))
    }

    /// Whether there is a server at the other end, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Changes whenever a connection was made anew.
    pub(crate) fn reconnects(&self) -> watch::Receiver<u64> {
        self.connected.clone()
    }
}

fn connect_options(name: &str, credentials: &Credentials) -> Result<ConnectOptions, LogError> {
    let connect = ConnectOptions::new()
        .name(name)
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(reconnect_delay);
    Ok(match credentials {
        Credentials::None => connect,
        Credentials::Token(token) => connect.token(token.expose_secret().to_owned()),
        Credentials::Password { user, password } => {
            connect.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
        // The client library wants a line end after the last line.
        Credentials::Creds(creds) => connect
            .credentials(&format!("{}\n", creds.expose_secret()))
            .map_err(|error| LogError::Setup(format!("the NATS credentials cannot be used: {error}")))?,
    })
}

/// The first try at once: with several servers the next one is there.
fn reconnect_delay(attempt: usize) -> Duration {
    let attempt = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(50).saturating_mul(attempt).min(RECONNECT_DELAY)
}

/// What is told of the connection.
struct Notes {
    /// Counts how often it was made.
    connected: watch::Sender<u64>,
    /// Why it cannot be made was told; it is tried once a second, and the reason seldom changes.
    told: AtomicBool,
}

impl Notes {
    fn note(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.told.store(false, Ordering::Relaxed);
                self.connected.send_modify(|count| *count += 1);
                tracing::info!("NATS: connected");
            }
            Event::Disconnected => tracing::warn!("NATS: the connection is lost; reconnecting"),
            Event::LameDuckMode => tracing::info!("NATS: the server is about to stop"),
            Event::SlowConsumer(subscription) => {
                // A follower notices the gap and asks again, so that nothing is lost.
                tracing::warn!(subscription, "NATS: messages were dropped because nobody took them");
            }
            Event::ServerError(error) => tracing::error!(%error, "NATS: the server reports an error"),
            Event::ClientError(error) if self.told.swap(true, Ordering::Relaxed) => {
                tracing::debug!(%error, "NATS: the client reports an error again");
            }
            Event::ClientError(error) => tracing::error!(%error, "NATS: the client reports an error"),
            Event::Draining | Event::Closed => tracing::debug!(%event, "NATS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reconnect_is_tried_at_once_and_none_waits_long() {
        assert_eq!(reconnect_delay(0), Duration::ZERO);
        assert_eq!(reconnect_delay(1), Duration::ZERO);
        assert!(reconnect_delay(2) > Duration::ZERO);
        assert_eq!(reconnect_delay(usize::MAX), RECONNECT_DELAY);
    }
}
