//! `replay --verify`, and `diff`.

use super::source;
use crate::{
    cli::{DiffFormat, DiffOptions, FromLog, ReplayFormat},
    output::{Exit, counted},
};
use anyhow::Context as _;
use jiff::SignedDuration;
use stackwave_domain::RunId;
use stackwave_replay::{Depth, Player, Recording, Report, Story, Wanted};
use std::{
    io::{self, Write},
    path::Path,
};

/// Decides again, and tells what came of it.
pub(super) fn run(recording: &Recording, format: Option<ReplayFormat>) -> anyhow::Result<()> {
    let report = stackwave_replay::verify(recording)?;
    let mut out = io::stdout().lock();
    if format == Some(ReplayFormat::Json) {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&report, &mut out)?;
    }
    out.flush()?;
    if report.difference.is_some() { Err(Exit(1).into()) } else { Ok(()) }
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if let Some(difference) = &report.difference {
        writeln!(out, "difference at {}: {}", difference.position, difference.what)?;
        for line in &difference.recorded {
            writeln!(out, "  recorded:   {line}")?;
        }
        for line in &difference.recomputed {
            writeln!(out, "  recomputed: {line}")?;
        }
    }
    let verdict = if report.difference.is_some() { "up to there " } else { "" };
    writeln!(
        out,
        "{verdict}verified {}, {}, {}",
        counted(report.decisions, "decision"),
        counted(report.claims, "claim"),
        counted(report.records, "record")
    )?;
    if report.other_versions > 0 {
        writeln!(out, "left alone: {} of other versions", counted(report.other_versions, "decision"))?;
    }
    if report.out_of_reach > 0 {
        writeln!(
            out,
            "out of reach: {} made from what lies before the recording",
            counted(report.out_of_reach, "record")
        )?;
    }
    Ok(())
}

/// Tells what differs between two runs.
pub(crate) async fn diff(options: DiffOptions) -> anyhow::Result<()> {
    // As with `diff`: 1 is that they differ, more is trouble.
    match compare(&options).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Exit(1).into()),
        Err(error) if crate::output::is_broken_pipe(&error) => Err(error),
        Err(error) => {
            eprintln!("error: {error:#}");
            Err(Exit(2).into())
        }
    }
}

async fn compare(options: &DiffOptions) -> anyhow::Result<bool> {
    let a = story(&options.a, &options.from).await?;
    let b = story(&options.b, &options.from).await?;
    let within = SignedDuration::try_from(options.within)?;
    let diff = stackwave_replay::diff(&a, &b, within);
    let mut out = io::stdout().lock();
    match options.output {
        DiffFormat::Text => write!(out, "{diff}")?,
        DiffFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&diff)?)?,
    }
    out.flush()?;
    Ok(!diff.changes.is_empty())
}

/// A run by its id or its file.
async fn story(text: &str, from: &FromLog) -> anyhow::Result<Story> {
    let path = Path::new(text);
    let recording = if path.is_file() {
        source::read(path)?
    } else {
        source::from_log(from, Wanted::Run(RunId::new(text)), Depth::Near)
            .await
            .with_context(|| format!("`{text}` is no file and cannot be read as a run"))?
    };
    let mut player = Player::new(&recording)?;
    Story::of(&mut player, None).with_context(|| format!("`{text}` holds no run"))
}
