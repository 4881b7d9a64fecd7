//! What an operator can set.

use stackwave_github::{signature::Secrets, webhook::Own};
use std::time::Duration;

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Those that may sign a delivery.
    pub secrets: Secrets,
    /// Who we are at GitHub.
    pub own: Own,
    /// The largest body in bytes. GitHub never sends more than 25 MB.
    pub body_limit: usize,
    /// How long a body may take to arrive. GitHub gives up after 10 s in all.
    pub body_timeout: Duration,
    /// How many bytes of bodies are held at a time, over all requests; more wait until the body's time is up. Anybody
    /// can send a body. Not below the body limit.
    pub memory: usize,
    /// How long a log that does not answer is tried before GitHub gets a 503, within GitHub's 10 s.
    pub append_patience: Duration,
    /// How long a delivery waits for its repository to be registered before it is appended all the same.
    pub register_patience: Duration,
    /// How large one record of collected observations may grow.
    pub batch: BatchLimits,
}

/// The bounds of collecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Observations in one record.
    pub events: usize,
    /// Bytes of their JSON in one record; far below what a log takes, so that a follower never waits long for one.
    pub bytes: usize,
    /// Bytes that wait for one subject; more are refused with a 503.
    pub waiting_bytes: usize,
}

impl Config {
    /// The defaults, with the secrets that may sign.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            own: Own::default(),
            body_limit: 25 << 20,
            body_timeout: Duration::from_secs(10),
            memory: 256 << 20,
            append_patience: Duration::from_secs(8),
            register_patience: Duration::from_secs(2),
            batch: BatchLimits { events: 256, bytes: 256 * 1024, waiting_bytes: 32 << 20 },
        }
    }
}
