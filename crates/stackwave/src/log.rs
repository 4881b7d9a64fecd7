//! `stackwave log`: the records of the event log, one line an event.
//!
//! Who asks for a run also wants what only names a dispatch or a workflow run of it. So the log is folded into an
//! index of what belongs to what before anything is printed ([`index`]); no state of the engine is needed for that.

mod archive;
mod deliveries;
mod growth;
mod index;
mod json;
mod line;
mod named;
mod narrate;
pub(crate) mod open;
mod printer;
mod reader;
mod selection;
mod words;

pub(crate) use self::{named::repository_named, narrate::LogNarrator};

use self::{index::Index, printer::Printer, reader::Reader, selection::Selection};
use crate::{
    cli::{ConfigFile, Filter, LogCommand, ShowOptions, TailOptions},
    config::{self, Sources},
};
use anyhow::Context as _;
use stackwave_domain::Entry;
use stackwave_event_log::EventLog;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Prints what was asked for.
pub(crate) async fn run(command: LogCommand) -> anyhow::Result<()> {
    match command {
        LogCommand::Show(options) => {
            let log = open(&options.filter).await?;
            show(&log, &options, std::io::stdout().lock()).await
        }
        LogCommand::Tail(options) => {
            let log = open(&options.filter).await?;
            tail(&log, &options, std::io::stdout()).await
        }
        LogCommand::Deliveries(options) => {
            let log = open_log(options.log.as_ref(), &options.config).await?;
            deliveries::run(&log, &options, std::io::stdout().lock()).await
        }
        LogCommand::Checkpoint(options) => growth::checkpoint(&options, std::io::stdout().lock()).await,
        LogCommand::Purge(options) => growth::purge(&options, std::io::stdout().lock()).await,
    }
}

async fn open(filter: &Filter) -> anyhow::Result<Arc<dyn EventLog>> {
    if let Some(file) = &filter.file {
        let archive = archive::ArchiveLog::open(file);
        return Ok(archive.with_context(|| format!("cannot read the archive `{}`", file.display()))?);
    }
    open_log(filter.log.as_ref(), &filter.config).await
}

/// The log of a flag, or else the one that `serve` would take.
pub(crate) async fn open_log(log: Option<&String>, config: &ConfigFile) -> anyhow::Result<Arc<dyn EventLog>> {
    let flags = log.iter().map(|log| ("log", (*log).clone())).collect::<BTreeMap<_, _>>();
    let sources = Sources::of_process(config.config.clone(), flags);
    let settings = config::load_log(&sources)?;
    open::open(&settings).await.with_context(|| format!("cannot open the event log {}", settings.target))
}

/// Prints what is there.
async fn show(
    log: &Arc<dyn EventLog>,
    options: &ShowOptions,
    mut out: impl std::io::Write,
) -> anyhow::Result<()> {
    let mut reader = Reader::new(log).await?;
    let (printer, mut index) = prepare(log, &options.filter, &mut reader).await?;
    // The newest are wanted, unless it is said where to begin.
    let newest = options.limit.filter(|_| options.filter.from.is_none());
    let mut left = options.limit.unwrap_or(usize::MAX);
    let mut kept = VecDeque::new();
    while let Some(entry) = reader.next().await? {
        index.add(&entry);
        for line in printer.lines(&index, log, entry).await {
            match newest {
                Some(limit) => keep(&mut kept, line, limit),
                None if left == 0 => return Ok(out.flush()?),
                None => {
                    left -= 1;
                    out.write_all(line.as_bytes())?;
                }
            }
        }
    }
    kept.iter().try_for_each(|line| out.write_all(line.as_bytes()))?;
    Ok(out.flush()?)
}

/// Prints the newest of what is there, and then what comes.
async fn tail(
    log: &Arc<dyn EventLog>,
    options: &TailOptions,
    mut out: impl std::io::Write,
) -> anyhow::Result<()> {
    let mut reader = Reader::new(log).await?;
    let (printer, mut index) = prepare(log, &options.filter, &mut reader).await?;
    let limit = if options.filter.from.is_some() { usize::MAX } else { options.limit };
    let mut kept = VecDeque::new();
    while let Some(entry) = reader.next().await? {
        index.add(&entry);
        for line in printer.lines(&index, log, entry).await {
            keep(&mut kept, line, limit);
        }
    }
    kept.iter().try_for_each(|line| out.write_all(line.as_bytes()))?;
    out.flush()?;
    drop(kept);
    let mut live = reader.follow().await?;
    loop {
        let batch: Vec<Entry> = live.next().await?;
        for entry in batch {
            index.add(&entry);
            for line in printer.lines(&index, log, entry).await {
                out.write_all(line.as_bytes())?;
            }
        }
        out.flush()?;
    }
}

/// What to print, and the index: of everything, where a filter asks for what belongs together.
async fn prepare(
    log: &Arc<dyn EventLog>,
    filter: &Filter,
    reader: &mut Reader,
) -> anyhow::Result<(Printer, Index)> {
    let mut index = Index::default();
    if filter.repository.is_some() || filter.pr.is_some() || filter.run.is_some() || filter.stack.is_some() {
        let mut ahead = Reader::up_to(log, reader);
        while let Some(entry) = ahead.next().await? {
            index.add(&entry);
        }
    }
    let selection = Selection::new(filter, &index)?;
    Ok((Printer::new(selection, filter.json), index))
}

fn keep(kept: &mut VecDeque<String>, line: String, limit: usize) {
    kept.push_back(line);
    if kept.len() > limit {
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests;
