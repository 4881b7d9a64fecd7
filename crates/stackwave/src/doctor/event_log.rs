//! The event log, as far as it can be read beside whoever serves it.

use crate::{
    config::{LogSettings, LogTarget},
    log,
};
use nix::unistd::AccessFlags;
use stackwave_doctor::Finding;
use stackwave_domain::{
    Event, Fragment, Position, RepositoryId, RepositoryName, StreamId, Subject, Timestamp,
    event::UploadReceived,
};
use stackwave_engine::Config;
use stackwave_event_log::{EventLog, Filter, LogError, MAX_BATCH};
use stackwave_runtime::stow;
use std::{path::Path, sync::Arc};

/// A log that could be read, and the configuration that it holds.
pub(super) struct Known {
    log: Arc<dyn EventLog>,
    config: Config,
}

/// Opens the log and judges it. What is not there yet is no problem: `serve` makes it.
pub(super) async fn examine(
    settings: &LogSettings,
    now: impl Fn() -> Timestamp,
) -> (Vec<Finding>, Option<Known>) {
    if let LogTarget::Sqlite(path) = &settings.target
        && !path.exists()
    {
        return (vec![not_there(path)], None);
    }
    let log = match log::open::open(settings).await {
        Ok(log) => log,
        Err(error) => {
            let closed = Finding::problem(
                "log.reachable",
                format!("the event log {} cannot be opened: {error}", settings.target),
                "check STACKWAVE_LOG, and that this machine and user may reach it",
            );
            return (vec![closed], None);
        }
    };
    let mut findings = match log.upkeep().stats().await {
        Ok(stats) => stackwave_doctor::log::judge(&stats, log.partitions(), now()),
        Err(error) => vec![Finding::warning(
            "log.reachable",
            format!("it opens, and tells nothing of itself: {error}"),
            AWAY,
        )],
    };
    match fold(&log).await {
        Ok(config) => (findings, Some(Known { log, config })),
        Err(error) => {
            findings.push(Finding::problem(
                "log.readable",
                format!("the configuration stream cannot be read: {error}"),
                unreadable(&error),
            ));
            (findings, None)
        }
    }
}

/// Nothing is wrong with what lies there, as far as anybody can know.
const AWAY: &str = "see that the disk, or more than half of the NATS servers, can be reached, that they reach each other, \
                    and that the NATS user may ask `$JS.API.>`; then ask again";

fn unreadable(error: &LogError) -> &'static str {
    match error {
        LogError::Unavailable(_) => AWAY,
        LogError::Corrupt { .. } | LogError::Setup(_) => {
            "if a newer version wrote it, use that version; else restore the log from its backup"
        }
    }
}

/// A file that is not there yet: `serve` makes it, and the folders before it, where it may.
fn not_there(path: &Path) -> Finding {
    const CHECK: &str = "log.reachable";
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder =
        absolute.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or_else(|| Path::new("/"));
    let missing = format!("there is no event log at `{}` yet", path.display());
    let cannot = |why: &str| {
        Finding::problem(
            CHECK,
            format!("{missing}, and `{}` {why}", folder.display()),
            "correct STACKWAVE_LOG, or make its folder and give it to the user who runs `serve`",
        )
    };
    if !folder.is_dir() {
        return cannot("is no folder");
    }
    match nix::unistd::access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        Ok(()) => Finding::note(CHECK, format!("{missing}; `stackwave serve` makes it")),
        Err(error) => cannot(&format!("cannot be written to: {}", error.desc())),
    }
}

async fn fold(log: &Arc<dyn EventLog>) -> Result<Config, LogError> {
    let mut config = Config::default();
    loop {
        let mut batch = log.read(StreamId::Config, config.position().next(), MAX_BATCH).await?;
        if batch.is_empty() {
            return Ok(config);
        }
        stow::hydrate(log, &mut batch).await?;
        batch.iter().for_each(|entry| config.apply(entry));
    }
}

/// So far before the last chunk the first one of an upload is looked for.
const CHUNKS_WITHIN: u64 = 5_000;

impl Known {
    /// Every repository.
    pub(super) fn names(&self) -> impl Iterator<Item = RepositoryName> + '_ {
        self.config.repositories().map(|repository| repository.name.clone())
    }

    /// What the last upload of a repository said, all of its chunks united.
    pub(super) async fn last_upload(&self, repository: RepositoryId) -> Result<Option<Fragment>, LogError> {
        let stream = StreamId::of_repository(repository, self.log.partitions());
        let subject = Subject::upload(stream, repository);
        let Some(last) = self.log.last(&subject).await? else { return Ok(None) };
        let mut entries = vec![last];
        stow::hydrate(&self.log, &mut entries).await?;
        let Some(upload) = entries.iter().flat_map(uploads).last().cloned() else { return Ok(None) };
        let Some(batch) = &upload.batch else {
            return Ok(upload.fragment.get().map(|it| Fragment::clone(it)));
        };

        let from = Position(entries[0].position.0.saturating_sub(CHUNKS_WITHIN).max(1));
        let mut chunks = self.log.read_of(stream, &Filter::Subject(subject), from, MAX_BATCH).await?;
        stow::hydrate(&self.log, &mut chunks).await?;
        let mut parts: Vec<&UploadReceived> = chunks
            .iter()
            .flat_map(uploads)
            .filter(|chunk| chunk.batch.as_ref().is_some_and(|other| other.id == batch.id))
            .collect();
        parts.sort_by_key(|chunk| chunk.batch.as_ref().map(|batch| batch.index));
        let fragments: Vec<_> = parts.iter().filter_map(|chunk| chunk.fragment.get()).collect();
        Ok(Some(Fragment::unite(fragments.into_iter().map(AsRef::as_ref))))
    }
}

fn uploads(entry: &stackwave_domain::Entry) -> impl Iterator<Item = &UploadReceived> {
    entry.record.events.iter().filter_map(|event| match event {
        Event::UploadReceived(upload) => Some(upload),
        _ => None,
    })
}
