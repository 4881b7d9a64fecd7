//! `stackwave migrate`: from SQLite to JetStream, at the same positions, since records refer to each other by them.
//!
//! Blobs go first: a record never lies in a log without what it refers to. Snapshots are caches and raw bodies are best
//! effort; neither goes along.

use crate::{
    cli::MigrateOptions,
    config::{self, LogSettings, LogTarget, Sources},
};
use anyhow::{Context as _, bail, ensure};
use stackwave_domain::{Digest, Position, StreamId};
use stackwave_event_log::{EventLog, LogError, MAX_BATCH};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_event_log_sqlite::SqliteLog;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

/// Copies, compares, and says what to do next.
pub(crate) async fn run(options: MigrateOptions) -> anyhow::Result<()> {
    let (settings, url) = target(&options)?;
    let source = open_source(&options)?;
    let streams = streams(source.partitions());
    let nats = NatsOptions {
        name: "stackwave migrate".to_owned(),
        partitions: source.partitions(),
        ..settings.nats_options(&url)
    };
    let shown = &settings.target;
    if options.verify_only {
        let target = NatsLog::open_existing(nats)
            .await
            .with_context(|| format!("cannot open the event log {shown}"))?;
        ensure!(
            target.partitions() == source.partitions(),
            "{shown} has {} partitions, the file {}",
            target.partitions(),
            source.partitions()
        );
        // However much of it is there, nobody can serve it.
        ensure!(
            !target.is_importing().await?,
            "the copy in {shown} was not finished: call `stackwave migrate` again without --verify-only, which goes on \
             where it was broken off"
        );
        verify(&source, &target, &streams).await?;
        println!("both logs hold the same");
        return Ok(());
    }
    let mut first = HashMap::new();
    for stream in &streams {
        if let Some(position) = source.first_position(*stream).await? {
            first.insert(*stream, position);
        }
    }
    let target = match NatsLog::connect_for_import(nats.clone(), &first).await {
        Ok(target) => target,
        // Whoever was broken off at the very end, or is not sure, calls it again.
        Err(LogError::Setup(_)) if is_there(&source, nats, &streams).await => {
            println!("everything lies in {shown} already");
            return Ok(());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot fill the event log {shown}")),
    };
    copy_blobs(&source, &target).await?;
    for stream in &streams {
        copy(&source, &target, *stream).await?;
    }
    verify(&source, &target, &streams).await?;
    target.finish_import().await.context("everything is copied, but the log could not be released")?;
    println!(
        "everything lies in {shown}. Set STACKWAVE_LOG to it, and start `serve`; keep `{}` as a backup, and never serve it \
         again",
        file(&options.from).display()
    );
    Ok(())
}

/// The log to fill, and its URL with what is secret in it.
fn target(options: &MigrateOptions) -> anyhow::Result<(LogSettings, String)> {
    let flags = options.to.iter().map(|log| ("log", log.clone())).collect::<BTreeMap<_, _>>();
    let settings = config::load_log(&Sources::of_process(options.config.config.clone(), flags))?;
    match settings.target.clone() {
        LogTarget::Nats(url) => Ok((settings, url)),
        LogTarget::Sqlite(path) => bail!(
            "`{}` is a SQLite log; name the NATS server that it is copied to with --to nats://HOST:PORT",
            path.display()
        ),
    }
}

/// Named by its path alone, or as everywhere else.
fn file(from: &Path) -> &Path {
    from.to_str().and_then(|from| from.strip_prefix("sqlite:")).map_or(from, Path::new)
}

/// Opened for writing, although nothing is written: whoever serves the file would go on appending to it.
fn open_source(options: &MigrateOptions) -> anyhow::Result<Arc<SqliteLog>> {
    let path = file(&options.from);
    ensure!(path.exists(), "there is no event log at `{}`", path.display());
    let cannot = || format!("cannot open the event log `{}`", path.display());
    if options.verify_only {
        return SqliteLog::open_read_only(path).with_context(cannot);
    }
    let partitions = SqliteLog::open_read_only(path).with_context(cannot)?.partitions();
    SqliteLog::open(path, partitions).with_context(cannot)
}

fn streams(partitions: u16) -> Vec<StreamId> {
    std::iter::once(StreamId::Config).chain((0..partitions).map(StreamId::Partition)).collect()
}

async fn copy_blobs(source: &SqliteLog, target: &NatsLog) -> anyhow::Result<()> {
    let there: BTreeSet<Digest> =
        target.upkeep().list_blobs().await?.into_iter().map(|blob| blob.digest).collect();
    let missing: Vec<_> = source
        .upkeep()
        .list_blobs()
        .await?
        .into_iter()
        .filter(|blob| !there.contains(&blob.digest))
        .collect();
    let total = missing.len();
    for (number, blob) in missing.into_iter().enumerate() {
        let bytes = source.get_blob(&blob.digest).await?;
        let bytes = bytes.with_context(|| format!("the file has lost the blob {}", blob.digest))?;
        target.put_blob(bytes).await?;
        if (number + 1).is_multiple_of(1_000) {
            eprintln!("blobs: {} of {total}", number + 1);
        }
    }
    eprintln!("blobs: {total} copied, {} there already", there.len());
    Ok(())
}

async fn copy(source: &SqliteLog, target: &NatsLog, stream: StreamId) -> anyhow::Result<()> {
    let end = source.last_position(stream).await?;
    let mut next = target.last_position(stream).await?.next();
    let mut told = next.0;
    loop {
        let page = source.read_raw(stream, next, MAX_BATCH).await?;
        let Some(last) = page.last().map(|record| record.position) else { break };
        target.import(stream, &page).await?;
        next = last.next();
        if next.0 - told > 50_000 {
            eprintln!("{stream}: {last} of {end}");
            told = next.0;
        }
    }
    eprintln!("{stream}: copied up to {end}");
    Ok(())
}

/// Whether a log that takes no copy any more holds the same as the file.
async fn is_there(source: &SqliteLog, target: NatsOptions, streams: &[StreamId]) -> bool {
    match NatsLog::open_existing(target).await {
        Ok(target) => {
            target.partitions() == source.partitions() && verify(source, &target, streams).await.is_ok()
        }
        Err(_) => false,
    }
}

/// Byte for byte, and every blob by its digest.
async fn verify(source: &SqliteLog, target: &NatsLog, streams: &[StreamId]) -> anyhow::Result<()> {
    let mut records = 0;
    for stream in streams {
        let (mut after, mut next) = (Position::START, Position::START.next());
        loop {
            let page = source.read_raw(*stream, next, MAX_BATCH).await?;
            let Some(last) = page.last().map(|record| record.position) else { break };
            target.verify_import(*stream, after, &page).await?;
            records += page.len();
            (after, next) = (last, last.next());
        }
        let (here, there) = (source.last_position(*stream).await?, target.last_position(*stream).await?);
        ensure!(here == there, "{stream} ends at {here} in the file, and at {there} in the new log");
    }
    let blobs = source.upkeep().list_blobs().await?;
    for blob in &blobs {
        // Whoever reads a blob checks its digest.
        ensure!(target.get_blob(&blob.digest).await?.is_some(), "the blob {} is missing", blob.digest);
    }
    println!("verified {records} records and {} blobs", blobs.len());
    Ok(())
}
