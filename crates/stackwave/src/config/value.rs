//! From texts to values. Each reader returns nothing when the text is not of the form that the table promises.

use secrecy::SecretString;
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};
use tracing_subscriber::EnvFilter;

/// Which event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// NATS JetStream; the whole URL, which may hold a password.
    Nats(String),
}

impl FromStr for LogTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || "expected `sqlite:PATH` or `nats://HOST:PORT`".to_owned();
        if let Some(path) = text.strip_prefix("sqlite:") {
            // `sqlite://data/x.db` would quietly be a path from the root of the file system.
            return if path.is_empty() || path.starts_with("//") {
                Err(wanted())
            } else {
                Ok(Self::Sqlite(PathBuf::from(path)))
            };
        }
        let host = text.strip_prefix("nats://").or_else(|| text.strip_prefix("tls://"));
        match host {
            Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) => {
                Ok(Self::Nats(text.to_owned()))
            }
            Some(_) | None => Err(wanted()),
        }
    }
}

impl fmt::Display for LogTarget {
    /// As configured, without a user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Nats(url) => {
                let servers = url.split(',').map(|server| match server.split_once("://") {
                    Some((scheme, rest)) => {
                        format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
                    }
                    None => server.rsplit_once('@').map_or(server, |(_, host)| host).to_owned(),
                });
                f.write_str(&servers.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// How the process writes its own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(super) fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

pub(super) fn log_target(text: &str) -> Option<LogTarget> {
    text.parse().ok()
}

pub(super) fn partitions(text: &str) -> Option<u16> {
    text.parse().ok().filter(|count| (1..=64).contains(count))
}

pub(super) fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let whole = !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace);
    whole.then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn app_id(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
}

pub(super) fn count(text: &str) -> Option<u32> {
    text.parse().ok()
}

pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn grace(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|grace| *grace <= Duration::from_secs(3600))
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

pub(super) fn log_level(text: &str) -> Option<String> {
    EnvFilter::try_new(text).ok().map(|_| text.to_owned())
}

/// A secret that travels as a bearer token.
pub(super) fn bearer(text: &str) -> Option<SecretString> {
    let sendable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    sendable.then(|| SecretString::from(text))
}

/// Secrets with commas between them; an empty one would let anybody sign.
pub(super) fn secrets(text: &str) -> Option<Vec<SecretString>> {
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    let whole = secrets.iter().all(|secret| !secret.is_empty());
    whole.then(|| secrets.into_iter().map(SecretString::from).collect())
}

/// A private key, looked at only so far as to catch the wrong file.
pub(super) fn private_key(text: &str) -> Option<SecretString> {
    let pem = text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----");
    pem.then(|| SecretString::from(text))
}
