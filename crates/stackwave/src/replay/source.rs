//! Where the records come from: a log or a file.

use crate::{
    cli::{FromLog, ReplayOptions},
    log::{open_log, repository_named},
};
use anyhow::{Context as _, bail};
use stackwave_domain::{Position, RunId, StreamId};
use stackwave_engine::Config;
use stackwave_event_log::{EventLog, LogError, MAX_BATCH};
use stackwave_replay::{Ask, CollectError, Depth, Player, Recording, Wanted, collect, runs_that_begin_with};
use std::{fs::File, io, path::Path, sync::Arc};

/// What `replay` was asked for.
pub(super) async fn recording(options: &ReplayOptions) -> anyhow::Result<Recording> {
    if let Some(file) = &options.file {
        return read(file);
    }
    let run = options.run.clone().context("name a run with --run, or a file")?;
    // What was decided is decided again from all that was known.
    let depth = if options.whole || options.verify { Depth::Whole } else { Depth::Near };
    from_log(&options.from, Wanted::Run(run), depth).await
}

/// Reads an exported file.
pub(super) fn read(path: &Path) -> anyhow::Result<Recording> {
    if path == Path::new("-") {
        return stackwave_replay::read(io::stdin().lock()).context("cannot read the standard input");
    }
    let failed = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(failed)?;
    stackwave_replay::read(file).with_context(failed)
}

/// Collects from the log.
pub(super) async fn from_log(from: &FromLog, wanted: Wanted, depth: Depth) -> anyhow::Result<Recording> {
    let log = open_log(from.log.as_ref(), &from.config).await?;
    let config = config(&log).await?;
    let repository = from.repository.as_deref().map(|text| repository_named(text, &config)).transpose()?;
    let ask = Ask { repository, wanted, depth };
    match collect(&log, &config, &ask).await {
        Err(CollectError::NoRun(run)) => {
            let known = runs_that_begin_with(&log, &config, repository, run.as_str()).await?;
            let run = the_only("the event log", &run, known)?;
            Ok(collect(&log, &config, &Ask { wanted: Wanted::Run(run), ..ask }).await?)
        }
        collected => Ok(collected?),
    }
}

/// So many runs are named where one is not clear.
const MAX_NAMED: usize = 5;

/// The run whose id begins like this, if it is the only one.
fn the_only(of: &str, asked: &RunId, known: Vec<RunId>) -> anyhow::Result<RunId> {
    let named: Vec<String> = known.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    let more = known.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match known.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!("{of} has no run `{asked}`, and none whose id begins so"),
        _ => bail!("{of} has no run `{asked}`; these begin so: {}{more}", named.join(", ")),
    }
}

/// Refuses the place of another stream.
pub(super) fn check_stream(player: &Player, partition: u16) -> anyhow::Result<()> {
    let (named, own) = (StreamId::Partition(partition).name(), &player.about().stream);
    if named == *own { Ok(()) } else { bail!("the run's records are in {own}, not in {named}") }
}

/// The configuration as the log has it.
pub(crate) async fn config(log: &Arc<dyn EventLog>) -> Result<Config, LogError> {
    let mut config = Config::default();
    let mut from = Position::START.next();
    loop {
        let page = log.read(StreamId::Config, from, MAX_BATCH).await?;
        let Some(last) = page.last() else { return Ok(config) };
        from = last.position.next();
        page.iter().for_each(|entry| config.apply(entry));
    }
}

/// Makes a run the one that is shown.
pub(super) fn choose_run(player: &mut Player, run: Option<&RunId>) -> anyhow::Result<()> {
    if let Some(run) = run
        && player.about().run.as_ref() != Some(run)
    {
        if player.find_run(run).is_some() {
            player.show(run.clone());
            return Ok(());
        }
        let known = player.repository().into_iter().flat_map(|it| it.runs.keys());
        let known = known.filter(|id| id.as_str().starts_with(run.as_str())).cloned().collect();
        player.show(the_only("the recording", run, known)?);
    }
    Ok(())
}
