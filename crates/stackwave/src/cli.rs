//! The command line, as people type it.

mod completions;
mod demo;
mod doctor;
mod growth;
mod log;
mod man;
mod migrate;
mod plan;
mod replay;
mod role;
mod serve;

pub(crate) use self::{
    completions::CompletionsOptions,
    demo::DemoOptions,
    doctor::{DoctorFormat, DoctorOptions},
    growth::{Before, CheckpointOptions, PurgeOptions, WhichLog},
    log::{DeliveriesOptions, Filter, LogCommand, LogOptions, ShowOptions, TailOptions},
    man::ManOptions,
    migrate::MigrateOptions,
    plan::{PlanFormat, PlanOptions},
    replay::{
        At, DiffFormat, DiffOptions, ExportFormat, ExportOptions, FromLog, ReplayFormat, ReplayOptions,
    },
    role::Role,
    serve::{ConfigFile, ServeOptions},
};

use clap::{Parser, Subcommand};

/// Deploys Terraform stacks in dependency order, by GitHub workflows, each exactly once.
///
/// Atmos uploads which stacks a pull request affects, GitHub's webhooks tell what happened to it, and Stackwave starts
/// a workflow for each stack as soon as the stacks that it depends on have succeeded.
#[derive(Debug, Parser)]
#[command(
    name = "stackwave",
    version = crate::version::VERSION,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave demo                            see the whole of it on a simulated GitHub
  stackwave plan affected.json              the order in which an upload would be deployed
  stackwave serve --config stackwave.toml   run it
  stackwave runs list --status failed       what a running server answers, over its admin API
  stackwave log tail --pr 7                 what happens to a pull request, as it happens

Exit codes:
  0  done
  1  it failed: bad input, or something that is needed cannot be reached; standard error says what
  2  wrong use: an unknown argument, or a configuration that cannot be used
  3  no server was reached, it is not ready, or --wait was ended by --timeout: the same may work later
  4  the server refuses the token: missing, wrong, revoked, expired, or too weak for this

Where a running server is asked, STACKWAVE_SERVER names it and STACKWAVE_TOKEN opens it.";

/// What the executable can do. A line for the list of commands stands here; what the options say of themselves is told
/// in each command's own help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(about = "Serve all roles, or some of them")]
    Serve(ServeOptions),
    #[command(about = "Show the whole of it on a simulated GitHub, in one process")]
    Demo(DemoOptions),
    #[command(about = "Print in which order an upload would be deployed; needs no server")]
    Plan(PlanOptions),
    #[command(about = "Check an installation, and say what to change")]
    Doctor(DoctorOptions),
    #[command(about = "Print the records of the event log")]
    Log(LogOptions),
    #[command(about = "Show a run as it was at any record, from the log or from a file")]
    Replay(ReplayOptions),
    #[command(about = "Write a run to a file that `replay` and `diff` read elsewhere")]
    Export(ExportOptions),
    #[command(about = "Tell what differs between two runs")]
    Diff(DiffOptions),
    #[command(about = "Copy a SQLite event log to NATS JetStream")]
    Migrate(MigrateOptions),
    /// What a running server answers
    #[command(flatten)]
    Remote(stackwave_client::Command),
    #[command(about = "Print a script with which a shell completes these commands")]
    Completions(CompletionsOptions),
    #[command(about = "Print the manual page, or write one for each command")]
    Man(ManOptions),
}

#[cfg(test)]
mod tests;
