//! `stackwave replay`, `stackwave export` and `stackwave diff`.

use super::ConfigFile;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use stackwave_domain::{Position, PrNumber, RunId};
use std::path::PathBuf;

/// Shows a run as it was at any record: state, graph, comment and what was due. Nothing is sent anywhere.
///
/// The records come from an event log, also while it is served, or from FILE, which `stackwave export` wrote, perhaps on
/// another machine. In a terminal the run is shown interactively; otherwise, or with one of the options below, it is
/// printed.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_HELP)]
pub(crate) struct ReplayOptions {
    /// A file that `stackwave export` wrote; `-` reads the standard input.
    #[arg(value_name = "FILE", conflicts_with_all = ["log", "repository"])]
    pub(crate) file: Option<PathBuf>,
    /// Which run; with FILE, one of those that it holds.
    #[arg(long, value_name = "ID", value_parser = run_id, required_unless_present = "file")]
    pub(crate) run: Option<RunId>,
    /// Print this moment: a position of the stream, or a time such as 2026-11-24T10:02:00Z.
    #[arg(long, value_name = "POSITION|TIME", value_parser = at)]
    pub(crate) at: Option<At>,
    /// Decide again what was decided, check the invariants after each record, and tell the first difference.
    #[arg(long, conflicts_with_all = ["at", "speed", "explain"])]
    pub(crate) verify: bool,
    /// Tell why the run stands as it does, or one stack of it (COMPONENT/STACK), down to the root.
    #[arg(long, value_name = "STACK", num_args = 0..=1, default_missing_value = "")]
    pub(crate) explain: Option<String>,
    /// With --explain: the evidence that each dispatch happened once.
    #[arg(long, requires = "explain")]
    pub(crate) dispatch: bool,
    /// Play the records, so many times as fast as they came; a pause is never longer than two seconds.
    #[arg(long, value_name = "N", value_parser = speed, conflicts_with = "at")]
    pub(crate) speed: Option<f64>,
    /// How to print; a terminal is left alone then.
    #[arg(long, short, value_enum)]
    pub(crate) output: Option<ReplayFormat>,
    /// Fold everything since the repository's first record, not only what lies near the run; --verify always does.
    #[arg(long)]
    pub(crate) whole: bool,
    #[command(flatten)]
    pub(crate) from: FromLog,
}

const REPLAY_HELP: &str = "\
In the terminal view:
  ← → or h l    a record back, forward       n p   the next, previous decision
  PgUp PgDn     ten records                  f F   the next, previous failure
  Home End      first, last record           space play, pause      + -  faster, slower
  Tab           stacks, graph, comment, due  ↑ ↓   scroll           q    quit

Examples:
  stackwave replay --run pr7-opened-9f2c1d7-5e1b9a04c2d3
  stackwave replay incident.jsonl.gz --at 2026-11-24T10:02:00Z
  stackwave replay incident.jsonl.gz --verify
  stackwave replay incident.jsonl.gz --explain app/prod --dispatch

Exit codes:
  0  shown; with --verify, everything was decided the same again
  1  the log or file cannot be read, there is no such run, or --verify found a difference
  2  wrong use";

/// Writes one file with everything that `stackwave replay` and `stackwave diff` need on another machine.
///
/// JSON lines, the same bytes for the same records, with a digest at the end. Of the configuration only the repository's
/// name and branch are taken; keys, tokens and bodies of uploads never are, and whatever looks like a secret in what people
/// wrote is replaced.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct ExportOptions {
    /// Which run.
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub(crate) run: Option<RunId>,
    /// A pull request with all its runs; needs --repository.
    #[arg(long, value_name = "NUMBER", value_parser = pr, conflicts_with = "run", requires = "repository")]
    pub(crate) pr: Option<PrNumber>,
    /// Where to; by default, or with `-`, the standard output. A name that ends in .gz is compressed.
    #[arg(long = "out", short = 'o', value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// For what it is written.
    #[arg(long, value_enum, default_value_t = ExportFormat::Stackwave)]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) from: FromLog,
}

const EXPORT_HELP: &str = "\
With neither --run nor --pr all of --repository is written.

Examples:
  stackwave export --run pr7-opened-9f2c1d7-5e1b9a04c2d3 -o incident.jsonl.gz
  stackwave export --repository acme/infra --pr 7 -o pr7.jsonl
  stackwave export --repository acme/infra --format cloudevents -o events.jsonl

Exit codes:
  0  written
  1  the log cannot be read, there is no such run, or the file cannot be written
  2  wrong use";

/// Tells what differs between two runs: stacks, edges, settings, decisions, statuses and timings.
///
/// A and B are each a run's id, or a file that `stackwave export` wrote for a run.
#[derive(Debug, Args)]
#[command(after_help = DIFF_HELP)]
pub(crate) struct DiffOptions {
    /// The first run, or its file.
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// The second run, or its file.
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// Durations differ when they do by more than this.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub(crate) within: std::time::Duration,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = DiffFormat::Text)]
    pub(crate) output: DiffFormat,
    #[command(flatten)]
    pub(crate) from: FromLog,
}

const DIFF_HELP: &str = "\
Examples:
  stackwave diff pr7-opened-9f2c1d7-5e1b9a04c2d3 pr7-synchronize-1c0ffee-0a1b2c3d4e5f
  stackwave diff good.jsonl.gz bad.jsonl.gz

Exit codes:
  0  the runs do not differ
  1  they do
  2  wrong use, or a run cannot be read";

/// The event log to read from.
#[derive(Clone, Debug, Args)]
pub(crate) struct FromLog {
    /// The event log: sqlite:PATH or nats://HOST:PORT; by default as `serve` would take it from file and environment.
    // Checked with the other settings: what clap refuses it repeats, with the password that may stand in it.
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    /// In which repository: OWNER/NAME, or GitHub's number.
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) repository: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// After the last record at or before this position.
    Position(Position),
    /// Likewise, in a stream that is named: `SW_00:123`.
    Place(u16, Position),
    /// After the last record that was written by then.
    Time(Timestamp),
}

/// How a moment is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// Everything, for people
    Text,
    /// The stacks with their statuses
    Table,
    /// Everything, for programs
    Json,
    /// The graph as a flowchart, as GitHub shows it in Markdown
    Mermaid,
    /// The pull request's comment
    Comment,
}

/// For what an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// For `stackwave replay` and `stackwave diff`
    Stackwave,
    /// CloudEvents 1.0, one JSON object a line, for other tools
    Cloudevents,
}

/// How differences are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

fn run_id(text: &str) -> Result<RunId, String> {
    if text.is_empty() { Err("expected a run's id".to_owned()) } else { Ok(RunId::new(text)) }
}

fn pr(text: &str) -> Result<PrNumber, String> {
    text.trim_start_matches('#').parse().map_err(|_| "expected the number of a pull request".to_owned())
}

fn at(text: &str) -> Result<At, String> {
    if let Ok(position) = text.parse() {
        return Ok(At::Position(position));
    }
    // As the log prints places.
    let place = text.strip_prefix("SW_").and_then(|place| place.split_once(':'));
    if let Some((partition, position)) = place
        && let (Ok(partition), Ok(position)) = (partition.parse(), position.parse())
    {
        return Ok(At::Place(partition, position));
    }
    let expected =
        || "expected a position (`123`, `SW_00:123`) or a time (`2026-11-24T10:02:00Z`)".to_owned();
    text.parse().map(At::Time).map_err(|_| expected())
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        Ok(_) | Err(_) => Err("expected a number above 0".to_owned()),
    }
}
