//! What the state forgets (design §3.4). It goes by the records' times, so every replica forgets at the same record.

use super::RepositoryState;
use jiff::SignedDuration;
use stackwave_domain::{RunId, Timestamp};
use std::collections::BTreeSet;

/// The state is swept after so many records.
pub(super) const SWEEP_EVERY: u64 = 4096;

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

impl RepositoryState {
    pub(super) fn sweep(&mut self, now: Timestamp) {
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
