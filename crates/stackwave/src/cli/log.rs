//! `stackwave log`.

use super::{CheckpointOptions, ConfigFile, PurgeOptions};
use clap::{Args, Subcommand};
use stackwave_domain::{Position, PrNumber, RunId};
use std::path::PathBuf;

/// Prints the records of the event log, one line an event, oldest first.
///
/// A line holds the time, the stream and position, the repository, the subject's kind, the event and what it says. The
/// log is only read, also while it is served.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LogOptions {
    /// Print what is there, or follow it.
    #[command(subcommand)]
    pub(crate) command: LogCommand,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave log show --log sqlite:data/stackwave.db --pr 7
  stackwave log show --run pr7-opened-9f2c1d7-5e1b9a04c2d3 --json
  stackwave log tail --repository acme/infra --stack eks/cluster/prod

Exit codes:
  0  printed
  1  the log cannot be read
  2  wrong use";

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Print what is there
    Show(ShowOptions),
    /// Print the newest events, then each as it is appended
    Tail(TailOptions),
    #[command(about = "List raw bodies of webhooks that were kept aside, or print one")]
    Deliveries(DeliveriesOptions),
    #[command(about = "Write the state of every partition down, so that what lies before may be purged")]
    Checkpoint(CheckpointOptions),
    #[command(about = "Archive and remove old records that nothing needs any more")]
    Purge(PurgeOptions),
}

/// `stackwave log show`.
#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// At most so many events: the newest, or with --from the first.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// `stackwave log tail`.
#[derive(Debug, Args)]
pub(crate) struct TailOptions {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// How many of the newest events to begin with.
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "from")]
    pub(crate) limit: usize,
}

/// Lists the raw bodies of webhooks that were kept aside, newest first, or prints one of them.
///
/// They are kept while STACKWAVE_RAW_WEBHOOKS says so, best effort. What was appended of a delivery, and what became of
/// it, is told by `stackwave log show` and `stackwave deliveries list`.
#[derive(Debug, Args)]
pub(crate) struct DeliveriesOptions {
    /// Print the body of this delivery, as GitHub sent it: its GUID.
    #[arg(long, value_name = "GUID")]
    pub(crate) id: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// The event log: sqlite:PATH or nats://HOST:PORT; by default as `serve` would take it from file and environment.
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

/// Which log, and which of its events. Several filters have to hold together.
#[derive(Clone, Debug, Args)]
pub(crate) struct Filter {
    /// The event log: sqlite:PATH or nats://HOST:PORT; by default as `serve` would take it from file and environment.
    // Checked with the other settings: what clap refuses it repeats, with the password that may stand in it.
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    /// An archive of `stackwave log purge`, instead of a log.
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    pub(crate) file: Option<PathBuf>,
    /// What belongs to a repository: OWNER/NAME, or GitHub's number.
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) repository: Option<String>,
    /// What belongs to a pull request.
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| text.parse::<PrNumber>())]
    pub(crate) pr: Option<PrNumber>,
    /// What belongs to a run: its upload, decisions, claims, results and workflow runs.
    #[arg(long, value_name = "ID", value_parser = |text: &str| Ok::<_, std::convert::Infallible>(RunId::new(text)))]
    pub(crate) run: Option<RunId>,
    /// What belongs to a stack: COMPONENT/STACK or COMPONENT@STACK.
    #[arg(long, value_name = "STACK")]
    pub(crate) stack: Option<String>,
    /// One JSON object a line, with everything that the event holds.
    #[arg(long)]
    pub(crate) json: bool,
    /// Begin at this position of the repositories' streams, and leave the configuration out.
    #[arg(long, value_name = "POSITION", value_parser = |text: &str| text.parse::<Position>())]
    pub(crate) from: Option<Position>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}
