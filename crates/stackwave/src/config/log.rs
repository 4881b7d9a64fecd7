//! The event log: which one, and how it is opened.

use super::{reader::Reader, value};
use secrecy::SecretString;
use stackwave_event_log_nats::{Credentials, NatsOptions, without_secrets};
use stackwave_read_model::Place;
use std::{fmt, path::PathBuf, str::FromStr};

/// What is set about the event log. Who only reads it needs nothing else.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// Which one.
    pub(crate) target: LogTarget,
    /// How many partitions a new event log has.
    pub(crate) partitions: u16,
    /// On how many servers JetStream keeps each record; none = as it finds it, 1 in a new log.
    pub(crate) nats_replicas: Option<usize>,
    /// What the `.creds` file holds.
    pub(crate) nats_credentials: Option<SecretString>,
}

impl LogSettings {
    /// One partition, and nothing that has to be set.
    pub(crate) const fn of(target: LogTarget) -> Self {
        Self { target, partitions: 1, nats_replicas: None, nats_credentials: None }
    }

    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let target = reader.value("log", value::log_target);
        let partitions = reader.value("partitions", value::partitions);
        let nats_replicas = reader.value("nats_replicas", value::replicas);
        let creds = "the JWT and the key of a NATS user (`-----BEGIN NATS USER JWT-----` …)";
        let nats_credentials = reader.content("nats_credentials_file", creds, value::nats_credentials);
        Some(Self { target: target?, partitions: partitions?, nats_replicas, nats_credentials })
    }

    /// Where the read model lies when nobody says: beside a log that is a file, else below the working directory.
    pub(crate) fn read_model(&self) -> Place {
        Place::File(match &self.target {
            LogTarget::Sqlite(path) => path.with_file_name("read-model.db"),
            LogTarget::Nats(_) => "data/read-model.db".into(),
        })
    }

    /// How JetStream at this URL is connected to.
    pub(crate) fn nats_options(&self, url: &str) -> NatsOptions {
        NatsOptions {
            credentials: self.nats_credentials.clone().map_or(Credentials::None, Credentials::Creds),
            partitions: self.partitions,
            replicas: self.nats_replicas,
            ..NatsOptions::new(url)
        }
    }
}

/// Which event log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// NATS JetStream; the whole URL, which may hold a password or a token.
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
    /// As configured, without what is secret in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Nats(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogTarget({self})")
    }
}
