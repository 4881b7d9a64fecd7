//! When a comment may be written again: one post at a time, edits not too often, failures less and less often, and
//! somebody else's claim only once it must be dead. Moments are the process's own monotonic clock.

use crate::actor::Config;
use stackwave_domain::{Position, ProcessId};
use stackwave_engine::state::Comment;
use std::time::Duration;

/// What became of one post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// One write is paid for: it may be made now.
    Paid,
    /// It is recorded here: the state has to have folded it before it is asked again.
    Recorded(Position),
    /// Somebody else wrote the subject's record here.
    Moved(Position),
    /// GitHub limits us.
    Limited(Duration),
    /// It did not happen, or nobody knows.
    Failed,
    /// The comment, or the right to see it, is gone; recorded here when that was news.
    Gone(Option<Position>),
}

/// Whether something may be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may.
    Open,
    /// Not before this moment.
    At(Duration),
    /// Not before a task ends or a record is folded, both of which ask again.
    Closed,
}

/// The pace of one comment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    busy: bool,
    paid: bool,
    folded_to: Position,
    not_before: Duration,
    failures: u32,
    foreign: Option<(Position, Duration)>,
}

/// The longest wait after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

impl Slot {
    /// Whether a post may begin, for a state that has folded up to `folded`.
    pub(crate) fn gate(&self, folded: Position, now: Duration) -> Gate {
        if self.busy || folded < self.folded_to {
            Gate::Closed
        } else if now < self.not_before {
            Gate::At(self.not_before)
        } else {
            Gate::Open
        }
    }

    /// Whether a comment that does not exist may be created: a claim that another process made since is respected
    /// until it must be dead. On a log that only this process writes it is dead at once.
    pub(crate) fn creation(
        &mut self,
        comment: Option<&Comment>,
        me: &ProcessId,
        exclusive: bool,
        config: &Config,
        now: Duration,
    ) -> Gate {
        let claimed = comment.and_then(|comment| Some((comment.claimed.as_ref()?, comment.last)));
        let Some(((claimant, _), position)) = claimed.filter(|((claimant, _), _)| claimant != me) else {
            self.foreign = None;
            return Gate::Open;
        };
        if exclusive {
            return Gate::Open;
        }
        let since = match self.foreign {
            Some((seen, since)) if seen == position => since,
            _ => {
                tracing::debug!(%claimant, "another process is creating the comment");
                self.foreign = Some((position, now));
                now
            }
        };
        let dead_at = since + config.take_over;
        if now >= dead_at { Gate::Open } else { Gate::At(dead_at) }
    }

    /// Whether the last post failed, so that nobody knows what stands at GitHub.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether one write is paid for. What is not used at once is given up, so that many who paid and were held up
    /// never write all together.
    pub(crate) const fn take_paid(&mut self) -> bool {
        std::mem::replace(&mut self.paid, false)
    }

    /// A post begins.
    pub(crate) const fn begin(&mut self) {
        self.busy = true;
    }

    /// A post ended.
    pub(crate) fn end(&mut self, outcome: &Outcome, config: &Config, now: Duration) {
        self.busy = false;
        match outcome {
            Outcome::Paid => self.paid = true,
            Outcome::Recorded(position) => {
                self.failures = 0;
                self.folded_to = *position;
                self.not_before = now + config.pace;
            }
            Outcome::Moved(position) => self.folded_to = *position,
            Outcome::Limited(wait) => self.not_before = now + *wait,
            Outcome::Gone(Some(position)) if self.failures == 0 => {
                // Deleted by somebody: written anew at once. If that fails too, access is lost.
                self.failures = 1;
                self.folded_to = *position;
            }
            Outcome::Gone(position) => {
                self.folded_to = position.unwrap_or(self.folded_to);
                self.back_off(config, now);
            }
            Outcome::Failed => self.back_off(config, now),
        }
    }

    fn back_off(&mut self, config: &Config, now: Duration) {
        let wait = config.retry.saturating_mul(1 << self.failures.min(10)).min(LONGEST_RETRY);
        self.failures += 1;
        self.not_before = now + wait;
    }

