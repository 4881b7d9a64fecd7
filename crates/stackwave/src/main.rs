//! The executable: `serve` wires the services, `demo` shows them, `plan` and `log` answer without a server.
//!
//! Nothing is decided here. Start with [`cli`].

mod assembly;
mod cli;
mod config;
mod demo;
mod doctor;
mod health;
mod log;
mod logging;
mod migrate;
mod output;
mod plan;
mod reference;
mod remote;
mod replay;
mod serve;
mod version;

use crate::{
    cli::{Cli, Command, DemoOptions, Role},
    config::{LogFormat, Settings, SettingsError},
};
use clap::Parser as _;
use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

/// Gives memory back to the system that folding and building needed only once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong use: an argument or a setting. The same that clap exits with.
const WRONG_USE: u8 = 2;
/// It failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<output::Exit>() => {
            ExitCode::from(error.downcast_ref::<output::Exit>().map_or(FAILED, |exit| exit.0))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

/// What the process ends with.
fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<stackwave_client::Failure>() {
        Some(failure) => failure.exit() as u8,
        None if error.is::<SettingsError>() => WRONG_USE,
        None => FAILED,
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Plan(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(plan::run(&options))
        }
        Command::Serve(options) => {
            let roles = options.roles();
            let settings = Settings::load(&options.sources(), &roles)?;
            block_on(serve(settings, roles))
        }
        Command::Demo(options) => block_on(demo(options)),
        Command::Doctor(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(doctor::run(options))
        }
        Command::Remote(command) => {
            logging::start(LogFormat::Text, logging::QUIET);
            block_on(remote::run(command))
        }
        Command::Completions(options) => reference::completions(options),
        Command::Man(options) => reference::man(&options),
        Command::Log(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(log::run(options.command))
        }
        Command::Replay(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(replay::replay(options))
        }
        Command::Migrate(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(migrate::run(options))
        }
        Command::Export(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(replay::export(options))
        }
        Command::Diff(options) => {
            logging::start(LogFormat::Text, logging::READING);
            block_on(replay::diff(options))
        }
    }
}

async fn serve(settings: Settings, roles: BTreeSet<Role>) -> anyhow::Result<()> {
    let telemetry = logging::start_telemetry(
        settings.log_format,
        &settings.log_level,
        settings.otlp_endpoint.clone(),
        settings.otlp_sample_ratio,
    )?;
    let result = serve::run(settings, roles, Arc::clone(&telemetry.metrics)).await;
    telemetry.stop().await;
    result
}

/// A demonstration has no settings but where its traces go.
async fn demo(options: DemoOptions) -> anyhow::Result<()> {
    let endpoint = std::env::var("STACKWAVE_OTLP_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let telemetry = logging::start_telemetry(LogFormat::Text, logging::QUIET, endpoint, 1.0)?;
    let result = demo::run(options, Arc::clone(&telemetry.metrics)).await;
    telemetry.stop().await;
    result
}

/// Runs to the end on a runtime with a thread a core.
fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    // One TLS stack with one provider; it can fail only when it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}
