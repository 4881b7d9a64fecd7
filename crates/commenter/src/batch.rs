//! Uploads of which chunks are missing, as far as a pull request should hear of them.

use jiff::SignedDuration;
use stackwave_domain::{PrNumber, Timestamp};
use stackwave_engine::state::{Incomplete, Pull, RepositoryState};

/// How long after its last chunk a batch counts as incomplete. The Atmos CLI sends chunk after chunk and gives each
/// 30 s, so a minute of silence means that something went wrong (contract §3).
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// When a batch is told to be incomplete.
fn overdue_at(batch: &Incomplete) -> Timestamp {
    batch.last_at.checked_add(OVERDUE_AFTER).unwrap_or(Timestamp::MAX)
}

fn concerns(batch: &Incomplete, pull: &Pull) -> bool {
    pull.open && pull.has_head(&batch.head_sha)
        || pull.merged.as_ref().is_some_and(|merged| {
            batch.head_sha == pull.head_sha || merged.commit.as_ref() == Some(&batch.head_sha)
        })
}

/// The batches for a pull request's head that have been silent for too long, oldest first.
pub(crate) fn overdue(state: &RepositoryState, number: PrNumber, now: Timestamp) -> Vec<&Incomplete> {
    let Some(pull) = state.pulls.get(&number) else { return Vec::new() };
    let mut batches: Vec<&Incomplete> =
        state.batches.values().filter(|batch| concerns(batch, pull) && overdue_at(batch) <= now).collect();
    batches.sort_by_key(|batch| batch.last_at);
    batches
}

/// The pull requests that have, or may soon have, an overdue batch, each with the moment from which that is told.
pub(crate) fn expected(state: &RepositoryState) -> Vec<(PrNumber, Timestamp)> {
    let mut expected = Vec::new();
    for batch in state.batches.values() {
        let pulls = state.pulls.values().filter(|pull| concerns(batch, pull));
        expected.extend(pulls.map(|pull| (pull.number, overdue_at(batch))));
    }
    expected.sort();
    expected
}
