//! The budget of one installation.

use super::{Pace, bucket::Bucket};
use crate::{
    limit::{Limit, UNTOLD_WAIT},
    observe::{BudgetLeft, RateLimit},
};
use stackwave_domain::InstallationId;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::{Instant, sleep},
};

/// A secondary limit that names no time doubles up to this.
const LONGEST_UNTOLD_WAIT: Duration = Duration::from_secs(15 * 60);

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Goes before everything else.
    Dispatch,
    /// Stops a workflow run.
    Cancel,
    /// Creates content, which GitHub limits more.
    Comment,
}

#[derive(Debug)]
pub(crate) struct Lane {
    state: Mutex<State>,
    changed: Notify,
    in_flight: Semaphore,
    at_once: usize,
}

#[derive(Debug)]
struct State {
    writes: Option<Bucket>,
    comments: Vec<Bucket>,
    blocked_until: Option<Instant>,
    untold_limits: u32,
    waiting_dispatches: usize,
    /// Who waits for a write, in their order, and since when.
    waits: BTreeMap<u64, Instant>,
    next_wait: u64,
    /// GitHub's own count, as its last answer said.
    limit: Option<RateLimit>,
}

impl Lane {
    pub(crate) fn new(pace: &Pace, share: f64) -> Self {
        let now = Instant::now();
        Self {
            state: Mutex::new(State {
                writes: pace.writes.map(|rate| Bucket::new(rate, share, now)),
                comments: pace.comments.iter().map(|rate| Bucket::new(*rate, share, now)).collect(),
                blocked_until: None,
                untold_limits: 0,
                waiting_dispatches: 0,
                waits: BTreeMap::new(),
                next_wait: 0,
                limit: None,
            }),
            changed: Notify::new(),
            in_flight: Semaphore::new(pace.in_flight as usize),
            at_once: pace.in_flight as usize,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on so much of the pace is ours.
    pub(crate) fn set_share(&self, share: f64) {
        let now = Instant::now();
        let mut state = self.state();
        let State { writes, comments, .. } = &mut *state;
        writes.iter_mut().chain(comments).for_each(|bucket| bucket.set_share(share, now));
        drop(state);
        // Whoever waits for the next write waits for less or more time now.
        self.changed.notify_waiters();
    }

    /// Takes up to `wanted` writes out of the budget, at least one, waiting until there is one. No block holds then.
    pub(crate) async fn take(&self, kind: Kind, wanted: usize) -> usize {
        let wanted = wanted.clamp(1, self.at_once);
        let _waiting = Waiting::new(self, kind);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let wait = match self.state().try_take(kind, wanted, Instant::now()) {
                Ok(count) => return count,
                Err(wait) => wait,
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = changed => {}
            }
        }
    }

    /// Takes one write that does not wait: it follows from one that did.
    pub(crate) fn overdraw(&self) {
        if let Some(writes) = &mut self.state().writes {
            writes.take(1);
        }
    }

    /// How long GitHub's limit still holds.
    pub(crate) fn blocked(&self) -> Option<Duration> {
        self.state().blocked(Instant::now())
    }

    /// GitHub answered with a limit: nothing is sent until it ends. Returns the wait.
    pub(crate) fn block(&self, limit: Limit) -> Duration {
        let mut state = self.state();
        let now = Instant::now();
        // Calls that were in flight together bring the same answer; it counts once.
        let held = state.blocked(now);
        let wait = match (limit, held) {
            (Limit::Told(wait), _) => wait,
            (Limit::Untold, Some(held)) => held,
            (Limit::Untold, None) => {
                let wait = UNTOLD_WAIT.saturating_mul(1 << state.untold_limits.min(8));
                state.untold_limits = state.untold_limits.saturating_add(1);
                wait.min(LONGEST_UNTOLD_WAIT)
            }
        };
        let until = now + wait;
        if state.blocked_until.is_none_or(|held| held < until) {
            state.blocked_until = Some(until);
        }
        wait
    }

    /// GitHub took a write: the next secondary limit is a first one again.
    pub(crate) fn succeeded(&self) {
        self.state().untold_limits = 0;
    }

    /// GitHub told its own count.
    pub(crate) fn told(&self, limit: RateLimit) {
        self.state().limit = Some(limit);
    }

    /// What it has left now.
    pub(crate) fn left(&self, installation: Option<InstallationId>) -> BudgetLeft {
        let (mut state, now) = (self.state(), Instant::now());
        let comments = state.comments.iter_mut().map(|bucket| bucket.left(now)).reduce(f64::min);
        BudgetLeft {
            installation,
            writes: state.writes.as_mut().map(|bucket| bucket.left(now)),
            comments,
            in_flight: (self.at_once - self.in_flight.available_permits()) as u64,
            waiting: state.waits.len() as u64,
            waiting_dispatches: state.waiting_dispatches as u64,
            longest_wait: state.waits.values().next().map(|since| now.saturating_duration_since(*since)),
            writes_per_minute: state.writes.as_ref().map(Bucket::per_minute),
            limit: state.limit.clone(),
            blocked_for: state.blocked(now).unwrap_or_default(),
        }
    }

    /// Waits for a place among the calls that are in flight.
    pub(crate) async fn enter(&self) -> SemaphorePermit<'_> {
        loop {
            // The semaphore is never closed; a closed one would only mean that nobody waits.
            if let Ok(permit) = self.in_flight.acquire().await {
                return permit;
            }
        }
    }
}

