//! `stackwave migrate`.

use super::ConfigFile;
use clap::Args;
use std::path::PathBuf;

/// Copies a SQLite event log to NATS JetStream: every record at its own position, every blob, and each of them verified.
///
/// `serve` must be stopped. What is broken off goes on where it was when it is called again. The file stays as it is; the
/// new log has as many partitions, and is refused by `serve` until it is complete.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct MigrateOptions {
    /// The SQLite file, as a path or as sqlite:PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Where it is copied to: nats://HOST:PORT; by default the configured event log.
    #[arg(long, value_name = "LOG")]
    pub(crate) to: Option<String>,
    /// Copy nothing; only compare both logs.
    #[arg(long)]
    pub(crate) verify_only: bool,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave migrate --from data/stackwave.db --to nats://nats:4222
  STACKWAVE_NATS_REPLICAS=3 stackwave migrate --from data/stackwave.db --to tls://nats.example.com:4222

What is set of NATS counts as for `serve`: STACKWAVE_NATS_REPLICAS, STACKWAVE_NATS_CREDENTIALS_FILE.

Exit codes:
  0  everything lies in the new log, and was compared byte for byte
  1  it does not; call it again, or see what the message says
  2  wrong use: an unknown argument, or a configuration that cannot be used";
