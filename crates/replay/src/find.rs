//! Where a run was opened, without reading the whole log if that can be avoided.
//!
//! A run of a pull request is told in that request's comment within moments, and the comment has a subject of its own.
//! So the ledger is searched shortly before each record of the comment; only a run that nobody commented on costs a walk
//! through the ledgers.

use stackwave_domain::{Event, Position, PrNumber, RepositoryId, RunId, StreamId, Subject, event::RunOpened};
use stackwave_engine::{Config, config::Repository};
use stackwave_event_log::{EventLog, Filter, LogError, MAX_BATCH};
use std::sync::Arc;

/// How far before a comment's record its run is looked for, in positions of the stream.
const BEFORE_COMMENT: u64 = 5_000;

/// A run's opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In which repository.
    pub repository: RepositoryId,
    /// In which stream.
    pub stream: StreamId,
    /// At which position.
    pub position: Position,
    /// What it says; a large plan is not fetched.
    pub opened: RunOpened,
}

/// Looks for a run's opening in one repository, or in all that the configuration knows.
///
/// # Errors
/// The log is out of reach or cannot be read.
pub async fn find_run(
    log: &Arc<dyn EventLog>,
    config: &Config,
    repository: Option<RepositoryId>,
    run: &RunId,
) -> Result<Option<Found>, LogError> {
    let known = config.repositories().filter(|known| repository.is_none_or(|id| known.id == id));
    let known: Vec<&Repository> = known.collect();
    if let Some(number) = pull_request(run) {
        for repository in &known {
            let search = Search::new(log, repository.id, run);
            if let Some(found) = search.by_comment(repository, number).await? {
                return Ok(Some(found));
            }
        }
    }
    let unnamed = repository.filter(|_| known.is_empty());
    for id in known.iter().map(|known| known.id).chain(unnamed) {
        let search = Search::new(log, id, run);
        if let Some(found) = search.ledger(Position::START.next(), None).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The runs whose ids begin with a text, the newest first, in one repository or in all that the configuration knows. It
/// walks through the ledgers.
///
/// # Errors
/// The log is out of reach or cannot be read.
pub async fn runs_that_begin_with(
    log: &Arc<dyn EventLog>,
    config: &Config,
    repository: Option<RepositoryId>,
    text: &str,
) -> Result<Vec<RunId>, LogError> {
    let known = config.repositories().map(|known| known.id);
    let wanted: Vec<RepositoryId> = repository.map_or_else(|| known.collect(), |id| vec![id]);
    let mut found = Vec::new();
    for repository in wanted {
        let stream = StreamId::of_repository(repository, log.partitions());
        let filter = Filter::Subject(Subject::ledger(stream, repository));
        let mut from = Position::START.next();
        loop {
            let page = log.read_of(stream, &filter, from, MAX_BATCH).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            for entry in page {
                for event in entry.record.events {
                    if let Event::RunOpened(opened) = event
                        && opened.run.as_str().starts_with(text)
                    {
                        found.push((entry.record.at, opened.run));
                    }
                }
            }
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found.into_iter().map(|(_, run)| run).collect())
}

/// The pull request that a run's id names in front.
fn pull_request(run: &RunId) -> Option<PrNumber> {
    run.as_str().strip_prefix("pr")?.split_once('-')?.0.parse().ok()
}

struct Search<'a> {
    log: &'a Arc<dyn EventLog>,
    repository: RepositoryId,
    stream: StreamId,
    run: &'a RunId,
}

impl<'a> Search<'a> {
    fn new(log: &'a Arc<dyn EventLog>, repository: RepositoryId, run: &'a RunId) -> Self {
        let stream = StreamId::of_repository(repository, log.partitions());
        Self { log, repository, stream, run }
    }

    async fn by_comment(&self, known: &Repository, number: PrNumber) -> Result<Option<Found>, LogError> {
        let subject = Subject::comment(self.stream, self.repository, &known.workspace, number);
        if self.log.last(&subject).await?.is_none() {
            return Ok(None);
        }
        let filter = Filter::Subject(subject);
        let (mut from, mut searched) = (Position::START.next(), Position::START);
        loop {
            let comments = self.log.read_of(self.stream, &filter, from, MAX_BATCH).await?;
            let Some(last) = comments.last() else { return Ok(None) };
            from = last.position.next();
            for comment in comments {
                let near = Position(comment.position.0.saturating_sub(BEFORE_COMMENT)).max(searched);
                if let Some(found) = self.ledger(near.next(), Some(comment.position)).await? {
                    return Ok(Some(found));
                }
                searched = comment.position;
            }
        }
    }

    /// Searches the ledger from a position on.
    async fn ledger(&self, mut from: Position, to: Option<Position>) -> Result<Option<Found>, LogError> {
        let filter = Filter::Subject(Subject::ledger(self.stream, self.repository));
        // A short stretch is not worth a whole page.
        let limit = if to.is_some() { 64 } else { MAX_BATCH };
        loop {
            let page = self.log.read_of(self.stream, &filter, from, limit).await?;
            let Some(last) = page.last() else { return Ok(None) };
            from = last.position.next();
            for entry in page {
                if to.is_some_and(|to| entry.position > to) {
                    return Ok(None);
                }
                for event in entry.record.events {
                    if let Event::RunOpened(opened) = event
                        && opened.run == *self.run
                    {
                        let (repository, stream) = (self.repository, self.stream);
                        return Ok(Some(Found { repository, stream, position: entry.position, opened }));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_names_its_pull_request() {
        assert_eq!(pull_request(&RunId::new("pr7-opened-9f2c1d7-5e1b9a04c2d3")), Some(PrNumber(7)));
        assert_eq!(pull_request(&RunId::new("release9-published-9f2c1d7-5e1b9a04c2d3")), None);
        assert_eq!(pull_request(&RunId::new("private")), None);
    }
}
