//! GitHub over REST: signs in as the App, keeps to the rate budget, and implements every port of
//! [`stackwave_github::port`]. It knows nothing of runs, stacks or the log.
//!
//! Start with [`GitHubClient`]. What may be sent is told by [`budget`]; what an answer to a dispatch proves, by
//! the port's documentation and `dispatch.rs`.
//!
//! Secrets (key, JWT, tokens) are kept in `SecretString` and appear in no error, log or `Debug`.

mod apps;
pub mod budget;
mod call;
mod cancels;
mod client;
mod comments;
mod config;
mod deadline;
mod dispatch;
mod http;
mod key;
mod limit;
mod observe;
mod page;
mod path;
mod pulls;
mod repositories;
mod runs;
mod tls;
mod token;
mod workflows;

pub use client::GitHubClient;
pub use config::{CALL_TIMEOUT, CONNECT_TIMEOUT, ClientConfig, Clock, ConfigError};
pub use observe::{BudgetLeft, Exchange, ExchangeObserver, RateLimit};
