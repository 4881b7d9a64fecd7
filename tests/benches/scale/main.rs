//! How Stackwave does with a million runs behind it: `cargo bench -p stackwave-e2e --bench scale`.
//!
//! It writes a log as a service would have (`history`), starts `stackwave serve` in release on it, and prints a table with
//! what was aimed at: lists over gRPC, `replay` of one run, the start of every role from its snapshot, and the memory that
//! a thousand active runs take. Nothing is asserted: a time says something only beside the machine that it was measured
//! on. `docs/benchmarks.md` tells how to read it.
//!
//! Arguments: `--runs N` finished runs (a million), `--keep FOLDER` for a log that is written once and measured again,
//! `--executable PATH` measures that one instead of building it; names of measurements (`start`, `lists`, `replay`,
//! `memory`) choose.

mod asking;
mod github;
mod history;
mod process;
#[path = "../speed/report.rs"]
#[expect(dead_code, reason = "the other benchmark tells more of its samples")]
mod report;

use anyhow::{Context as _, Result};
use github::GitHub;
use history::History;
use process::{Executable, Service};
use report::{Aim, Samples, Table};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Roles, each of which is started alone.
const ROLES: [&str; 6] =
    ["ingest-api", "webhook-receiver", "orchestrator", "dispatcher", "commenter", "admin"];
/// What the issue aims at.
const LIST_AIM_MS: f64 = 50.0;
const REPLAY_AIM_MS: f64 = 100.0;
const START_AIM_MS: f64 = 5_000.0;
const MEMORY_AIM_MB: f64 = 300.0;
/// So often each process is started.
const STARTS: usize = 5;

fn main() -> Result<()> {
    // The one crypto provider; it can fail only when it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&Wanted::of_arguments()?))
}

struct Wanted {
    names: Vec<String>,
    runs: u64,
    keep: Option<PathBuf>,
    executable: Option<PathBuf>,
}

impl Wanted {
    fn of_arguments() -> Result<Self> {
        let mut wanted = Self { names: Vec::new(), runs: 1_000_000, keep: None, executable: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "--runs" => wanted.runs = value()?.parse().context("`--runs` needs a number")?,
                "--keep" => wanted.keep = Some(value()?.into()),
                "--executable" => wanted.executable = Some(value()?.into()),
                name if !name.starts_with('-') => wanted.names.push(name.to_owned()),
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn measurement(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

async fn run(wanted: &Wanted) -> Result<()> {
    let github = GitHub::start().await?;
    let executable = Executable::find(wanted.executable.as_deref(), &github.url)?;
    if ["start", "lists", "replay"].iter().any(|name| wanted.measurement(name)) {
        million(wanted, &executable, &github).await?;
    }
    if wanted.measurement("memory") {
        memory(&executable, &github).await?;
    }
    Ok(())
}

async fn million(wanted: &Wanted, executable: &Executable, github: &GitHub) -> Result<()> {
    let temporary = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder: &Path = wanted.keep.as_deref().unwrap_or_else(|| temporary.path());
    std::fs::create_dir_all(folder)?;
    let history = History { finished: wanted.runs, active: 1_000, stacks: 2 };
    let written = history.write(folder)?;
    let mut table =
        Table::new(format!("{} finished and {} active runs, SQLite", written.finished, history.active));
    table.row(
        "log on disk",
        megabytes(std::fs::metadata(folder.join("stackwave.db"))?.len()),
        "MB",
        Aim::None,
    );

    eprintln!("the first start folds the whole log and builds the read model");
    let (service, took) = Service::start(executable, folder, &[]).await?;
    let built = service.wait_for_read_model().await?;
    table.time("first start: the log folded", took, Aim::None);
    table.time("  the read model built", built, Aim::None);
    eprintln!("the comments were written by nobody yet: {} were", github.wait_until_quiet().await);
    table.row("  read model on disk", megabytes(read_model_bytes(folder)?), "MB", Aim::None);
    service.stop()?;

    if wanted.measurement("start") {
        starts(&mut table, executable, folder).await?;
    }
    if wanted.measurement("lists") {
        let (service, _) = Service::start(executable, folder, &[]).await?;
        service.wait_for_read_model().await?;
        asking::lists(&mut table, &service, LIST_AIM_MS).await?;
        table.row("memory while it answers", service.resident_mb()?, "MB", Aim::None);
        service.stop()?;
    }
    if wanted.measurement("replay") {
        replay(&mut table, executable, folder, &written)?;
    }
    table.print();
    Ok(())
}

async fn starts(table: &mut Table, executable: &Executable, folder: &Path) -> Result<()> {
    let floor = process::times(STARTS, || executable.run(folder, &["--version"]))?;
    table.time("an executable that only tells its version: p50", floor.p50(), Aim::None);
    for roles in std::iter::once(&[][..]).chain(ROLES.iter().map(std::slice::from_ref)) {
        let mut samples = Samples::default();
        for _ in 0..STARTS {
            let (service, took) = Service::start(executable, folder, roles).await?;
            samples.push(took);
            service.stop()?;
        }
        let name = roles.first().map_or("all roles", |role| *role);
        table.time(format!("start from the snapshot, {name}: p50"), samples.p50(), Aim::AtMost(START_AIM_MS));
    }
    Ok(())
}

fn replay(
    table: &mut Table,
    executable: &Executable,
    folder: &Path,
    written: &history::Written,
) -> Result<()> {
    let floor = process::times(20, || executable.run(folder, &["--version"]))?;
    for (what, run) in [("an old run", &written.old), ("a new run", &written.new)] {
        let times =
            process::times(20, || executable.run(folder, &["replay", "--run", run, "--output", "json"]))?;
        table.time(format!("replay of {what}: p50"), times.p50(), Aim::AtMost(REPLAY_AIM_MS));
        let ratio = times.p50().as_secs_f64() / floor.p50().as_secs_f64();
        table.row("  ratio to an executable that only tells its version", ratio, "×", Aim::None);
    }
    Ok(())
}

async fn memory(executable: &Executable, github: &GitHub) -> Result<()> {
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    History { finished: 0, active: 1_000, stacks: 50 }.write(folder.path())?;
    let mut table = Table::new("1,000 active runs of 50 stacks in one `serve`");
    let (service, took) = Service::start(executable, folder.path(), &[]).await?;
    service.wait_for_read_model().await?;
    github.wait_until_quiet().await;
    // Snapshots are taken while it runs, too.
    tokio::time::sleep(Duration::from_secs(45)).await;
    table.time("start without a snapshot", took, Aim::None);
    table.row("resident memory", service.resident_mb()?, "MB", Aim::AtMost(MEMORY_AIM_MB));
    table.row("  at its highest", service.peak_mb()?, "MB", Aim::AtMost(MEMORY_AIM_MB));
    service.stop()?;
    let (service, took) = Service::start(executable, folder.path(), &[]).await?;
    service.wait_for_read_model().await?;
    table.time("start from the snapshot", took, Aim::None);
    table.row("resident memory after it", service.resident_mb()?, "MB", Aim::AtMost(MEMORY_AIM_MB));
    service.stop()?;
    table.print();
    Ok(())
}

fn read_model_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("read-model") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "megabytes for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
