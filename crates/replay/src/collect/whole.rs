//! Everything since the repository's first record: exact. Where that is long, the records before the first that tells of
//! what is wanted are folded into a state, and stand in the recording as that.

use super::{CollectError, Found, Gather, Span, Wanted};
use crate::{
    about::Thread,
    base::{self, BaseError},
};
use jiff::SignedDuration;
use stackwave_domain::{Entry, Event, Position, Subject, Timestamp, digest::BlobRef};
use stackwave_engine::State;
use stackwave_event_log::Filter;

/// As many records as this are kept as they are before a state takes their place.
const AS_RECORDS: u64 = 5_000;
/// GitHub allows re-runs for 30 days: later than that nothing tells of a run any more.
const LAST_NEWS: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(super) async fn gather(
    gather: &mut Gather<'_>,
    wanted: &Wanted,
    found: Option<&Found>,
) -> Result<Span, CollectError> {
    let mut thread = Thread::of(wanted, found.map(|found| &found.opened));
    let mut state = checkpoint(gather).await?;
    let has_checkpoint = state.is_some();
    let mut folded = state.clone().unwrap_or_default();
    let mut entries: Vec<Entry> = Vec::new();
    // As long as nothing told of it, records are kept only while they are few.
    let (mut begun, mut before, mut count) = (false, state.take(), 0u64);
    let mut end = None;
    let mut stopped: Option<Timestamp> = None;
    let mut next = folded.position().next();
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
    let Some(end) = end else {
        return Err(match wanted {
            Wanted::Run(run) => CollectError::NoRun(run.clone()),
            Wanted::Pull(number) => CollectError::NoPull { repository: gather.repository, number: *number },
            Wanted::Repository => CollectError::NoRepository(gather.repository),
        });
    };
    entries.retain(|entry| entry.position <= end);
    let base = before.map(|state| state.only(gather.repository));
    let cut = !has_checkpoint && gather.is_purged().await?;
    Ok(Span { base, entries, cut })
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

/// The state that stands for records which were purged; none when nothing was.
async fn checkpoint(gather: &mut Gather<'_>) -> Result<Option<State>, CollectError> {
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

async fn load(gather: &mut Gather<'_>, blob: &BlobRef) -> Result<Option<State>, CollectError> {
    let Some(bytes) = gather.log.get_blob(&blob.digest).await? else { return Ok(None) };
    let state = State::from_checkpoint(&bytes).map_err(BaseError::State)?.only(gather.repository);
    let (state, count) = base::clean(&state)?;
    gather.withheld += count;
    Ok(Some(state))
}
