//! How to reach the servers, and what the log looks like there.

use secrecy::SecretString;
use std::path::PathBuf;

/// How to connect, and how the log is set up if it is not there yet.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Where the servers are, separated by commas: `nats://a:4222,nats://b:4222`.
    pub url: String,
    /// Who we are.
    pub credentials: Credentials,
    /// Names the connection in the server's monitoring.
    pub name: String,
    /// The number of partitions; fixed when the log is created.
    pub partitions: u16,
    /// On how many servers every record lies: 1 for development, 3 in production. It is raised on existing streams,
    /// never lowered.
    pub replicas: usize,
    /// How large a partition's stream may become, in bytes, before the log takes no more records. The server sets it
    /// aside. It is raised on existing streams, never lowered.
    pub partition_bytes: u64,
    /// Likewise for the configuration's stream.
    pub config_bytes: u64,
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
    /// A `.creds` file with a JWT and its key.
    File(PathBuf),
}

impl NatsOptions {
    /// A log with one partition and one replica at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::None,
            name: "stackwave".to_owned(),
            partitions: 1,
            replicas: 1,
            partition_bytes: 2 * 1024 * 1024 * 1024,
            config_bytes: 256 * 1024 * 1024,
        }
    }
}
