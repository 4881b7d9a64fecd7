//! `stackwave plan`: what a run of an upload would intend, read and planned by the server's own code.

mod forecast;
mod history;
mod json;
mod mermaid;
mod text;

use self::forecast::Forecast;
use crate::cli::{PlanFormat, PlanOptions};
use anyhow::Context as _;
use serde::Deserialize;
use stackwave_domain::CommitSha;
use stackwave_ingest_api::parse::{Limits, parse_affected};
use stackwave_runtime::{Clock as _, SystemClock};
use std::{
    io::{self, Read as _, Write as _},
    path::Path,
};

/// What an input's `{{ .sha }}` is filled with when the file names no commit, as the output of Atmos does not.
const UNKNOWN_SHA: &str = "<sha>";

/// Reads, plans and prints.
pub(crate) async fn run(options: &PlanOptions) -> anyhow::Result<()> {
    let name = name_of(&options.file);
    let bytes = read(&options.file).with_context(|| format!("cannot read {name}"))?;
    let fragment =
        parse_affected(&bytes, Limits::default()).with_context(|| format!("cannot plan {name}"))?;
    let past = history::read(options, &bytes).await?;
    let forecast = Forecast::new(&fragment, &options.trigger, &head_sha(&bytes), past.as_ref());
    let now = SystemClock::default().now();
    let printed = match options.format {
        PlanFormat::Text => text::render(&forecast, now),
        PlanFormat::Mermaid => mermaid::render(&forecast),
        PlanFormat::Json => json::render(&forecast, now)?,
    };
    io::stdout().lock().write_all(printed.as_bytes())?;
    Ok(())
}

fn name_of(file: &Path) -> String {
    if file == Path::new("-") { "the standard input".to_owned() } else { format!("`{}`", file.display()) }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file)
}

/// The commit that an upload names.
fn head_sha(bytes: &[u8]) -> CommitSha {
    #[derive(Deserialize)]
    struct Head {
        head_sha: String,
    }
    let named = serde_json::from_slice::<Head>(bytes).ok().map(|head| head.head_sha);
    CommitSha::new(named.as_deref().filter(|sha| !sha.is_empty()).unwrap_or(UNKNOWN_SHA))
}

#[cfg(test)]
mod tests;
