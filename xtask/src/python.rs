//! A Python with gRPC, in which a client of the admin API is generated and tried.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::command::{run, step};
use crate::tools::Workspace;

/// gRPC and its generator, in the version that the client's scenario was written against; it brings protobuf along.
const PACKAGES: &[&str] = &["grpcio-tools==1.83.2", "grpcio-status==1.83.2"];

/// Names the interpreter; also what the test reads.
pub(crate) const VARIABLE: &str = "STACKWAVE_PYTHON";

const HINT: &str = "install Python 3.10 or newer with venv and pip (Debian and Ubuntu: \
     `apt-get install python3 python3-venv python3-pip`)";

/// An interpreter that has the packages.
#[derive(Debug)]
pub(crate) struct Python {
    /// Absolute.
    pub(crate) path: PathBuf,
}

/// The environment that was made before, else one that is made now.
pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Python> {
    let folder = workspace.tool("python");
    let below = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let path = folder.join(below);
    let names = PACKAGES.join(" ");
    // Written after pip has succeeded, so an interrupted run is not taken for a complete one.
    let complete = folder.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|installed| installed == names) && path.is_file() {
        step(&format!("gRPC for Python, fetched before: {names}"));
        return Ok(Python { path });
    }
    step(&format!("fetching gRPC for Python from PyPI into {}: {names}", folder.display()));
    let system = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder))
        .with_context(|| format!("could not make a Python environment: {HINT}"))?;
    run(Command::new(&path)
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"])
        .args(PACKAGES))
    .with_context(|| format!("could not fetch gRPC for Python from PyPI: {HINT}, and check the network"))?;
    fs::write(&complete, &names).with_context(|| format!("could not write {}", complete.display()))?;
    Ok(Python { path })
}
