//! A run with some of what was before it, without reading what a large log has besides.

use super::{CollectError, Found, Gather, Span};
use stackwave_domain::{Entry, Position};
use stackwave_engine::{State, state::Run};

/// At least so many of the repository's records before the opening are folded, when there are as many.
const BEFORE: usize = 256;
/// So far back, in positions of the stream, they are looked for at first; then ever further.
const FIRST_STEP: u64 = 2_000;
/// So many of the repository's records after the run's end are folded: the comment's last word is among them.
const AFTER: usize = 64;
/// A run that does not end is shown up to here.
const LONGEST: usize = 100_000;

pub(super) async fn gather(gather: &mut Gather<'_>, found: &Found) -> Result<Span, CollectError> {
    let (mut entries, from) = before(gather, found.position).await?;
    let mut state = State::default();
    // The run is known from its opening on; what was before only has to be there whole.
    for entry in &entries {
        gather.whole(entry).await?;
    }
    let mut next = found.position;
    let mut left = None;
    'records: loop {
        let page = gather.page(next).await?;
        let Some(last) = page.last() else { break };
        next = last.position.next();
        for entry in page {
            state.apply(&gather.whole(&entry).await?);
            entries.push(entry);
            let run = state.repository(gather.repository).and_then(|it| it.runs.get(&found.opened.run));
            left = if run.is_some_and(is_over) {
                Some(left.map_or(AFTER, |left: usize| left - 1))
            } else {
                None
            };
            if left == Some(0) || entries.len() >= LONGEST {
                break 'records;
            }
        }
    }
    let cut = from > Position::START.next() || gather.is_purged().await?;
    Ok(Span { base: None, entries, cut })
}

/// Whether nothing is to be expected of a run but what people start again.
fn is_over(run: &Run) -> bool {
    run.stopped.is_some() && !run.is_in_flight()
}

/// Records before a position, and from where on they were read.
async fn before(gather: &mut Gather<'_>, end: Position) -> Result<(Vec<Entry>, Position), CollectError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut to = end;
    let mut step = FIRST_STEP;
    while entries.len() < BEFORE && to > Position::START.next() {
        let from = Position(to.0.saturating_sub(step)).max(Position::START.next());
        let mut earlier = Vec::new();
        let mut next = from;
        'stretch: loop {
            let page = gather.page(next).await?;
            let Some(last) = page.last() else { break };
            next = last.position.next();
            for entry in page {
                if entry.position >= to {
                    break 'stretch;
                }
                earlier.push(entry);
            }
        }
        earlier.append(&mut entries);
        entries = earlier;
        to = from;
        step *= 8;
    }
    Ok((entries, to))
}
