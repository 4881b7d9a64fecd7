//! Collects a recording from an event log. The log is only read, also while it is served.

mod near;
mod whole;

use crate::{
    About, Recording,
    base::BaseError,
    find::{Found, find_run},
    recording::hydrate,
    withhold::{withhold, withhold_text},
};
use stackwave_domain::{
    Entry, Position, PrNumber, RepositoryId, RunId, StreamId, Subject, record::HydrateError,
};
use stackwave_engine::{Config, ENGINE_VERSION, State};
use stackwave_event_log::{EventLog, Filter, LogError, MAX_BATCH};
use std::{collections::BTreeMap, sync::Arc};

/// What is wanted of a log.
#[derive(Clone, Debug)]
pub struct Ask {
    /// In which repository; may be left out for a run, which is then looked for.
    pub repository: Option<RepositoryId>,
    /// Of what.
    pub wanted: Wanted,
    /// How much of what was before.
    pub depth: Depth,
}

/// Of what the records are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A run.
    Run(RunId),
    /// A pull request, with all its runs.
    Pull(PrNumber),
    /// Everything.
    Repository,
}

/// How much of what was before a run is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Some hundred records before it: quick in the largest log. What the repository was told longer ago is not known.
    /// A short stream is folded whole all the same.
    Near,
    /// Everything since the repository's first record: exact, as any role has folded it.
    Whole,
}

/// A recording could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no such run.
    #[error("the event log has no run `{0}`")]
    NoRun(RunId),
    /// Nothing is known of the repository.
    #[error("the event log holds nothing about the repository {0}")]
    NoRepository(RepositoryId),
    /// Nothing is known of the pull request.
    #[error("the event log holds nothing about #{number} in the repository {repository}")]
    NoPull {
        /// In which repository.
        repository: RepositoryId,
        /// Which pull request.
        number: PrNumber,
    },
    /// Without a run, the repository has to be named.
    #[error("name the repository of the pull request")]
    WhichRepository,
    /// A large content is missing or cannot be read.
    #[error("the record at {position} cannot be read whole: {error}")]
    Content {
        /// Of which record.
        position: Position,
        /// What is wrong.
        error: HydrateError,
    },
    /// The state that stands for records which were purged cannot be read.
    #[error("the log was purged, and the state that stands for its first records cannot be read: {0}")]
    Checkpoint(#[from] BaseError),
}

/// Collects what is wanted. `config` is the configuration as the log has it.
///
/// # Errors
/// It is not there, or the log cannot be read.
pub async fn collect(log: &Arc<dyn EventLog>, config: &Config, ask: &Ask) -> Result<Recording, CollectError> {
    let found = match &ask.wanted {
        Wanted::Run(run) => find_run(log, config, ask.repository, run).await?,
        Wanted::Pull(_) | Wanted::Repository => None,
    };
    let repository = match (&ask.wanted, &found) {
        (_, Some(found)) => Some(found.repository),
        // Its opening may have been purged.
        (Wanted::Run(run), None) => Some(who_keeps(log, config, ask.repository, run).await?),
        (Wanted::Pull(_) | Wanted::Repository, None) => ask.repository,
    };
    let repository = repository.ok_or(CollectError::WhichRepository)?;
    let mut gather = Gather::new(log, repository);
    let span = match (&found, ask.depth) {
        (Some(found), Depth::Near) if gather.is_long().await? => near::gather(&mut gather, found).await?,
        (found, _) => whole::gather(&mut gather, &ask.wanted, found.as_ref()).await?,
    };
    let settings = gather.settings().await?;
    let position = span.base.as_ref().map_or(Position::START, State::position);
    let of_run = |run: &RunId| span.base.as_ref()?.repository(repository)?.runs.get(run);
    let about = About {
        repository,
        name: config.repository(repository).map(|known| known.name.clone()),
        run: match &ask.wanted {
            Wanted::Run(run) => Some(run.clone()),
            Wanted::Pull(_) | Wanted::Repository => None,
        },
        pull_request: match (&ask.wanted, &found) {
            (Wanted::Pull(number), _) => Some(*number),
            (Wanted::Run(_), Some(found)) => found.opened.pull_request,
            (Wanted::Run(run), None) => of_run(run).and_then(|run| run.pull_request),
            (Wanted::Repository, _) => None,
        },
        stream: gather.stream.name(),
        from: span.entries.first().map_or(position, |entry| entry.position),
        to: span.entries.last().map_or(position, |entry| entry.position),
        cut: span.cut,
        engine: ENGINE_VERSION,
        withheld: gather.withheld,
    };
    let named: std::collections::BTreeSet<_> =
        span.entries.iter().flat_map(|entry| entry.record.missing_blobs()).map(|blob| blob.digest).collect();
    gather.blobs.retain(|digest, _| named.contains(digest));
    Ok(Recording { about, base: span.base, config: settings, entries: span.entries, blobs: gather.blobs })
}

