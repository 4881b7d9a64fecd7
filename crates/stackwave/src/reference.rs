//! The command line about itself: completions for shells, and manual pages.

use crate::cli::{Cli, CompletionsOptions, ManOptions};
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

/// Prints a script for a shell.
pub(crate) fn completions(options: CompletionsOptions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "stackwave", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

/// Prints a manual page, or writes all of them.
pub(crate) fn man(options: &ManOptions) -> anyhow::Result<()> {
    match &options.dir {
        Some(dir) => {
            write_all(dir).with_context(|| format!("cannot write manual pages to `{}`", dir.display()))
        }
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page)?;
            Ok(io::stdout().lock().write_all(&page)?)
        }
    }
}

fn write_all(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)
}

#[cfg(test)]
mod tests;
