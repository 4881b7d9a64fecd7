//! `stackwave log checkpoint` and `stackwave log purge`: on the log itself, beside whoever serves it or not.

use super::archive;
use crate::{
    cli::{Before, CheckpointOptions, PurgeOptions, WhichLog},
    config::{self, LogSettings, LogTarget, Sources},
    output::{Exit, counted},
    version::VERSION,
};
use anyhow::Context as _;
use stackwave_domain::{Position, Record, StreamId, Timestamp};
use stackwave_event_log::{EventLog, Freed};
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{
    Clock as _, Ids, SystemClock,
    growth::{
        checkpoint::{self, CheckpointError},
        purge::{self, Plan},
    },
};
use std::{collections::BTreeMap, io::Write, path::Path, sync::Arc};

/// Who is named in the record.
const ACTOR: &str = "log checkpoint";

/// Writes a checkpoint of every partition.
pub(super) async fn checkpoint(options: &CheckpointOptions, mut out: impl Write) -> anyhow::Result<()> {
    let log = open_for_writing(&options.log).await?;
    let (ids, clock) = (Ids::default(), SystemClock::default());
    for stream in partitions(log.as_ref()) {
        let record = |checkpoint: stackwave_domain::event::CheckpointWritten| {
            Record::new(ids.record(), clock.now(), ACTOR, vec![checkpoint.into()])
        };
        match checkpoint::write(&log, stream, record).await {
            Ok(written) => {
                writeln!(out, "{stream}: everything up to {}, {}", written.at, size(written.state.bytes))?;
            }
            Err(CheckpointError::Empty(_)) => writeln!(out, "{stream}: empty")?,
            Err(error) => {
                return Err(error).with_context(|| format!("no checkpoint of {stream} was written"));
            }
        }
    }
    Ok(out.flush()?)
}

/// Purges, or says why not.
pub(super) async fn purge(options: &PurgeOptions, mut out: impl Write) -> anyhow::Result<()> {
    let log = match options.dry_run {
        true => super::open_log(options.log.log.as_ref(), &options.log.config).await?,
        false => open_for_writing(&options.log).await?,
    };
    let now = SystemClock::default().now();
    let through = points(log.as_ref(), options, now).await?;
    if through.is_empty() {
        writeln!(out, "nothing lies before that point")?;
        return Ok(out.flush()?);
    }
    let plan = purge::plan(&log, through, now).await.context("the log cannot be looked through")?;
    if !plan.obstacles.is_empty() {
        refuse(&plan, &mut out)?;
        return Err(Exit(1).into());
    }
    let (records, blobs) = plan.total();
    let verb = if options.dry_run { "would be removed" } else { "were removed" };
    if options.dry_run || (records.count == 0 && blobs.count == 0) {
        tell(&plan, records, blobs, verb, &mut out)?;
        return Ok(out.flush()?);
    }
    // clap lets nobody through without it.
    let Some(file) = &options.export else { anyhow::bail!("--export names no file") };
    let archived = archive::write(log.as_ref(), &plan, file, VERSION, now)
        .await
        .with_context(|| format!("nothing was purged: `{}` cannot be written", file.display()))?;
    writeln!(
        out,
        "{}: {} and {} in {}",
        file.display(),
        counted(archived.records, "record"),
        counted(archived.blobs, "blob"),
        size(archived.bytes)
    )?;
    out.flush()?;
    let (records, blobs) = purge::carry_out(log.as_ref(), &plan)
        .await
        .context("the purge was broken off; the archive is whole, and the same purge can be made again into another file")?;
    tell(&plan, records, blobs, verb, &mut out)?;
    Ok(out.flush()?)
}

/// What is in the way, and what could be purged all the same.
fn refuse(plan: &Plan, out: &mut impl Write) -> anyhow::Result<()> {
    /// A log may hold thousands of runs that are kept.
    const NAMED: usize = 20;
    writeln!(out, "nothing was purged: {} in the way", counted_are(plan.obstacles.len()))?;
    for obstacle in plan.obstacles.iter().take(NAMED) {
        writeln!(out, "  {obstacle}")?;
    }
    if let Some(more) = plan.obstacles.len().checked_sub(NAMED).filter(|more| *more > 0) {
        writeln!(out, "  and {more} more")?;
    }
    for stream in plan.through.keys() {
        match plan.possible(*stream) {
            Some(position) if position > Position::START => {
                writeln!(out, "what {stream} tells up to {position} is needed by nothing")?;
            }
            Some(_) => writeln!(out, "everything that {stream} tells is needed")?,
            None => {}
        }
    }
    Ok(out.flush()?)
}

