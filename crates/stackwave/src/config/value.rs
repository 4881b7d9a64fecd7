//! From texts to values. Each reader returns nothing when the text is not of the form that the table promises.

use super::LogTarget;
use secrecy::SecretString;
use stackwave_read_model::Place;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tracing_subscriber::EnvFilter;

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

/// NATS keeps a stream on at most five servers.
pub(super) fn replicas(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=5).contains(count))
}

pub(super) fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let whole = !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace);
    whole.then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn read_model(text: &str) -> Option<Place> {
    match text {
        "" => None,
        "off" => Some(Place::Off),
        path => Some(Place::File(PathBuf::from(path))),
    }
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
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

/// None = off.
pub(super) fn raw_webhooks(text: &str) -> Option<Option<Duration>> {
    if text == "off" {
        return Some(None);
    }
    let (least, most) = (Duration::from_secs(60), Duration::from_secs(30 * 24 * 3600));
    humantime::parse_duration(text).ok().filter(|keep| (least..=most).contains(keep)).map(Some)
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

pub(super) fn ratio(text: &str) -> Option<f64> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
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

/// What a `.creds` file holds, looked at only so far as to catch the wrong file.
pub(super) fn nats_credentials(text: &str) -> Option<SecretString> {
    let both = text.contains("NATS USER JWT-----") && text.contains("NKEY SEED-----");
    both.then(|| SecretString::from(text))
}

/// A private key, looked at only so far as to catch the wrong file.
pub(super) fn private_key(text: &str) -> Option<SecretString> {
    let pem = text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----");
    pem.then(|| SecretString::from(text))
}
