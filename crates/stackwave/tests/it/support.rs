//! Calls the executable.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// The executable, without any variable of the caller that it would read.
pub(crate) fn stackwave(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stackwave"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STACKWAVE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Calls it with something on its standard input.
pub(crate) fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = stackwave(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
