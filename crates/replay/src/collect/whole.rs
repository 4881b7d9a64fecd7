//! Everything since the repository's first record: exact. Where that is long, the records before the first that tells of
//! what is wanted are folded into a state, and stand in the recording as that.

use super::{CollectError, Found, Gather, Span, Wanted};
use crate::{
    about::Thread,
    base::{self, BaseError},
};
use jiff::SignedDuration;
use stackwave_domain::{Entry, Event, Position, RepositoryId, RunId, Subject, Timestamp, digest::BlobRef};
use stackwave_engine::State;
use stackwave_event_log::{Filter, MAX_BATCH};

/// As many records as this are kept as they are before a state takes their place.
const AS_RECORDS: u64 = 5_000;
/// GitHub allows re-runs for 30 days: later than that nothing tells of a run any more.
const LAST_NEWS: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(super) async fn gather(
    gather: &mut Gather<'_>,
    wanted: &Wanted,
    found: Option<&Found>,
) -> Result<Span, CollectError> {
    let Some(state) = checkpoint(gather).await? else {
        let is_purged = gather.is_purged().await?;
        let span = records(gather, wanted, found, None, Position::START.next()).await?;
        return span.map(|span| Span { cut: is_purged, ..span }).ok_or_else(|| nothing(gather, wanted));
    };
    let unbroken = unbroken(gather, state.position()).await?;
    // What stands before the checkpoint and is whole tells more than the state after it.
    if found.is_none_or(|found| !(unbroken..=state.position()).contains(&found.position)) {
        let next = state.position().next();
        let withheld = gather.withheld;
        if let Some(span) = records(gather, wanted, found, Some(state.clone()), next).await? {
            return Ok(span);
        }
        gather.withheld = withheld;
    }
    if unbroken <= state.position()
        && let Some(span) = records(gather, wanted, found, None, unbroken).await?
    {
        return Ok(Span { cut: true, ..span });
    }
    match Thread::of(wanted, None).resume(&state, gather.repository) {
        true => Ok(Span { base: Some(state), entries: Vec::new(), cut: false }),
        false => Err(nothing(gather, wanted)),
    }
}

fn nothing(gather: &Gather<'_>, wanted: &Wanted) -> CollectError {
    match wanted {
        Wanted::Run(run) => CollectError::NoRun(run.clone()),
        Wanted::Pull(number) => CollectError::NoPull { repository: gather.repository, number: *number },
        Wanted::Repository => CollectError::NoRepository(gather.repository),
    }
}

/// The records that tell of what is wanted and those between them, from a position on, after a state; none when nothing
/// tells of it.
async fn records(
    gather: &mut Gather<'_>,
    wanted: &Wanted,
    found: Option<&Found>,
    mut state: Option<State>,
    mut next: Position,
) -> Result<Option<Span>, CollectError> {
    let mut thread = Thread::of(wanted, found.map(|found| &found.opened));
    let mut folded = state.clone().unwrap_or_default();
    thread.resume(&folded, gather.repository);
    let mut entries: Vec<Entry> = Vec::new();
    // As long as nothing told of it, records are kept only while they are few.
    let (mut begun, mut before, mut count) = (false, state.take(), 0u64);
    let mut end = None;
    let mut stopped: Option<Timestamp> = None;
    'records: loop {
        let page = gather.page(next).await?;
        let Some(last) = page.last() else { break };
        next = last.position.next();
        for entry in page {
            let tells = thread.takes(&entry);
            if tells && !begun {
                begun = true;
                if count > AS_RECORDS {
                    entries.clear();
                    before = Some(folded.clone());
                }
            }
            if !begun {
                folded.apply(&gather.whole(&entry).await?);
                count += 1;
                if count <= AS_RECORDS {
                    entries.push(entry);
                } else {
                    entries.clear();
                    gather.blobs.clear();
                }
                continue;
            }
            if tells {
                end = Some(entry.position);
            }
            stopped = ended(found, &entry).or(stopped);
            let late = stopped.and_then(|at| at.checked_add(LAST_NEWS).ok());
            if late.is_some_and(|late| entry.record.at > late) {
                break 'records;
            }
            gather.whole(&entry).await?;
            entries.push(entry);
        }
    }
    let Some(end) = end else { return Ok(None) };
    entries.retain(|entry| entry.position <= end);
    let base = before.map(|state| state.only(gather.repository));
    Ok(Some(Span { base, entries, cut: false }))
}

