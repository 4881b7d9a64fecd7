//! `stackwave doctor`.

use super::ConfigFile;
use clap::{Args, ValueEnum};
use stackwave_domain::RepositoryName;
use std::path::PathBuf;

/// Checks the configuration, the event log, the GitHub App and the repositories' workflows, and says what to change.
///
/// Nothing is changed: it may be run beside `serve`, and before it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoctorOptions {
    /// Look at the workflows of this repository only; may be given several times. By default all that are known.
    #[arg(long = "repository", value_name = "OWNER/NAME", value_parser = repository)]
    pub(crate) repositories: Vec<RepositoryName>,
    /// Judge workflows by this upload, as `stackwave plan` reads it, instead of the last one in the log.
    #[arg(long, value_name = "FILE", requires = "repositories")]
    pub(crate) upload: Option<PathBuf>,
    /// Ask GitHub nothing.
    #[arg(long)]
    pub(crate) offline: bool,
    /// The event log: sqlite:PATH or nats://HOST:PORT; by default as `serve` would take it from file and environment.
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    /// How to print it.
    #[arg(long, short, value_enum, default_value_t = DoctorFormat::Table)]
    pub(crate) output: DoctorFormat,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave doctor --config stackwave.toml
  stackwave doctor --repository acme/infra --upload upload.json
  stackwave doctor --offline --output json

Exit codes:
  0  no problems; there may be warnings
  1  at least one problem
  2  wrong use: an unknown argument";

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

fn repository(text: &str) -> Result<RepositoryName, String> {
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(RepositoryName::new(owner, name))
        }
        Some(_) | None => Err("expected OWNER/NAME, such as `acme/infra`".to_owned()),
    }
}
