//! What the state forgets (design §3.4). It goes by the records' times, so every replica forgets at the same record.

use super::{RepositoryState, State};
use jiff::SignedDuration;
use stackwave_domain::{RunId, Timestamp};
use std::{collections::BTreeSet, sync::Arc};

/// The state is swept after so many records, or when it is large after more of them.
pub(super) const SWEEP_EVERY: u64 = 4096;
/// A sweep looks at everything that is kept: between two of them at least a record is folded for so many things, which
/// makes sweeping cheap beside folding, however much is kept.
const THINGS_A_RECORD: u64 = 4;

/// GitHub allows re-runs for 30 days; a run that stopped is known for 35.
const KEEP_STOPPED: SignedDuration = SignedDuration::from_hours(35 * 24);
/// A workflow run that nobody owns is forgotten an hour after it concluded.
const KEEP_UNOWNED: SignedDuration = SignedDuration::from_hours(1);
/// A chunk that comes again later than this opens a new batch.
const KEEP_BATCH: SignedDuration = SignedDuration::from_hours(24);

/// Until when a run is kept; none while it has not stopped.
pub(super) fn kept_until(run: &super::Run) -> Option<Timestamp> {
    run.stopped_at().map(|at| at.checked_add(KEEP_STOPPED).unwrap_or(Timestamp::MAX))
}

/// Whether a run is to be kept at `now`, as long as no sweep has forgotten it.
pub(super) fn is_kept(run: &super::Run, now: Timestamp) -> bool {
    kept_until(run).is_none_or(|until| now <= until)
}

/// Whether an upload that no run took is to be kept at `now`.
pub(super) fn is_parked(upload: &super::Upload, now: Timestamp) -> bool {
    !upload.used && upload.last.at >= now.checked_sub(KEEP_STOPPED).unwrap_or(Timestamp::MIN)
}

impl State {
    /// Forgets what is too old at `now`, and settles when to look again.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        for repository in self.repositories.values_mut() {
            // A repository that is shared with a copy is copied before it is changed: only where there is something to do.
            if repository.has_old(now) {
                Arc::make_mut(repository).sweep(now);
            } else {
                debug_assert!(repository.is_swept(now), "something old was overlooked");
            }
        }
        let things: u64 = self.repositories.values().map(|repository| repository.things()).sum();
        self.sweep_at = self.folded + SWEEP_EVERY.max(things / THINGS_A_RECORD);
    }
}

impl RepositoryState {
    /// How many things a sweep would look at.
    fn things(&self) -> u64 {
        let lists = [
            self.runs.len(),
            self.dispatches.len(),
            self.workflow_runs.len(),
            self.uploads.len(),
            self.pulls.len(),
            self.past.len(),
        ];
        lists.iter().sum::<usize>() as u64
    }

    /// Whether a sweep at `now` may find anything; it may be wrong only when it says so.
    fn has_old(&self, now: Timestamp) -> bool {
        let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let (stopped, unowned, batch) = (before(KEEP_STOPPED), before(KEEP_UNOWNED), before(KEEP_BATCH));
        self.finished_batches.values().any(|at| *at < batch)
            || self.batches.values().any(|incomplete| incomplete.last_at < batch)
            || self.runs.values().any(|run| run.stopped_at().is_some_and(|at| at < stopped))
            || self.unowned_runs().any(|run| run.heard_at < unowned)
            || self.uploads.values().any(|upload| upload.last.at < stopped)
            || self.pulls.values().any(|pull| !pull.open && pull.updated_at < stopped)
            || self.pull_changed.keys().any(|number| !self.pulls.contains_key(number))
            || self.comments.keys().any(|(_, number)| !self.pulls.contains_key(number))
            || self.merge_groups.values().any(|group| group.heard_at < stopped)
            || self.releases.values().any(|release| release.heard_at < stopped)
            || self.past.has_old(now)
            || self.has_old_commands(stopped)
    }

    fn is_swept(&self, now: Timestamp) -> bool {
        let mut swept = self.clone();
        swept.sweep(now);
        swept == *self
    }

    fn sweep(&mut self, now: Timestamp) {
        let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let (stopped, unowned, batch) = (before(KEEP_STOPPED), before(KEEP_UNOWNED), before(KEEP_BATCH));

        self.finished_batches.retain(|_, at| *at >= batch);
        self.batches.retain(|_, incomplete| incomplete.last_at >= batch);

        let gone: BTreeSet<RunId> = self
            .runs
            .values()
            .filter(|run| run.stopped_at().is_some_and(|at| at < stopped))
            .map(|run| run.id.clone())
            .collect();
        if !gone.is_empty() {
            self.forget_runs(&gone);
        }
        let workflow_runs = &mut self.workflow_runs;
        self.unowned_runs.retain(|id| {
            let keep = workflow_runs
                .get(id)
                .is_some_and(|run| run.heard_at >= if run.conclusion.is_some() { unowned } else { stopped });
            if !keep {
                workflow_runs.remove(id);
            }
            keep
        });

        let runs = &self.runs;
        let needed: BTreeSet<_> = runs.values().map(|run| &run.upload).collect();
        self.uploads.retain(|digest, upload| upload.last.at >= stopped || needed.contains(digest));
        let uploads = &self.uploads;
        self.uploads_by_sha.retain(|_, digests| {
            digests.retain(|digest| uploads.contains_key(digest));
            !digests.is_empty()
        });

        let with_runs: BTreeSet<_> = runs.values().filter_map(|run| run.pull_request).collect();
        self.pulls
            .retain(|number, pull| pull.open || pull.updated_at >= stopped || with_runs.contains(number));
        let known = &self.pulls;
        self.heads.retain(|_, numbers| {
            numbers.retain(|number| known.contains_key(number));
            !numbers.is_empty()
        });
        let pulls = &self.pulls;
        self.comments.retain(|(_, number), _| pulls.contains_key(number));
        let changed_pulls = &mut self.changed_pulls;
        self.pull_changed.retain(|number, position| {
            let keep = pulls.contains_key(number);
            if !keep {
                changed_pulls.remove(&(*position, *number));
            }
            keep
        });
        self.merge_groups.retain(|_, group| {
            group.heard_at >= stopped || group.run.as_ref().is_some_and(|run| runs.contains_key(run))
        });
        self.releases.retain(|_, release| release.heard_at >= stopped);
        self.past.sweep(now);
        self.forget_commands(stopped);
    }

    fn forget_runs(&mut self, gone: &BTreeSet<RunId>) {
        self.runs.retain(|id, _| !gone.contains(id));
        self.dispatches.retain(|_, dispatch| !gone.contains(&dispatch.claimed.run));
        let (dispatches, workflow_runs) = (&self.dispatches, &mut self.workflow_runs);
        self.owners.retain(|run, dispatch| {
            let keep = dispatches.contains_key(dispatch);
            if !keep {
                workflow_runs.remove(run);
            }
            keep
        });
        self.open_claims.retain(|dispatch| dispatches.contains_key(dispatch));
        self.in_flight.retain(|dispatch| dispatches.contains_key(dispatch));
        self.failed.retain(|dispatch| dispatches.contains_key(dispatch));
    }
}