/// From where on the stream has every record up to `to`: what a purge left of the time before are single records.
async fn unbroken(gather: &Gather<'_>, to: Position) -> Result<Position, CollectError> {
    let (mut first, mut expected) = (Position::START.next(), Position::START.next());
    loop {
        let page = gather.log.read(gather.stream, expected, MAX_BATCH).await?;
        if page.is_empty() {
            return Ok(first);
        }
        for entry in page {
            if entry.position > expected {
                first = entry.position;
            }
            if entry.position >= to {
                return Ok(first);
            }
            expected = entry.position.next();
        }
    }
}

/// When the run stopped, if this record says so.
fn ended(found: Option<&Found>, entry: &Entry) -> Option<Timestamp> {
    let run = &found?.opened.run;
    let stops = entry.record.events.iter().any(|event| match event {
        Event::RunEnded(ended) => ended.run == *run,
        Event::RunSuperseded(superseded) => superseded.run == *run,
        Event::RunClosed(closed) => closed.run == *run,
        Event::RunCancelled(cancelled) => cancelled.run == *run,
        _ => false,
    });
    stops.then_some(entry.record.at)
}

/// Which of these repositories has a run, as the state that stands for their stream's purged records knows.
pub(super) async fn who_keeps(
    gather: &Gather<'_>,
    repositories: &[RepositoryId],
    run: &RunId,
) -> Result<Option<RepositoryId>, CollectError> {
    let Some(state) = of_stream(gather).await? else { return Ok(None) };
    let keeps = |id: &RepositoryId| state.repository(*id).is_some_and(|it| it.runs.contains_key(run));
    Ok(repositories.iter().copied().find(keeps))
}

/// The state that stands for the repository's records that were purged, cleaned; none when nothing was.
async fn checkpoint(gather: &mut Gather<'_>) -> Result<Option<State>, CollectError> {
    let Some(state) = of_stream(gather).await? else { return Ok(None) };
    let (state, count) = base::clean(&state.only(gather.repository))?;
    gather.withheld += count;
    Ok(Some(state))
}

/// The oldest state after which no record is gone; none when nothing was purged.
async fn of_stream(gather: &Gather<'_>) -> Result<Option<State>, CollectError> {
    if !gather.is_purged().await? {
        return Ok(None);
    }
    let Some(subject) = Subject::checkpoint(gather.stream) else { return Ok(None) };
    let mut from = Position::START.next();
    loop {
        let page = gather.log.read_of(gather.stream, &Filter::Subject(subject.clone()), from, 64).await?;
        let Some(last) = page.last() else { return Ok(None) };
        from = last.position.next();
        for event in page.iter().flat_map(|entry| &entry.record.events) {
            let Event::CheckpointWritten(written) = event else { continue };
            // An older one is of no use once records after it are gone as well.
            let next = gather.log.read(gather.stream, written.at.next(), 1).await?;
            let follows = next.first().is_some_and(|entry| entry.position == written.at.next());
            if follows && let Some(state) = load(gather, &written.state).await? {
                return Ok(Some(state));
            }
        }
    }
}

async fn load(gather: &Gather<'_>, blob: &BlobRef) -> Result<Option<State>, CollectError> {
    let Some(bytes) = gather.log.get_blob(&blob.digest).await? else { return Ok(None) };
    Ok(Some(State::from_checkpoint(&bytes).map_err(BaseError::State)?))
}
