//! What the client has to be told.

use crate::observe::ExchangeObserver;
use secrecy::SecretString;
use stackwave_domain::Timestamp;
use std::{fmt, sync::Arc, time::Duration};

/// Says what time it is. The client signs with it and compares it with when tokens end.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take in all, sign-in and redirects included. Design §5 builds its take-over wait on it.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What the client has to be told.
#[derive(Clone)]
pub struct ClientConfig {
    /// Where the REST API is: `https://api.github.com`, `https://api.SUB.ghe.com` or `https://HOST/api/v3`.
    pub api_url: String,
    /// The App's numeric id, or its client id. Without it every call is answered with `Unauthorized`.
    pub app_id: Option<String>,
    /// The App's private key as PEM, PKCS#1 (as GitHub hands it out) or PKCS#8.
    pub private_key: Option<SecretString>,
    /// How many writes a minute and installation; 0 does not pace. By default the host decides (see [`crate::budget`]).
    pub writes_per_minute: Option<u32>,
    /// `User-Agent`; GitHub answers 403 without one.
    pub user_agent: String,
    /// Says what time it is.
    pub clock: Clock,
    /// [`CALL_TIMEOUT`], unless a test has less patience.
    pub call_timeout: Duration,
    /// Sees every exchange.
    pub observer: Option<Arc<dyn ExchangeObserver>>,
}

impl ClientConfig {
    /// A client that is not signed in.
    #[must_use]
    pub fn new(api_url: impl Into<String>, clock: Clock) -> Self {
        Self {
            api_url: api_url.into(),
            app_id: None,
            private_key: None,
            writes_per_minute: None,
            user_agent: format!("stackwave/{}", env!("CARGO_PKG_VERSION")),
            clock,
            call_timeout: CALL_TIMEOUT,
            observer: None,
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("api_url", &self.api_url)
            .field("app_id", &self.app_id)
            .field("private_key", &self.private_key)
            .field("writes_per_minute", &self.writes_per_minute)
            .field("user_agent", &self.user_agent)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

/// A configuration with which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The base URL.
    #[error("`STACKWAVE_GITHUB_API_URL` is `{url}`, which is no http or https URL: {reason}")]
    ApiUrl {
        /// As configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key. What it holds is not told.
    #[error("the GitHub App's private key (`STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE`) cannot be used: {0}")]
    PrivateKey(&'static str),
    /// The user agent.
    #[error("`{0}` cannot be sent as `User-Agent`")]
    UserAgent(String),
    /// TLS.
    #[error("TLS cannot be set up: {0}; install the system's CA certificates or set `SSL_CERT_FILE`")]
    Tls(String),
}
