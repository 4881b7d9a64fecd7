//! What an operator can set.

use stackwave_github::{signature::Secrets, webhook::Own};
use stackwave_runtime::batcher::Limits;
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
    /// How long a delivery waits for its repository to be registered before it is appended all the same.
    pub register_patience: Duration,
    /// How large one record of collected observations may grow, and how long a log that does not answer is tried before
    /// GitHub gets a 503: within GitHub's 10 s.
    pub batch: Limits,
    /// How long raw bodies are kept aside for people; none = they are not.
    pub keep_raw: Option<Duration>,
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
            register_patience: Duration::from_secs(2),
            batch: Limits { patience: Duration::from_secs(8), ..Limits::default() },
            keep_raw: None,
        }
    }
}
