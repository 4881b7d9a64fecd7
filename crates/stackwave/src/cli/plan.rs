//! `stackwave plan`.

use super::ConfigFile;
use clap::{Args, ValueEnum};
use stackwave_domain::event::Trigger;
use std::path::PathBuf;

/// Prints in which order the stacks of an upload would be deployed, and which would not and why.
///
/// FILE is the body of an upload, or what `atmos describe affected --format json --include-dependents
/// --include-settings` prints. It is read as the server reads it. Nothing is sent anywhere.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PlanOptions {
    /// The file; `-` reads the standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// What happens at GitHub: it selects the workflows in `settings.pro`.
    #[arg(long, value_name = "EVENT.ACTIVITY", default_value = "pull_request.opened", value_parser = trigger)]
    pub(crate) trigger: Trigger,

    /// Tell when it would be done, by how long the stacks took before: from a file of `stackwave export`, from an event log
    /// (sqlite:PATH, nats://HOST:PORT), or without a value from the configured one.
    #[arg(long, value_name = "FILE|LOG", num_args = 0..=1, default_missing_value = "")]
    pub(crate) history: Option<String>,

    /// Whose history: OWNER/NAME; by default the one that the upload names.
    #[arg(long, value_name = "REPOSITORY", requires = "history")]
    pub(crate) repository: Option<String>,

    /// How to print it.
    #[arg(long, short = 'o', visible_alias = "output", value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,

    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

const AFTER_HELP: &str = "\
Triggers:
  pull_request.opened, pull_request.synchronize, pull_request.reopened, pull_request.merged,
  merge_group.checks_requested, release.published, release.released, and what else `settings.pro` names

Examples:
  atmos describe affected --format json --include-dependents --include-settings | stackwave plan -
  stackwave plan upload.json --trigger pull_request.merged
  stackwave plan upload.json --format mermaid > graph.mmd
  stackwave plan upload.json --history sqlite:data/stackwave.db --repository acme/infra

Exit codes:
  0  printed, also when the plan holds cycles or nothing to dispatch
  1  the file cannot be read, or is no upload; the message names the field
  2  wrong use";

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people
    #[value(alias = "table")]
    Text,
    /// A flowchart, as GitHub shows it in Markdown
    Mermaid,
    /// For programs
    Json,
}

fn trigger(text: &str) -> Result<Trigger, String> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    match text.split_once('.') {
        Some((event, activity)) if word(event) && word(activity) => Ok(Trigger::new(event, activity)),
        Some(_) | None => Err("expected EVENT.ACTIVITY, such as `pull_request.opened`".to_owned()),
    }
}