impl State {
    fn blocked(&self, now: Instant) -> Option<Duration> {
        self.blocked_until.map(|until| until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    fn try_take(&mut self, kind: Kind, wanted: usize, now: Instant) -> Result<usize, Duration> {
        if let Some(wait) = self.blocked(now) {
            return Err(wait);
        }
        if kind != Kind::Dispatch && self.waiting_dispatches > 0 {
            // Woken when the last of them has gone.
            return Err(Duration::from_secs(1));
        }
        let comments = if kind == Kind::Comment { self.comments.as_mut_slice() } else { &mut [] };
        let mut buckets: Vec<&mut Bucket> = self.writes.iter_mut().chain(comments).collect();
        let mut count = wanted;
        for bucket in &mut buckets {
            count = bucket.available(now, count);
            if count == 0 {
                return Err(bucket.wait(now));
            }
        }
        for bucket in buckets {
            bucket.take(count);
        }
        Ok(count)
    }
}

/// Somebody who waits for a write. While it is for a dispatch, cancellations and comments wait.
struct Waiting<'a> {
    lane: &'a Lane,
    kind: Kind,
    number: u64,
}

impl<'a> Waiting<'a> {
    fn new(lane: &'a Lane, kind: Kind) -> Self {
        let mut state = lane.state();
        let number = state.next_wait;
        state.next_wait += 1;
        state.waits.insert(number, Instant::now());
        if kind == Kind::Dispatch {
            state.waiting_dispatches += 1;
        }
        Self { lane, kind, number }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.lane.state();
        state.waits.remove(&self.number);
        if self.kind == Kind::Dispatch {
            state.waiting_dispatches -= 1;
            drop(state);
            self.lane.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::advance;
    use url::Url;

    fn lane(url: &str) -> Arc<Lane> {
        Arc::new(Lane::new(&Pace::of(&Url::parse(url).unwrap(), None), 1.0))
    }

    fn hosted() -> Arc<Lane> {
        lane("https://api.github.com")
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let (lane, start) = (hosted(), Instant::now());
        assert_eq!(lane.take(Kind::Dispatch, 500).await, 20);
        assert_eq!(start.elapsed(), Duration::ZERO);
        let mut sent = 20;
        while sent < 170 {
            sent += lane.take(Kind::Dispatch, 500).await;
        }
        // 150 more at 150 a minute.
        assert!((59..=61).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_is_a_part_of_burst_and_rate_and_changes_what_is_waited_for() {
        let (lane, start) = (hosted(), Instant::now());
        lane.set_share(0.25);
        assert_eq!(lane.take(Kind::Dispatch, 500).await, 5);
        lane.take(Kind::Dispatch, 1).await;
        // 37.5 a minute.
        assert!((1_600..=1_602).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        let waiting = Arc::clone(&lane);
        let waiting = tokio::spawn(async move { waiting.take(Kind::Dispatch, 1).await });
        tokio::task::yield_now().await;
        lane.set_share(1.0);
        assert_eq!(waiting.await.unwrap(), 1);
        assert!((2_000..=2_002).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_taken_than_wanted() {
        let lane = hosted();
        assert_eq!(lane.take(Kind::Dispatch, 3).await, 3);
        assert_eq!(lane.take(Kind::Dispatch, 0).await, 1);
        assert_eq!(lane.take(Kind::Dispatch, 100).await, 16);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unpaced_host_gives_what_may_be_in_flight() {
        let lane = lane("http://127.0.0.1:1");
        for _ in 0..50 {
            assert_eq!(lane.take(Kind::Dispatch, 500).await, 100);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn comments_keep_to_the_minute_and_to_the_hour() {
        let (lane, start) = (hosted(), Instant::now());
        let mut in_first_minute = 0;
        for count in 1..=460 {
            lane.take(Kind::Comment, 1).await;
            if start.elapsed() < Duration::from_secs(60) {
                in_first_minute = count;
            }
        }
        assert!((55..=75).contains(&in_first_minute), "{in_first_minute}");
        assert!(start.elapsed() >= Duration::from_secs(3590), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_dispatch_goes_before_a_waiting_comment() {
        let lane = hosted();
        lane.take(Kind::Dispatch, 20).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let spawn = |kind| {
            let (lane, order) = (Arc::clone(&lane), Arc::clone(&order));
            tokio::spawn(async move {
                lane.take(kind, 1).await;
                order.lock().unwrap().push(kind);
            })
        };
        let comment = spawn(Kind::Comment);
        tokio::task::yield_now().await;
        let dispatch = spawn(Kind::Dispatch);
        comment.await.unwrap();
        dispatch.await.unwrap();
        assert_eq!(*order.lock().unwrap(), [Kind::Dispatch, Kind::Comment]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_blocks_until_it_ends() {
        let (lane, start) = (lane("http://127.0.0.1:1"), Instant::now());
        assert_eq!(lane.block(Limit::Told(Duration::from_secs(17))), Duration::from_secs(17));
        assert_eq!(lane.blocked(), Some(Duration::from_secs(17)));
        lane.take(Kind::Dispatch, 1).await;
        assert_eq!(start.elapsed().as_secs(), 17);
        assert_eq!(lane.blocked(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn limits_that_name_no_time_double_until_a_write_succeeds() {
        let lane = hosted();
        for seconds in [60, 120, 240, 480, 900, 900] {
            assert_eq!(lane.block(Limit::Untold), Duration::from_secs(seconds));
            // The answers of calls that were in flight together count once.
            assert_eq!(lane.block(Limit::Untold), Duration::from_secs(seconds));
            advance(Duration::from_secs(seconds)).await;
        }
        lane.succeeded();
        assert_eq!(lane.block(Limit::Untold), UNTOLD_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_wait_takes_nothing_and_frees_the_comments() {
        let lane = hosted();
        lane.take(Kind::Dispatch, 20).await;
        let waiting = tokio::time::timeout(Duration::from_millis(10), lane.take(Kind::Dispatch, 1)).await;
        assert!(waiting.is_err());
        assert_eq!(lane.take(Kind::Comment, 1).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_cannot_wait_is_paid_by_the_next() {
        let (lane, start) = (hosted(), Instant::now());
        lane.take(Kind::Dispatch, 20).await;
        lane.overdraw();
        lane.take(Kind::Dispatch, 1).await;
        assert!((800..=802).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }
}