    /// Whether it has to be kept although its comment is as it should be.
    pub(crate) fn matters(&self, now: Duration) -> bool {
        self.busy || now < self.not_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::Timestamp;

    const SECOND: Duration = Duration::from_secs(1);

    fn config() -> Config {
        Config { pace: 2 * SECOND, retry: SECOND, take_over: 30 * SECOND, ..Config::default() }
    }

    #[test]
    fn the_first_post_goes_at_once_and_the_next_after_the_pace() {
        let mut slot = Slot::default();
        assert_eq!(slot.gate(Position(1), SECOND), Gate::Open);
        slot.begin();
        assert_eq!(slot.gate(Position(1), SECOND), Gate::Closed);
        slot.end(&Outcome::Recorded(Position(3)), &config(), 2 * SECOND);
        assert_eq!(slot.gate(Position(2), 9 * SECOND), Gate::Closed, "its own record is not folded yet");
        assert_eq!(slot.gate(Position(3), 3 * SECOND), Gate::At(4 * SECOND));
        assert_eq!(slot.gate(Position(3), 4 * SECOND), Gate::Open);
    }

    #[test]
    fn a_post_that_is_paid_for_goes_at_once_and_is_paid_for_anew_the_next_time() {
        let mut slot = Slot::default();
        slot.begin();
        slot.end(&Outcome::Paid, &config(), SECOND);
        assert_eq!(slot.gate(Position(1), SECOND), Gate::Open);
        assert_eq!((slot.take_paid(), slot.take_paid()), (true, false));
    }

    #[test]
    fn failures_are_repeated_less_and_less_often_until_one_succeeds() {
        let mut slot = Slot::default();
        for (failure, wait) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            slot.end(&Outcome::Failed, &config(), Duration::ZERO);
            assert!(slot.has_failed());
            assert_eq!(slot.gate(Position(1), Duration::ZERO), Gate::At(wait * SECOND), "failure {failure}");
        }
        slot.end(&Outcome::Recorded(Position(1)), &config(), Duration::ZERO);
        assert!(!slot.has_failed());
    }

    #[test]
    fn a_limit_of_github_is_waited_for() {
        let mut slot = Slot::default();
        slot.end(&Outcome::Limited(90 * SECOND), &config(), SECOND);
        assert_eq!(slot.gate(Position(1), SECOND), Gate::At(91 * SECOND));
    }

    #[test]
    fn a_deleted_comment_is_written_anew_at_once_but_lost_access_is_not_hammered() {
        let mut slot = Slot::default();
        slot.end(&Outcome::Gone(Some(Position(4))), &config(), SECOND);
        assert_eq!(slot.gate(Position(4), SECOND), Gate::Open);
        slot.end(&Outcome::Gone(None), &config(), SECOND);
        assert_eq!(slot.gate(Position(4), SECOND), Gate::At(3 * SECOND));
    }

    #[test]
    fn a_foreign_claim_is_taken_over_thirty_seconds_after_it_was_first_seen() {
        let (me, other) = (ProcessId::new("me"), ProcessId::new("other"));
        let claim = |by: &ProcessId, last| Comment {
            last: Position(last),
            claimed: Some((by.clone(), Timestamp::UNIX_EPOCH)),
            id: None,
            says: None,
            refused: None,
        };
        let mut slot = Slot::default();
        let mut creation = |comment: &Comment, exclusive, now: u32| {
            slot.creation(Some(comment), &me, exclusive, &config(), now * SECOND)
        };
        assert_eq!(creation(&claim(&me, 1), false, 1), Gate::Open, "an own claim");
        assert_eq!(creation(&claim(&other, 2), true, 1), Gate::Open, "nobody else can be alive");
        assert_eq!(creation(&claim(&other, 2), false, 5), Gate::At(35 * SECOND));
        assert_eq!(creation(&claim(&other, 2), false, 34), Gate::At(35 * SECOND));
        assert_eq!(creation(&claim(&other, 3), false, 34), Gate::At(64 * SECOND), "claimed again");
        assert_eq!(creation(&claim(&other, 3), false, 64), Gate::Open);
    }
}
