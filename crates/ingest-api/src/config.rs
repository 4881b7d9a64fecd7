//! What an operator can set.

use crate::parse::Limits;
use std::time::Duration;

/// The settings of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The largest body in bytes, on the wire and after decompression.
    pub body_limit: usize,
    /// How long a client may take to send its body; Atmos gives up after 30 s.
    pub body_timeout: Duration,
    /// How many bytes of bodies are held at a time, over all requests; more wait, then get a 503.
    pub memory: usize,
    /// How long a request waits for its share of that memory.
    pub memory_patience: Duration,
    /// How long GitHub may take to say which repository an upload means.
    pub lookup_timeout: Duration,
    /// How long a log that does not answer is tried before the client gets a 503. Below the client's own 30 s.
    pub append_patience: Duration,
    /// How much one upload may say.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_limit: 32 << 20,
            body_timeout: Duration::from_secs(30),
            memory: 512 << 20,
            memory_patience: Duration::from_secs(5),
            lookup_timeout: Duration::from_secs(5),
            append_patience: Duration::from_secs(20),
            limits: Limits::default(),
        }
    }
}
