//! The executable: `serve` wires the services, `demo` shows them, `plan` and `log` answer without a server.
//!
//! Nothing is decided here. Start with [`cli`].

mod assembly;
mod cli;
mod config;
mod demo;
mod health;
mod log;
mod logging;
mod output;
mod plan;
mod serve;
mod version;

use crate::{
    cli::{Cli, Command},
    config::{LogFormat, Settings, SettingsError},
};
use clap::Parser as _;
use std::process::ExitCode;

/// Wrong use: an argument or a setting. The same that clap exits with.
const WRONG_USE: u8 = 2;
/// It failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<SettingsError>() { WRONG_USE } else { FAILED })
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Plan(options) => plan::run(&options),
        Command::Serve(options) => {
            let roles = options.roles();
            let settings = Settings::load(&options.sources(), &roles)?;
            logging::start(settings.log_format, &settings.log_level);
            block_on(serve::run(settings, roles))
        }
        Command::Demo(options) => {
            logging::start(LogFormat::Text, logging::QUIET);
            block_on(demo::run(options))
        }
        Command::Log(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(log::run(options.command))
        }
    }
}

/// Runs to the end on a runtime with a thread a core.
fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    // One TLS stack with one provider; it can fail only when it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}
