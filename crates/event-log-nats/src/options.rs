//! How to reach the servers, and what the log looks like there.

use crate::without_secrets;
use secrecy::SecretString;
use std::{fmt, time::Duration};

/// How to connect, and how the log is set up if it is not there yet.
#[derive(Clone)]
pub struct NatsOptions {
    /// Where the servers are, separated by commas: `nats://a:4222,nats://b:4222`. A user with a password, or a token, may
    /// stand in it (`nats://USER:PASSWORD@a:4222`, `nats://TOKEN@a:4222`), percent-encoded; it counts for all servers.
    pub url: String,
    /// Who we are, unless the URL says it.
    pub credentials: Credentials,
    /// Names the connection in the server's monitoring.
    pub name: String,
    /// The number of partitions; fixed when the log is created.
    pub partitions: u16,
    /// On how many servers every record lies: 1 for development, 3 in production. It is raised on existing streams,
    /// never lowered. None: as many as an existing log has, 1 in a new one.
    pub replicas: Option<usize>,
    /// How large a partition's stream may become, in bytes, before the log takes no more records; less where there are so
    /// many partitions that they would take more than 8 GiB together, because the server sets it aside. It is raised on
    /// existing streams, never lowered.
    pub partition_bytes: u64,
    /// Likewise for the configuration's stream.
    pub config_bytes: u64,
    /// How large the stream of bodies kept aside may become, in bytes, before the oldest go. The server sets it aside
    /// with the first of them.
    pub aside_bytes: u64,
    /// How long a lease lasts without being renewed; fixed when the log is created.
    pub lease_ttl: Duration,
}

/// Who we are to the servers.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nobody in particular.
    None,
    /// A token.
    Token(SecretString),
    /// A user with a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// What a `.creds` file holds: a JWT and its key.
    Creds(SecretString),
}

impl NatsOptions {
    /// A log with one partition at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::None,
            name: "stackwave".to_owned(),
            partitions: 1,
            replicas: None,
            partition_bytes: 2 * 1024 * 1024 * 1024,
            config_bytes: 256 * 1024 * 1024,
            aside_bytes: 1024 * 1024 * 1024,
            lease_ttl: Duration::from_secs(6),
        }
    }
}

impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsOptions")
            .field("url", &without_secrets(&self.url))
            .field("credentials", &self.credentials)
            .field("name", &self.name)
            .field("partitions", &self.partitions)
            .field("replicas", &self.replicas)
            .field("partition_bytes", &self.partition_bytes)
            .field("config_bytes", &self.config_bytes)
            .field("aside_bytes", &self.aside_bytes)
            .field("lease_ttl", &self.lease_ttl)
            .finish()
    }
}
