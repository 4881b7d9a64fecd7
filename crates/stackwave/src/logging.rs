//! The process's own log, on standard error: standard output belongs to what a command prints.

use crate::config::LogFormat;
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;

/// What commands other than `serve` say of themselves.
pub(crate) const QUIET: &str = "warn";
/// Likewise where a log is only read: what NATS's client library says comes as the command's own error.
pub(crate) const READING: &str = "warn,async_nats=off";

/// Starts it. `directives` are those of [`EnvFilter`], checked before.
pub(crate) fn start(format: LogFormat, directives: &str) {
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(EnvFilter::new(directives));
    // It can fail only when another one was started, and then that one is used.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
