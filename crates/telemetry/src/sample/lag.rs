//! How far somebody is behind the end of a stream, and for how long.

use stackwave_domain::{Position, StreamId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// A stream's ends that were seen and are not folded yet; more are not needed to tell a lag.
const REMEMBERED: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Lags(BTreeMap<StreamId, VecDeque<(Position, Instant)>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lag {
    pub(super) records: u64,
    pub(super) behind_for: Duration,
}

impl Lags {
    /// The lag, with the end that was seen now; none when the log was out of reach.
    pub(super) fn look(
        &mut self,
        stream: StreamId,
        folded: Position,
        last: Option<Position>,
        now: Instant,
    ) -> Lag {
        let ends = self.0.entry(stream).or_default();
        if let Some(last) = last.filter(|last| ends.back().is_none_or(|(known, _)| known < last)) {
            ends.push_back((last, now));
        }
        while ends.front().is_some_and(|(end, _)| *end <= folded) {
            ends.pop_front();
        }
        while ends.len() > REMEMBERED {
            // The oldest tells since when, the newest how far.
            ends.remove(1);
        }
        let (Some((_, since)), Some((end, _))) = (ends.front(), ends.back()) else { return Lag::default() };
        Lag { records: end.0.saturating_sub(folded.0), behind_for: now.saturating_duration_since(*since) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_behind_is_so_since_the_oldest_end_that_is_not_folded() {
        let (mut lags, start) = (Lags::default(), Instant::now());
        let mut look = |folded, last: Option<u64>, at| {
            let now = start + Duration::from_secs(at);
            let lag = lags.look(StreamId::Partition(0), Position(folded), last.map(Position), now);
            (lag.records, lag.behind_for.as_secs())
        };
        assert_eq!(look(0, Some(0), 0), (0, 0));
        assert_eq!(look(5, Some(9), 1), (4, 0));
        assert_eq!(look(8, Some(20), 6), (12, 5), "still before the end that was seen first");
        assert_eq!(look(9, Some(20), 11), (11, 5), "that end is folded, the next was seen at 6");
        assert_eq!(look(9, None, 16), (11, 10), "a log out of reach tells nothing new");
        assert_eq!(look(20, Some(20), 21), (0, 0));
    }
}
