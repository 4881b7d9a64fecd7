//! `stackwave demo`.

use crate::config::LogTarget;
use clap::Args;
use std::time::Duration;

/// Shows the whole of Stackwave in one process, on a temporary log and a simulated GitHub.
///
/// A pull request is opened, its affected stacks are uploaded, their plans run wave by wave, one fails and is run
/// again, the pull request is merged and applied. At the end stands the comment that the pull request has.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DemoOptions {
    /// How many stacks are affected; a landing zone in three environments when it is not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) stacks: Option<u32>,

    /// The stack whose first plan fails, as COMPONENT/STACK, or a component in any stack.
    #[arg(long, value_name = "NAME")]
    pub(crate) fail: Option<String>,

    /// What chance is drawn from: the same seed shows the same.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) seed: u64,

    /// How long a simulated workflow takes.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) job_time: Duration,

    /// Keep the log here, for `log`, `replay`, `export` and `diff`: sqlite:PATH or nats://HOST:PORT; by default it is a
    /// temporary SQLite file.
    #[arg(long, value_name = "LOG", conflicts_with = "nats")]
    pub(crate) log: Option<LogTarget>,

    /// The same as `--log URL`, for a NATS server.
    #[arg(long, value_name = "URL")]
    pub(crate) nats: Option<String>,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave demo
  stackwave demo --fail database/prod --job-time 3s
  stackwave demo --log sqlite:demo.db       then: stackwave log show --log sqlite:demo.db
  stackwave demo --stacks 500 --job-time 100ms > comment.md

Exit codes:
  0  it ended as it should
  1  it did not; standard error says why
  2  wrong use";
