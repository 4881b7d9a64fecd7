//! The gRPC contract: its style, and that no change breaks a client of the released one.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{run, step};
use crate::npm::{NODE_HINT, Packages};
use crate::tools::Workspace;

/// Where the contract stands, from the root.
const FOLDER: &str = "proto";

/// The released contract, from that folder: a buf image without comments.
const BASELINE: &str = "baseline.json";

/// Fails on any finding; the findings are printed as `file:line:column:message`.
pub(crate) fn check(workspace: &Workspace, buf: &Packages) -> Result<()> {
    step("buf lint proto");
    run(command(workspace, buf).arg("lint"))
        .with_context(|| hint("the gRPC contract does not pass `buf lint`"))?;
    step(&format!("buf breaking proto --against {FOLDER}/{BASELINE}"));
    run(command(workspace, buf).args(["breaking", "--against", BASELINE])).with_context(|| {
        hint("the gRPC contract breaks clients of the released one; if that is meant, `cargo xtask proto-baseline`")
    })
}

/// Takes the contract as it is for the released one.
pub(crate) fn release(workspace: &Workspace, buf: &Packages) -> Result<()> {
    step(&format!("buf build proto --output {FOLDER}/{BASELINE}"));
    run(command(workspace, buf).args(["build", "--exclude-source-info", "--output", BASELINE]))
        .with_context(|| hint("the gRPC contract could not be read"))
}

fn command(workspace: &Workspace, buf: &Packages) -> Command {
    let mut command = Command::new("node");
    command
        .current_dir(workspace.root().join(FOLDER))
        .arg(buf.folder.join("node_modules/@bufbuild/buf/bin/buf"));
    command
}

fn hint(what: &str) -> String {
    format!("{what}, or buf could not run ({NODE_HINT})")
}
