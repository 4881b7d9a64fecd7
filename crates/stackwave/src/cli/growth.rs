//! `stackwave log checkpoint` and `stackwave log purge`.

use super::ConfigFile;
use clap::{ArgGroup, Args};
use stackwave_domain::{Position, Timestamp};
use std::{path::PathBuf, time::Duration};

/// Writes the state of every partition into the log, so that folding may start from it and what lies before may be purged.
///
/// A SQLite log must not be served meanwhile; with JetStream `serve` goes on.
#[derive(Debug, Args)]
#[command(after_help = CHECKPOINT_HELP)]
pub(crate) struct CheckpointOptions {
    #[command(flatten)]
    pub(crate) log: WhichLog,
}

const CHECKPOINT_HELP: &str = "\
Examples:
  stackwave log checkpoint --log sqlite:data/stackwave.db
  stackwave log checkpoint --log nats://nats:4222

Exit codes:
  0  every partition that holds a record has a checkpoint at its end
  1  the log cannot be read or written
  2  wrong use";

/// Removes old records and the blobs that nothing else refers to, once they are archived and nothing needs them.
///
/// Needs a checkpoint at or after the point (`stackwave log checkpoint`). It is refused, with what is in the way, while a
/// run that is kept (until 35 days after it ended), an upload that waits, or an open claim needs a record before the
/// point. The configuration is never purged.
///
/// A SQLite log must not be served meanwhile; with JetStream `serve` goes on.
#[derive(Debug, Args)]
#[command(after_help = PURGE_HELP, group(ArgGroup::new("point").required(true)))]
pub(crate) struct PurgeOptions {
    /// Purge what was written before this: a time (2026-01-31, 2026-01-31T12:00:00Z) or an age (90d).
    #[arg(long, value_name = "TIME", group = "point", value_parser = before)]
    pub(crate) before: Option<Before>,
    /// Purge up to this position, this record included.
    #[arg(long, value_name = "POSITION", group = "point", value_parser = |text: &str| text.parse::<Position>())]
    pub(crate) through: Option<Position>,
    /// Purge this partition only. Needed with --through, where there are several.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) partition: Option<u16>,
    /// Archive what is removed in this file first: JSON lines, compressed by Zstandard. It must not exist.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(crate) export: Option<PathBuf>,
    /// Say what would be removed and what is in the way, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) log: WhichLog,
}

const PURGE_HELP: &str = "\
Examples:
  stackwave log purge --before 90d --dry-run
  stackwave log checkpoint && stackwave log purge --before 90d --export stackwave-2026-11.jsonl.zst
  stackwave log show --file stackwave-2026-11.jsonl.zst --pr 7

Exit codes:
  0  purged, or there was nothing to purge; with --dry-run: it could be
  1  something is in the way, and is named; or the log or the file cannot be used
  2  wrong use";

/// Which log.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichLog {
    /// The event log: sqlite:PATH or nats://HOST:PORT; by default as `serve` would take it from file and environment.
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// This one.
    Time(Timestamp),
    /// So long ago.
    Age(Duration),
}

fn before(text: &str) -> Result<Before, String> {
    let midnight = format!("{text}T00:00:00Z");
    let time = text.parse().or_else(|_| midnight.parse()).map(Before::Time);
    time.or_else(|_| humantime::parse_duration(text).map(Before::Age))
        .map_err(|_| "expected a time (2026-01-31, 2026-01-31T12:00:00Z) or an age (90d)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_a_day_a_moment_or_an_age() {
        let day = "2026-01-31T00:00:00Z".parse().unwrap();
        assert_eq!(before("2026-01-31"), Ok(Before::Time(day)));
        assert_eq!(before("2026-01-31T00:00:00Z"), Ok(Before::Time(day)));
        assert_eq!(before("90d"), Ok(Before::Age(Duration::from_secs(90 * 24 * 3600))));
        assert!(before("yesterday").is_err());
    }
}
