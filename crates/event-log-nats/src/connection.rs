//! The connection to the servers, which outlives any of them.

use crate::{Credentials, NatsOptions, version};
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
use std::time::Duration;
use tokio::sync::watch;

/// How long an append waits for its answer. An answer that is lost costs exactly this time; a server that answers at all
/// does so within a few milliseconds.
const APPEND_TIMEOUT: Duration = Duration::from_secs(1);
/// How long any other request waits. During an election nobody answers, so that waiting longer than asking again takes
/// is no use.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
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
    client: Client,
    /// For appends.
    pub(crate) appends: Context,
    /// For everything else.
    pub(crate) requests: Context,
    /// Counts how often a connection was made.
    connected: watch::Receiver<u64>,
}

impl Connection {
    /// Connects to the first server that answers, and checks its version.
    pub(crate) async fn open(options: &NatsOptions) -> Result<Self, LogError> {
        let (count, connected) = watch::channel(0);
        let client = connect_options(options)
            .await?
            .event_callback(move |event| {
                note(&event, &count);
                std::future::ready(())
            })
            .connect(servers(&options.url))
            .await
            .map_err(|error| match error.kind() {
                ConnectErrorKind::ServerParse
                | ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation => {
                    LogError::Setup(format!("NATS at {}: {error}", shown(&options.url)))
                }
                ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Tls
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects => {
                    LogError::Unavailable(format!("NATS at {}: {error}", shown(&options.url)))
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
        Ok(Self { client, appends, requests, connected })
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

async fn connect_options(options: &NatsOptions) -> Result<ConnectOptions, LogError> {
    let connect = ConnectOptions::new()
        .name(&options.name)
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(reconnect_delay);
    Ok(match &options.credentials {
        Credentials::None => connect,
        Credentials::Token(token) => connect.token(token.expose_secret().to_owned()),
        Credentials::Password { user, password } => {
            connect.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
        Credentials::File(path) => connect.credentials_file(path).await.map_err(|error| {
            LogError::Setup(format!("cannot read the NATS credentials in `{}`: {error}", path.display()))
        })?,
    })
}

/// The first try at once: with several servers the next one is there.
fn reconnect_delay(attempt: usize) -> Duration {
    let attempt = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(50).saturating_mul(attempt).min(RECONNECT_DELAY)
}

fn servers(url: &str) -> Vec<String> {
    url.split(',').map(|server| server.trim().to_owned()).filter(|server| !server.is_empty()).collect()
}

/// A URL as it may be shown: it can carry a password.
fn shown(url: &str) -> String {
    let hidden = servers(url).into_iter().map(|server| match server.split_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://…@{host}")
        }
        None => server,
    });
    hidden.collect::<Vec<_>>().join(",")
}

fn note(event: &Event, connected: &watch::Sender<u64>) {
    match event {
        Event::Connected => {
            connected.send_modify(|count| *count += 1);
            tracing::info!("NATS: connected");
        }
        Event::Disconnected => tracing::warn!("NATS: the connection is lost; reconnecting"),
        Event::LameDuckMode => tracing::info!("NATS: the server is about to stop"),
        Event::SlowConsumer(subscription) => {
            // A follower notices the gap and asks again, so that nothing is lost.
            tracing::warn!(subscription, "NATS: messages were dropped because nobody took them");
        }
        Event::ServerError(error) => tracing::error!(%error, "NATS: the server reports an error"),
        Event::ClientError(error) => tracing::error!(%error, "NATS: the client reports an error"),
        Event::Draining | Event::Closed => tracing::debug!(%event, "NATS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_is_never_shown() {
        assert_eq!(shown("nats://me:secret@a:4222, tls://b:4222"), "nats://…@a:4222,tls://b:4222");
        assert_eq!(shown("token@a:4222"), "://…@a:4222");
    }

    #[test]
    fn the_first_reconnect_is_tried_at_once_and_none_waits_long() {
        assert_eq!(reconnect_delay(0), Duration::ZERO);
        assert_eq!(reconnect_delay(1), Duration::ZERO);
        assert!(reconnect_delay(2) > Duration::ZERO);
        assert_eq!(reconnect_delay(usize::MAX), RECONNECT_DELAY);
    }
}
