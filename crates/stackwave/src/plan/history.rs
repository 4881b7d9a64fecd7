//! How long the stacks of a repository took before: from an exported file, or from an event log.

use crate::{
    cli::PlanOptions,
    log::{open_log, repository_named},
    replay::configuration,
};
use anyhow::Context as _;
use serde::Deserialize;
use stackwave_domain::{RepositoryId, StreamId};
use stackwave_engine::{SNAPSHOT_VERSION, State, state::Past};
use stackwave_event_log::{EventLog, Filter, MAX_BATCH, SnapshotKey};
use stackwave_replay::Player;
use stackwave_runtime::stow;
use std::{fs::File, path::Path, sync::Arc};

/// The past of the upload's repository; none when no history is asked for.
pub(super) async fn read(options: &PlanOptions, upload: &[u8]) -> anyhow::Result<Option<Past>> {
    let Some(history) = &options.history else { return Ok(None) };
    let is_log = ["sqlite:", "nats://", "tls://"].iter().any(|scheme| history.starts_with(scheme));
    if !history.is_empty() && !is_log {
        return of_file(Path::new(history)).with_context(|| format!("cannot read `{history}`")).map(Some);
    }
    let log = open_log(Some(history).filter(|history| !history.is_empty()), &options.config).await?;
    let config = configuration(&log).await?;
    let named = options.repository.clone().or_else(|| repository_of(upload));
    let named =
        named.context("the file names no repository: name the one whose history counts with --repository")?;
    let repository = repository_named(&named, &config)?;
    of_log(&log, repository).await.map(Some)
}

/// What an exported file knows at its end.
fn of_file(path: &Path) -> anyhow::Result<Past> {
    let recording = stackwave_replay::read(File::open(path)?)?;
    let player = Player::new(&recording)?;
    Ok(player.repository().map(|repository| repository.past.clone()).unwrap_or_default())
}

/// What the log knows at its end: from the newest snapshot where there is one, so that it is quick in a large log.
async fn of_log(log: &Arc<dyn EventLog>, repository: RepositoryId) -> anyhow::Result<Past> {
    let stream = StreamId::of_repository(repository, log.partitions());
    let key = SnapshotKey { stream, engine: SNAPSHOT_VERSION };
    let stored = log.snapshots().load(key).await.ok().flatten();
    let restored = stored.and_then(|(_, bytes)| State::from_snapshot(&bytes).ok());
    let mut state = restored.map(|state| state.only(repository)).unwrap_or_default();
    let filter = Filter::Repository(repository);
    let mut from = state.position().next();
    loop {
        let mut page = log.read_of(stream, &filter, from, MAX_BATCH).await?;
        let Some(last) = page.last() else { break };
        from = last.position.next();
        stow::hydrate(log, &mut page).await?;
        page.iter().for_each(|entry| drop(state.apply(entry)));
    }
    Ok(state.repository(repository).map(|repository| repository.past.clone()).unwrap_or_default())
}

/// The repository that an upload names.
fn repository_of(upload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        repo_owner: String,
        repo_name: String,
    }
    let named: Named = serde_json::from_slice(upload).ok()?;
    (!named.repo_owner.is_empty() && !named.repo_name.is_empty())
        .then(|| format!("{}/{}", named.repo_owner, named.repo_name))
}
