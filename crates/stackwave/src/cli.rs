//! The command line, as people type it.

mod demo;
mod log;
mod plan;
mod role;
mod serve;

pub(crate) use self::{
    demo::DemoOptions,
    log::{Filter, LogCommand, LogOptions, ShowOptions, TailOptions},
    plan::{PlanFormat, PlanOptions},
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
  stackwave log tail --pr 7                 what happens to a pull request, as it happens

Exit codes:
  0  done
  1  it failed: bad input, or something that is needed cannot be reached; standard error says what
  2  wrong use: an unknown argument, or a configuration that cannot be used";

/// What the executable can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve all roles, or some of them
    Serve(ServeOptions),
    /// Show the whole of it on a simulated GitHub, in one process
    Demo(DemoOptions),
    /// Print in which order an upload would be deployed; needs no server
    Plan(PlanOptions),
    /// Print the records of the event log
    Log(LogOptions),
}

#[cfg(test)]
mod tests;
