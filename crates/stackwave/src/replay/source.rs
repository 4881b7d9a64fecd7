//! Where the records come from: a log or a file.

use crate::{
    cli::{FromLog, ReplayOptions},
    log::{open_log, repository_named},
};
use anyhow::{Context as _, bail};
use stackwave_domain::{Position, RunId, StreamId};
use stackwave_engine::Config;
use stackwave_event_log::{EventLog, LogError, MAX_BATCH};
use stackwave_replay::{Ask, Depth, Player, Recording, Wanted, collect};
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
    Ok(collect(&log, &config, &Ask { repository, wanted, depth }).await?)
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
        if player.find_run(run).is_none() {
            let known = player.repository().into_iter().flat_map(|it| it.runs.keys());
            let known: Vec<String> = known.map(ToString::to_string).collect();
            bail!("the recording has no run `{run}`; it has {}", known.join(", "));
        }
        player.show(run.clone());
    }
    Ok(())
}
