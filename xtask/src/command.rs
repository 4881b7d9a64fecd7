//! Running other programs. An error says which one is missing or failed; what to do about it, the caller adds.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Says what is being done, one line a step.
pub(crate) fn step(text: &str) {
    println!("xtask: {text}");
}

/// Runs a program with its output shown, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.stdin(Stdio::null()).status().map_err(|error| spawn_error(error, command))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}); its output stands above");
    }
    Ok(())
}

/// Runs a program and returns what it wrote to its standard output; what it wrote to its standard error is a part
/// of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| spawn_error(error, command))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed something that is not text"))
}

fn spawn_error(error: std::io::Error, command: &Command) -> anyhow::Error {
    let program = command.get_program().to_string_lossy().into_owned();
    if error.kind() == ErrorKind::NotFound {
        anyhow::anyhow!("`{program}` is missing")
    } else {
        anyhow::Error::new(error).context(format!("could not start `{program}`"))
    }
}

/// The command as one would type it, for messages.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program-here` is missing");
    }

    #[test]
    fn a_failing_program_is_shown_as_it_was_called() {
        let error = run(Command::new("cargo").arg("--no-such-flag").stderr(Stdio::null())).unwrap_err();
        assert!(error.to_string().starts_with("`cargo --no-such-flag` failed"), "{error}");
    }
}
