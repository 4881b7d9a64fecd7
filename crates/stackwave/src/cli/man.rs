//! `stackwave man`.

use clap::Args;
use std::path::PathBuf;

/// Prints the manual page of `stackwave` itself, or writes one for each command.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ManOptions {
    /// Write a page for each command into this folder; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave man | man -l -
  stackwave man --dir /usr/local/share/man/man1";
