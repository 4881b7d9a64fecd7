//! Calls of cargo, the same ones whoever makes them.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::command::{run, step};
use crate::nats;
use crate::npm::Packages;
use crate::python::{self, Python};
use crate::tools::Workspace;

/// Variables that cargo sets for the program that it runs. They describe *this* package, and build scripts that
/// watch them (ring's does) would run again, with everything above them, each time we take turns with a shell.
const OF_THIS_PACKAGE: &[&str] =
    &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// The cargo that runs us.
pub(crate) struct Cargo<'a> {
    program: OsString,
    workspace: &'a Workspace,
}

impl<'a> Cargo<'a> {
    pub(crate) fn new(workspace: &'a Workspace) -> Self {
        Self { program: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), workspace }
    }

    pub(crate) fn check_format(&self) -> Result<()> {
        step("cargo fmt --all --check");
        run(self.command().args(["fmt", "--all", "--check"]))
    }

    pub(crate) fn check_lints(&self) -> Result<()> {
        step("cargo clippy --workspace --all-targets --locked -- -D warnings");
        run(self.command().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    }

    /// Runs all tests, documentation tests too. What the tests need is there, so a test that misses it fails
    /// instead of skipping.
    pub(crate) fn test(
        &self,
        nats: &nats::Server,
        schemas: &Packages,
        python: &Python,
        args: &[&str],
    ) -> Result<()> {
        // Scenarios start real processes: `cargo test` alone would leave an older executable in place.
        step("cargo build --workspace --bins --locked");
        run(self.command().args(["build", "--workspace", "--bins", "--locked"]))?;

        let words = [&["test", "--workspace", "--locked"], args].concat();
        step(&format!("cargo {}", words.join(" ")));
        let mut test = self.command();
        test.args(words)
            .env(nats::VARIABLE, &nats.path)
            .env("STACKWAVE_SCHEMAS", &schemas.folder)
            .env(python::VARIABLE, &python.path)
            .env("STACKWAVE_REQUIRE_NATS", "1")
            .env("STACKWAVE_REQUIRE_SCHEMAS", "1")
            .env("STACKWAVE_REQUIRE_PYTHON", "1");
        run(&mut test)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.workspace.root());
        for (name, _) in env::vars_os() {
            if OF_THIS_PACKAGE.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }
}
