//! Runs a verb in this process, and keeps what it prints.

use crate::fake::Fake;
use clap::Parser;
use secrecy::SecretString;
use stackwave_client::{Command, Defaults, Exit, Failure, Named, Screen};

/// The verbs alone, as the executable has them among others.
#[derive(Debug, Parser)]
#[command(name = "stackwave")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What a verb printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) ended: Result<(), (String, Exit)>,
}

impl Printed {
    /// What it printed, once it was done.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.ended, Ok(()), "{}", self.err);
        self.out
    }

    /// Why it was not done.
    #[track_caller]
    pub(crate) fn refused(self) -> (String, Exit) {
        self.ended.unwrap_err()
    }
}

/// The moment of every call.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-11-24T13:16:28Z".parse().unwrap()
}

/// Reads a command line, with words in quotes kept together.
pub(crate) fn parse(line: &str) -> Result<Command, clap::Error> {
    let mut words = vec!["stackwave".to_owned()];
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    Cli::try_parse_from(words).map(|cli| cli.command)
}

/// The token that the server takes.
pub(crate) fn defaults(fake: &Fake) -> Defaults {
    Defaults {
        server: Some(Named { value: fake.url.clone(), origin: "STACKWAVE_SERVER".to_owned() }),
        token: Some(Named { value: SecretString::from("let-me-in"), origin: "STACKWAVE_TOKEN".to_owned() }),
        ..Defaults::default()
    }
}

/// Asks a server.
pub(crate) async fn ask(fake: &Fake, line: &str) -> Printed {
    ask_with(defaults(fake), line, |screen| screen).await
}

/// Asks with other defaults, on another screen.
pub(crate) async fn ask_with(
    defaults: Defaults,
    line: &str,
    screen: impl FnOnce(Screen<'_>) -> Screen<'_>,
) -> Printed {
    let command = parse(line).unwrap_or_else(|error| panic!("`{line}`: {error}"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = screen(Screen::new(&mut out, &mut err, now()));
    let ended = stackwave_client::run(command, defaults, &mut screen).await;
    let ended = ended.map_err(|failure: Failure| (failure.to_string(), failure.exit()));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Printed { out: text(out), err: text(err), ended }
}
