//! The verbs that a running server answers: finds the server, and lends them the terminal.

use crate::config::{self, Sources};
use crossterm::terminal;
use stackwave_client::{Command, Screen};
use stackwave_runtime::{Clock as _, SystemClock};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _},
    path::Path,
};

/// Asks, and prints the answer.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let sources = Sources::of_process(command.config().map(Path::to_owned), BTreeMap::new());
    let defaults = config::load_remote(&sources, command.names_server(), command.names_token())?;
    let is_terminal = io::stdout().is_terminal();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let mut screen = Screen::new(&mut out, &mut err, SystemClock::default().now())
        .with_width(terminal::size().ok().filter(|_| is_terminal).map(|(width, _)| width.into()))
        .with_colour(is_terminal && wants_colour(|name| std::env::var(name).ok()));
    Ok(stackwave_client::run(command, defaults, &mut screen).await?)
}

/// Whether the person or the terminal has nothing against colours (no-color.org).
fn wants_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_where_somebody_has_something_against_them() {
        for (name, value, wanted) in [
            ("NO_COLOR", "1", false),
            ("NO_COLOR", "", true),
            ("TERM", "dumb", false),
            ("TERM", "xterm", true),
        ] {
            let given = wants_colour(|asked| (asked == name).then(|| value.to_owned()));
            assert_eq!(given, wanted, "{name}={value}");
        }
    }
}
