//! `stackwave completions`.

use clap::Args;
use clap_complete::Shell;

/// Prints a script with which a shell completes these commands and their options.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CompletionsOptions {
    /// Which shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

const AFTER_HELP: &str = "\
Examples:
  stackwave completions bash > ~/.local/share/bash-completion/completions/stackwave
  stackwave completions zsh > ~/.zfunc/_stackwave
  stackwave completions fish > ~/.config/fish/completions/stackwave.fish";
