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
    let found = named().or_else(on_the_path);
    if found.is_none() {
        assert!(
            env::var_os(REQUIRED).is_none_or(|value| value != "1"),
            "{REQUIRED}=1, but {VARIABLE} names no nats-server and there is none on the PATH"
        );
        eprintln!("skipped: {VARIABLE} names no nats-server and there is none on the PATH");
    }
    found
}

fn named() -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(VARIABLE).filter(|value| !value.is_empty())?);
    assert!(path.is_file(), "{VARIABLE} names `{}`, which is no file", path.display());
    Some(path)
}

fn on_the_path() -> Option<PathBuf> {
    let name = format!("nats-server{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}