fn counted_are(count: usize) -> String {
    format!("{} {}", counted(count, "thing"), if count == 1 { "is" } else { "are" })
}

fn tell(plan: &Plan, records: Freed, blobs: Freed, verb: &str, out: &mut impl Write) -> anyhow::Result<()> {
    for (stream, freed) in &plan.records {
        let through = plan.through.get(stream).copied().unwrap_or_default();
        writeln!(
            out,
            "{stream}: {} up to {through}, {}",
            counted(usize::try_from(freed.count)?, "record"),
            size(freed.bytes)
        )?;
    }
    writeln!(
        out,
        "{} ({}) and {} ({}) {verb}",
        counted(usize::try_from(records.count)?, "record"),
        size(records.bytes),
        counted(usize::try_from(blobs.count)?, "blob"),
        size(blobs.bytes)
    )?;
    Ok(())
}

/// Up to where each partition is to be purged; those of which nothing would go are left out.
async fn points(
    log: &dyn EventLog,
    options: &PurgeOptions,
    now: Timestamp,
) -> anyhow::Result<BTreeMap<StreamId, Position>> {
    let streams: Vec<StreamId> = match options.partition {
        Some(number) if number < log.partitions() => vec![StreamId::Partition(number)],
        Some(number) => anyhow::bail!("there is no partition {number}: the log has {}", log.partitions()),
        None => partitions(log).collect(),
    };
    if options.through.is_some() && streams.len() > 1 {
        anyhow::bail!("--through is a position of one partition: name it with --partition");
    }
    let mut points = BTreeMap::new();
    for stream in streams {
        let point = match (options.through, options.before) {
            (Some(position), _) => position.min(log.last_position(stream).await?),
            (None, Some(before)) => {
                let time = match before {
                    Before::Time(time) => time,
                    Before::Age(age) => now.checked_sub(age).context("--before is before all time")?,
                };
                Position(log.position_at(stream, time).await?.0.saturating_sub(1))
            }
            (None, None) => Position::START,
        };
        if log.first_position(stream).await?.is_some_and(|first| first <= point) {
            points.insert(stream, point);
        }
    }
    Ok(points)
}

fn partitions(log: &dyn EventLog) -> impl Iterator<Item = StreamId> + use<> {
    (0..log.partitions()).map(StreamId::Partition)
}

/// Opens a log that is there, and takes the lock of a SQLite file.
async fn open_for_writing(which: &WhichLog) -> anyhow::Result<Arc<dyn EventLog>> {
    let flags = which.log.iter().map(|log| ("log", log.clone())).collect();
    let settings = config::load_log(&Sources::of_process(which.config.config.clone(), flags))?;
    let opened = match &settings.target {
        LogTarget::Sqlite(path) => open_sqlite(path),
        LogTarget::Nats(url) => open_nats(&settings, url).await,
    };
    opened.with_context(|| format!("cannot open the event log {} for writing", settings.target))
}

fn open_sqlite(path: &Path) -> anyhow::Result<Arc<dyn EventLog>> {
    // Opening for writing would make a file that is not there.
    let partitions = SqliteLog::open_read_only(path)?.partitions();
    Ok(SqliteLog::open(path, partitions)?)
}

async fn open_nats(settings: &LogSettings, url: &str) -> anyhow::Result<Arc<dyn EventLog>> {
    let options = NatsOptions { name: "stackwave log".to_owned(), ..settings.nats_options(url) };
    let partitions = NatsLog::open_existing(options.clone()).await?.partitions();
    Ok(NatsLog::connect(NatsOptions { partitions, ..options }).await?)
}

/// Bytes, for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut left = bytes as f64 / 1024.0;
    let mut unit = 0;
    while left >= 1024.0 && unit + 1 < UNITS.len() {
        left /= 1024.0;
        unit += 1;
    }
    format!("{left:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_their_unit() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }
}
