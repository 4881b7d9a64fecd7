//! The client: connections, sign-in, budgets and caches of one GitHub host and one App.

use crate::{
    budget::{Budgets, Pace},
    comments::Identity,
    config::{CONNECT_TIMEOUT, ClientConfig, Clock, ConfigError},
    http::Http,
    key::AppKey,
    observe::ExchangeObserver,
    runs::Listings,
    token::Tokens,
    workflows::Definitions,
};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::OnceCell;

/// GitHub, as one App sees it. Clones share connections, tokens, budgets and caches: one client a process is meant.
#[derive(Clone)]
pub struct GitHubClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: Http,
    /// The key, or what is not set.
    pub(crate) key: Result<AppKey, &'static str>,
    pub(crate) clock: Clock,
    pub(crate) call_timeout: Duration,
    pub(crate) observer: Option<Arc<dyn ExchangeObserver>>,
    pub(crate) tokens: Tokens,
    pub(crate) budgets: Budgets,
    pub(crate) definitions: Definitions,
    pub(crate) listings: Listings,
    pub(crate) identity: OnceCell<Identity>,
    /// Cleared when the host refuses `return_run_details` (Enterprise Server up to 3.20).
    pub(crate) knows_run_details: AtomicBool,
}

impl GitHubClient {
    /// Makes a client; nothing is sent yet. Without App id or key it is made all the same, and every call is answered
    /// with `Unauthorized`, which names what is not set: a service starts, and says so.
    ///
    /// # Errors
    /// When the base URL, the key or the user agent cannot be used, or an `https` host meets a machine without CA
    /// certificates.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let http = Http::new(&config.api_url, &config.user_agent, CONNECT_TIMEOUT.min(config.call_timeout))?;
        let pace = Pace::of(http.base(), config.writes_per_minute);
        let key = match (&config.app_id, &config.private_key) {
            (None, _) => Err("STACKWAVE_GITHUB_APP_ID"),
            (_, None) => Err("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE"),
            (Some(id), Some(pem)) => Ok(AppKey::from_pem(id.trim(), pem)?),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                key,
                clock: config.clock,
                call_timeout: config.call_timeout,
                observer: config.observer,
                tokens: Tokens::default(),
                budgets: Budgets::new(pace),
                definitions: Definitions::default(),
                listings: Listings::default(),
                identity: OnceCell::new(),
                knows_run_details: AtomicBool::new(true),
            }),
        })
    }

    /// Of every rate of the budget only so much is this process's, from now on: 0.5 where two processes write for the same
    /// App. A whole of 1 is what a client starts with.
    pub fn set_share(&self, share: f64) {
        self.inner.budgets.set_share(share);
    }
}

impl fmt::Debug for GitHubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubClient")
            .field("api_url", &self.inner.http.base().as_str())
            .field("app", &self.inner.key)
            .finish_non_exhaustive()
    }
}
