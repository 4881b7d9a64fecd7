//! Where the executable is.

use std::{env, path::PathBuf};

const VARIABLE: &str = "STACKWAVE_NATS_SERVER";
const REQUIRED: &str = "STACKWAVE_REQUIRE_NATS";

/// The nats-server to test with; none when there is none and the test is to be skipped.
///
/// # Panics
/// There is none, although it is required.
#[must_use]
pub fn server_binary() -> Option<PathBuf> {
    let found = named().or_else(on_the_path).or_else(fetched);
    if found.is_none() {
        assert!(
            env::var_os(REQUIRED).is_none_or(|value| value != "1"),
            "{REQUIRED}=1, but {VARIABLE} names no nats-server, there is none on the PATH, and `cargo xtask test` has fetched none"
        );
        eprintln!(
            "skipped: {VARIABLE} names no nats-server, there is none on the PATH, and `cargo xtask test` has fetched none"
        );
    }
    found
}

fn named() -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(VARIABLE).filter(|value| !value.is_empty())?);
    assert!(path.is_file(), "{VARIABLE} names `{}`, which is no file", path.display());
    Some(path)
}

/// The one that `cargo xtask test` fetched.
fn fetched() -> Option<PathBuf> {
    let name = format!("nats-server{}", env::consts::EXE_SUFFIX);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools/nats").join(name);
    path.is_file().then_some(path)
}

fn on_the_path() -> Option<PathBuf> {
    let name = format!("nats-server{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}