/// In which repository a run is kept of which the log has no opening any more.
async fn who_keeps(
    log: &Arc<dyn EventLog>,
    config: &Config,
    asked: Option<RepositoryId>,
    run: &RunId,
) -> Result<RepositoryId, CollectError> {
    let known: Vec<RepositoryId> = match asked {
        Some(repository) => vec![repository],
        None => config.repositories().map(|repository| repository.id).collect(),
    };
    let mut streams: BTreeMap<StreamId, Vec<RepositoryId>> = BTreeMap::new();
    for repository in known {
        streams.entry(StreamId::of_repository(repository, log.partitions())).or_default().push(repository);
    }
    for repositories in streams.values() {
        let Some(any) = repositories.first() else { continue };
        if let Some(repository) = whole::who_keeps(&Gather::new(log, *any), repositories, run).await? {
            return Ok(repository);
        }
    }
    Err(CollectError::NoRun(run.clone()))
}

/// A stream that ends here is short: all of it is folded in a moment, and what is shown is what a file of it shows.
const SHORT: Position = Position(5_000);
/// So many of a stream's first records tell whether it was purged.
const FIRST_RECORDS: usize = 64;

/// What was gathered.
struct Span {
    base: Option<State>,
    entries: Vec<Entry>,
    cut: bool,
}

/// Reads one repository's records, cleaned of secrets, with their contents.
struct Gather<'a> {
    log: &'a Arc<dyn EventLog>,
    repository: RepositoryId,
    stream: StreamId,
    blobs: BTreeMap<stackwave_domain::Digest, String>,
    withheld: u64,
}

impl<'a> Gather<'a> {
    fn new(log: &'a Arc<dyn EventLog>, repository: RepositoryId) -> Self {
        let stream = StreamId::of_repository(repository, log.partitions());
        Self { log, repository, stream, blobs: BTreeMap::new(), withheld: 0 }
    }

    /// Whether the stream's first records are gone. A purge leaves the last record of some subjects, so there are gaps.
    async fn is_purged(&self) -> Result<bool, LogError> {
        let first = self.log.read(self.stream, Position::START.next(), FIRST_RECORDS).await?;
        Ok(first.iter().zip(1..).any(|(entry, position)| entry.position.0 != position))
    }

    /// Whether the stream is too long to be folded for one run without being asked to.
    async fn is_long(&self) -> Result<bool, LogError> {
        Ok(self.log.last_position(self.stream).await? > SHORT)
    }

    /// Records from a position on, in order; empty at the end only.
    async fn page(&mut self, from: Position) -> Result<Vec<Entry>, CollectError> {
        let filter = Filter::Repository(self.repository);
        let mut page = self.log.read_of(self.stream, &filter, from, MAX_BATCH).await?;
        for entry in &mut page {
            self.withheld += withhold(entry);
        }
        Ok(page)
    }

    /// A record with its contents in place.
    async fn whole(&mut self, entry: &Entry) -> Result<Entry, CollectError> {
        let mut whole = entry.clone();
        let missing = whole.record.missing_blobs();
        if missing.is_empty() {
            return Ok(whole);
        }
        for blob in missing {
            if self.blobs.contains_key(&blob.digest) {
                continue;
            }
            if let Some(bytes) = self.log.get_blob(&blob.digest).await? {
                let text = String::from_utf8_lossy(&bytes);
                let (clean, count) = withhold_text(&text);
                self.withheld += count;
                let clean = clean.into_owned();
                self.blobs.insert(blob.digest, clean);
            }
        }
        let position = whole.position;
        hydrate(&mut whole, &self.blobs).map_err(|error| CollectError::Content { position, error })?;
        Ok(whole)
    }

    /// What the configuration says of the repository.
    async fn settings(&mut self) -> Result<Vec<Entry>, CollectError> {
        let subject = Subject::config("repository", &self.repository.to_string());
        let filter = Filter::Subject(subject);
        let mut settings = Vec::new();
        let mut from = Position::START.next();
        loop {
            let page = self.log.read_of(StreamId::Config, &filter, from, MAX_BATCH).await?;
            let Some(last) = page.last() else { return Ok(settings) };
            from = last.position.next();
            for mut entry in page {
                self.withheld += withhold(&mut entry);
                settings.push(entry);
            }
        }
    }
}
